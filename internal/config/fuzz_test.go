package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/homeward/homeward/internal/config"
	"github.com/homeward/homeward/route"
	"github.com/homeward/homeward/topology"
)

// FuzzLoad: no input panics; what is refused is told with a place inside the
// file and a cure; what is taken is good with its defaults too, does not
// differ from itself, and compiles.
func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"testdata/*.yaml", "../../examples/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, name := range files {
			data, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	f.Add([]byte(good))
	f.Add([]byte("a: &a [*a, !!str 1]\n? b\n: |\n  c\n<<: *a\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		top, err := config.Load("t.yaml", data)
		var wrong *config.Error
		switch {
		case errors.As(err, &wrong):
			if len(wrong.Diagnostics) == 0 || wrong.String() == "" {
				t.Fatal("an error without a diagnostic")
			}
			for _, d := range wrong.Diagnostics {
				if d.Message == "" || d.Fix == "" || d.Line < 0 || d.Line > 0 && d.Column < 1 {
					t.Errorf("%+v", d)
				}
			}
		case err != nil:
			t.Fatalf("Load = %v, want an *Error", err)
		default:
			for _, p := range top.Validate() {
				t.Errorf("with its defaults: %s", p)
			}
			if c := topology.Diff(top, top); len(c) != 0 {
				t.Errorf("differs from itself: %v", c)
			}
			if _, err := route.Compile(top); err != nil {
				t.Errorf("taken, but does not compile: %v", err)
			}
		}
	})
}
