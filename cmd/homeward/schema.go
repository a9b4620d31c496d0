package main

import (
	"github.com/spf13/cobra"

	"github.com/homeward/homeward/internal/config/schema"
)

func newSchema() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the topology file, for editors",
		Long: `Print the JSON Schema of the topology file. An editor with a YAML language server
completes and checks the file if its first line is

  # yaml-language-server: $schema=PATH/topology.schema.json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			schema, err := schema.Topology()
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(schema)
			return err
		},
	}
}
