package schema_test

import (
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/homeward/homeward/internal/config/schema"
)

var update = flag.Bool("update", false, "write the schema instead of comparing it")

const committed = "../../../schema/topology.schema.json"

func TestSchemaIsCommitted(t *testing.T) {
	got, err := schema.Topology()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(committed, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(committed)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("the committed schema is not that of the types; run `make schema`:\n%s", d)
	}
}
