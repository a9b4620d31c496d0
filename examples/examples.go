// Package examples holds the topology files that Homeward comes with, for the
// program itself; people find them beside it.
package examples

import _ "embed"

//go:embed demo.yaml
var demo string

// Demo is the topology of homeward demo, in YAML.
func Demo() string { return demo }
