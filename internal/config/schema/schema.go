// Package schema makes the JSON Schema with which editors complete the topology
// file. It stands apart from the loader so that the data plane does not carry
// the generator.
package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/invopop/jsonschema"

	"github.com/homeward/homeward/topology"
)

// ID is the name of the schema of the topology file.
const ID = "urn:homeward:schema:topology:1"

// Patterns of the values that read themselves from text.
const (
	durationPattern = `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`
	sizePattern     = `^[1-9][0-9]*( *(KiB|MiB|GiB))?$`
)

// Topology generates the JSON Schema (2020-12) of the topology file from the tags
// of the topology's types, indented and ending in a line feed. It says no more
// than a schema can: references between parts of the file are for config.Load.
func Topology() ([]byte, error) {
	r := jsonschema.Reflector{
		FieldNameTag:               "yaml",
		RequiredFromJSONSchemaTags: true,
		ExpandedStruct:             true,
		Mapper:                     scalarSchema,
	}
	s := r.Reflect(&topology.Topology{})
	s.ID = ID
	s.Title = "Homeward topology"
	s.Description = "Cells, the facade in front of them, and the rules that send each request home."
	refineScalars(s)
	refineRoot(s)
	for name, def := range s.Definitions {
		def.Title = definitionTitle(name)
		refineScalars(def)
	}
	refineRule(s.Definitions["CredentialRule"])
	refineOverride(s.Definitions["Override"])
	refineGitLab(s.Definitions["GitLabFormat"])
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(s); err != nil {
		return nil, fmt.Errorf("encode the topology schema: %w", err)
	}
	return out.Bytes(), nil
}

// scalarSchema is the schema of the types that read themselves from text.
func scalarSchema(t reflect.Type) *jsonschema.Schema {
	switch t {
	case reflect.TypeFor[topology.Duration]():
		return &jsonschema.Schema{Type: "string", Pattern: durationPattern, Examples: []any{"500ms", "10s", "2h"}}
	case reflect.TypeFor[topology.Size]():
		return &jsonschema.Schema{Type: "string", Pattern: sizePattern, Examples: []any{"16KiB", "1MiB"}}
	}
	return nil
}

// definitionTitle is what people call a mapping of the file.
func definitionTitle(definition string) string {
	names := map[string]string{
		"Body": "Body to look into", "CORS": "Cross-origin answers", "Cell": "Cell",
		"CredentialRule": "Credential rule", "Facade": "Facade", "Health": "Probes of gateways", "GitLabFormat": "GitLab routable token",
		"HomewardFormat": "Homeward credential", "JWTFormat": "JSON Web Token", "Lane": "Lane",
		"LaneMatch": "Match of a lane", "Limits": "Limits", "Override": "Override", "PathRule": "Path rule",
		"ProtobufFormat": "Protobuf credential", "TLS": "TLS of gateways", "Timeouts": "Timeouts",
	}
	return names[definition]
}

// refineScalars lets sizes also be plain numbers, and refuses blank texts, as
// the loader does.
func refineScalars(s *jsonschema.Schema) {
	for p := s.Properties.Oldest(); p != nil; p = p.Next() {
		v := p.Value
		switch {
		case v.Pattern == sizePattern:
			v.OneOf = []*jsonschema.Schema{
				{Type: "string", Pattern: sizePattern},
				{Type: "integer", Minimum: "1"},
			}
			v.Type, v.Pattern = "", ""
		case v.Type == "string" && len(v.Enum) == 0 && v.Pattern == "":
			v.MinLength = one()
		case v.Type == "array" && v.Items != nil && v.Items.Type == "string":
			v.Items.MinLength = one()
		}
	}
}

func one() *uint64 { n := uint64(1); return &n }

// refineRoot says which kinds of refusals have a status.
func refineRoot(s *jsonschema.Schema) {
	status, _ := s.Properties.Get("status")
	kinds := make([]any, 0, len(topology.Kinds()))
	for _, k := range topology.Kinds() {
		kinds = append(kinds, k)
	}
	status.PropertyNames = &jsonschema.Schema{Enum: kinds}
	status.AdditionalProperties = &jsonschema.Schema{Type: "integer", Minimum: "400", Maximum: "599"}
	cells, _ := s.Properties.Get("cells")
	most := uint64(topology.MaxCells)
	cells.MaxItems = &most
}

// refineRule says that a rule has exactly one format.
func refineRule(s *jsonschema.Schema) {
	s.OneOf = requireOne("pattern", "homeward", "gitlab_routable", "jwt", "protobuf")
	in, _ := s.Properties.Get("in")
	in.Items.Pattern = `^(bearer|basic-username|basic-password|(header|cookie|query|form|json) \S+|path /\S*)$`
}

// refineOverride says that an override is for an account or a credential.
func refineOverride(s *jsonschema.Schema) { s.OneOf = requireOne("account", "fingerprint") }

// refineGitLab says what ids and cells look like.
func refineGitLab(s *jsonschema.Schema) {
	cells, _ := s.Properties.Get("cells")
	cells.PropertyNames = &jsonschema.Schema{Pattern: "^[0-9a-z]+$"}
	cells.MinProperties = one()
	cells.AdditionalProperties = &jsonschema.Schema{Type: "string", Pattern: "^[a-z]{2,6}[0-9]{1,2}$"}
}

func requireOne(keys ...string) []*jsonschema.Schema {
	var list []*jsonschema.Schema
	for _, k := range keys {
		list = append(list, &jsonschema.Schema{Required: []string{k}})
	}
	return list
}
