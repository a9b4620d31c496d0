package config_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/homeward/homeward/internal/config"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestDiagnostics compares everything that is said of each testdata/*.yaml with
// the .want beside it.
func TestDiagnostics(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("Glob = %v, %v", files, err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			_, err = config.Load(filepath.Base(name), data)
			var wrong *config.Error
			if !errors.As(err, &wrong) {
				t.Fatalf("Load = %v, want an *Error", err)
			}
			golden(t, strings.TrimSuffix(name, ".yaml")+".want", wrong.String())
		})
	}
}

// golden compares got with a committed file, or commits it with -update.
func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s is not what is generated; look at the difference, then run go test ./internal/config -update\n-want +got:\n%s", name, diff)
	}
}
