package topology_test

import (
	"testing"

	"github.com/homeward/homeward/topology"
)

// small is a good topology of two cells to break in one place at a time.
func small() *topology.Topology {
	return &topology.Topology{
		Version: 1,
		Facade:  topology.Facade{Hosts: []string{"api.example.com"}, LegacyCell: "na1"},
		Cells: []topology.Cell{
			{Name: "na1", Region: "us-east-1", Jurisdiction: "us", Hosts: []string{"api-na1.example.com"}, Gateways: []string{"http://10.0.0.1:8080"}},
			{Name: "eu1", Region: "eu-central-1", Jurisdiction: "eu", Gateways: []string{"https://gw.eu1.internal"}},
		},
		Credentials: []topology.CredentialRule{
			{Name: "key", In: []string{"bearer", "header X-Key"}, Pattern: "pat-{cell}-{uuid}"},
			{Name: "opaque", In: []string{"bearer"}, Protobuf: &topology.ProtobufFormat{Field: 9}},
		},
	}
}

func TestGoodTopologyHasNoProblems(t *testing.T) {
	for _, p := range small().Validate() {
		t.Errorf("%s", p)
	}
	for _, p := range small().WithDefaults().Validate() {
		t.Errorf("with defaults: %s", p)
	}
}
