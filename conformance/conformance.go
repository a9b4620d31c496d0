// Package conformance carries the vectors of this folder, which its README
// describes, for tests in Go. Other languages read the JSON.
package conformance

import (
	"embed"
	"encoding/json"
	"fmt"
)

//go:embed *.json
var files embed.FS

// Credentials is credentials.json.
type Credentials struct {
	Cells         []string          `json:"cells"`
	LegacyCell    string            `json:"legacy_cell"`
	GitLabCellIDs map[string]string `json:"gitlab_cell_ids"`
	Vectors       []Vector          `json:"vectors"`
}

// Vector is a synthetic credential with what it must be read as.
type Vector struct {
	Name        string `json:"name"`
	Format      string `json:"format"` // the credential rule of examples/demo.yaml
	Credential  string `json:"credential"`
	Outcome     string `json:"outcome"` // of a request with this credential alone
	Cell        string `json:"cell"`    // that the request goes to; "" when it is refused
	Verdict     string `json:"verdict"` // of the format alone
	Account     string `json:"account"` // in decimal; "" when it names none
	Fingerprint string `json:"fingerprint"`
}

// ReadCredentials returns credentials.json.
func ReadCredentials() (Credentials, error) {
	var c Credentials
	err := Read("credentials.json", &c)
	return c, err
}

// Read decodes one of the files into a value of the caller's.
func Read(name string, into any) error {
	data, err := files.ReadFile(name)
	if err != nil {
		return fmt.Errorf("conformance: %w", err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("conformance: %s: %w", name, err)
	}
	return nil
}
