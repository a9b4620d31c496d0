// Package config reads the topology file: YAML, strictly, with the line, the
// column and the cure of everything that is wrong in it, all at once.
//
// What the file means is the business of package topology; this package knows
// where in the file each of its values stands.
package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/homeward/homeward/topology"
)

// MaxFileSize is the size in bytes of the largest topology file that is read.
const MaxFileSize = 16 << 20

// LoadFile reads the topology file at path, checks it, fills in its defaults
// and makes the names of its TLS files relative to the directory of the file
// instead of to the file. An error about the content is an *Error; one about
// reading the file wraps that of the operating system.
func LoadFile(path string) (*topology.Topology, error) {
	data, err := ReadFile(path)
	if err != nil {
		return nil, err
	}
	t, err := Load(path, data)
	if err != nil {
		return nil, err
	}
	ResolveFiles(t, filepath.Dir(path))
	return t, nil
}

// ReadFile reads a topology file without looking into it, and no more of it
// than Load would take.
func ReadFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open topology: %w", err)
	}
	data, err := Read(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("read topology %s: %w", path, err)
	}
	return data, nil
}

// Read reads a topology from a stream without looking into it, and no more of
// it than Load needs to see that it is too large.
func Read(r io.Reader) ([]byte, error) { return io.ReadAll(io.LimitReader(r, MaxFileSize+1)) }

// Load reads a topology from the content of a file, checks it and fills in its
// defaults. The name is only told in errors. The names of TLS files stay as they
// are written. Every error is an *Error.
func Load(name string, data []byte) (*topology.Topology, error) {
	src, err := newSource(name, data)
	if err != nil {
		return nil, err
	}
	root, err := src.parse()
	if err != nil {
		return nil, err
	}
	d := newDecoder(src)
	t := d.topology(root)
	d.check(t)
	if err := d.err(); err != nil {
		return nil, err
	}
	return t.WithDefaults(), nil
}

// ResolveFiles joins the names of the TLS files of a topology, which are
// written relative to its file, to the directory of that file. Absolute names
// stay.
func ResolveFiles(t *topology.Topology, dir string) {
	var all []*topology.TLS
	for i := range t.Cells {
		all = append(all, t.Cells[i].TLS)
	}
	for i := range t.Shadows {
		all = append(all, t.Shadows[i].TLS)
	}
	for _, c := range all {
		if c == nil {
			continue
		}
		for _, name := range []*string{&c.CA, &c.Cert, &c.Key} {
			if *name != "" && !filepath.IsAbs(*name) {
				*name = filepath.Join(dir, *name)
			}
		}
	}
}
