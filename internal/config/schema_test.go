package config_test

import (
	"testing"

	"github.com/homeward/homeward/internal/config"
)

func TestSchemaIsCommitted(t *testing.T) {
	schema, err := config.Schema()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "../../schema/topology.schema.json", string(schema))
}
