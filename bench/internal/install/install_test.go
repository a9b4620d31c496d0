package install_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/homeward/homeward/bench/internal/install"
)

// program makes a file that can be executed.
func program(t *testing.T, file string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestSystemFindsWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	program(t, filepath.Join(dir, "wrk"))
	t.Setenv("PATH", dir)
	in := &install.Installer{Say: io.Discard}
	found, err := in.System(t.Context(), []string{"wrk"})
	if err != nil || found["wrk"] != filepath.Join(dir, "wrk") {
		t.Errorf("got %v, %v", found, err)
	}
}

// TestSystemSaysWhatIsMissing has no apt-get in its path.
func TestSystemSaysWhatIsMissing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	in := &install.Installer{Say: io.Discard}
	_, err := in.System(t.Context(), []string{"h2load"})
	if !errors.Is(err, install.ErrMissing) || !strings.Contains(err.Error(), "h2load") || !strings.Contains(err.Error(), "apt-get install nghttp2-client") {
		t.Errorf("got %v", err)
	}
}

func TestCaddyIsBuiltOnce(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir) // there is no go command in it
	in := &install.Installer{Bin: dir, Source: dir, Say: io.Discard}
	if _, err := in.Caddy(t.Context(), "v2.0.0"); err == nil {
		t.Error("built without a go command")
	}
	program(t, filepath.Join(dir, "caddy-v2.0.0", "caddy"))
	if file, err := in.Caddy(t.Context(), "v2.0.0"); err != nil || filepath.Dir(file) != filepath.Join(dir, "caddy-v2.0.0") {
		t.Errorf("got %s, %v", file, err)
	}
}
