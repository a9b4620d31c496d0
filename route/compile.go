package route

import (
	"errors"
	"fmt"
	"math"

	"github.com/homeward/homeward/cell"
	"github.com/homeward/homeward/credential"
	"github.com/homeward/homeward/topology"
)

// ErrNotCompilable says that a topology cannot become a table. A topology that
// validates never meets it.
var ErrNotCompilable = errors.New("the topology cannot be compiled")

// Bounds of a table, from the width of its indices.
const (
	maxEntries = math.MaxInt16
	maxSources = 256
)

// Compile makes the table of a valid topology, after filling in its defaults.
// The topology given is not changed and may be changed afterwards. The error
// names the first thing that cannot be compiled and wraps ErrNotCompilable or
// the error of the credential format.
func Compile(top *topology.Topology) (*Table, error) {
	t := &Table{top: top.WithDefaults()}
	for _, step := range []func() error{
		t.compileCells, t.compileRules, t.compilePlaces, t.compileOverrides,
		t.compilePaths, t.compileBodies, t.compileLanes,
	} {
		if err := step(); err != nil {
			return nil, fmt.Errorf("compile topology: %w", err)
		}
	}
	return t, nil
}

func (t *Table) compileCells() error {
	t.observe = t.top.Mode == topology.Observe
	key, err := credential.ParseFingerprintKey(t.top.FingerprintKey)
	if err != nil {
		return fmt.Errorf("fingerprint_key: %w", err)
	}
	t.key = key
	for what, n := range map[string]int{
		"cells": len(t.top.Cells), "credential rules": len(t.top.Credentials),
		"path rules": len(t.top.Paths), "lanes": len(t.top.Lanes),
	} {
		if n >= maxEntries {
			return fmt.Errorf("%d %s, at most %d are possible: %w", n, what, maxEntries-1, ErrNotCompilable)
		}
	}
	keys := make([]uint64, len(t.top.Cells))
	t.cells = make([]cellEntry, len(t.top.Cells))
	for i := range t.top.Cells {
		c := &t.top.Cells[i]
		name, err := cell.ParseName(c.Name)
		if err != nil {
			return fmt.Errorf("cells: %w", err)
		}
		share := 100.0
		if c.Share != nil {
			share = *c.Share
		}
		if !(share >= 0 && share <= 100) {
			return fmt.Errorf("cell %s: share %v is not from 0 to 100: %w", c.Name, share, ErrNotCompilable)
		}
		keys[i] = name.Key()
		t.cells[i] = cellEntry{name, uint64(math.Round(share * fullShare / 100))}
	}
	t.cellKeys = newKeyIndex(keys)
	if t.legacy, err = t.cellNamed("facade: legacy_cell", t.top.Facade.LegacyCell); err != nil {
		return err
	}
	t.hosts, err = newHostIndex(t.top)
	return err
}

// cellNamed is the index of a cell that the topology refers to at place.
func (t *Table) cellNamed(place, name string) (Index, error) {
	n, err := cell.ParseName(name)
	if err != nil {
		return None, fmt.Errorf("%s: %w", place, err)
	}
	i := t.CellIndex(n)
	if i == None {
		return None, fmt.Errorf("%s: there is no cell %s; declare it under cells: %w", place, name, ErrNotCompilable)
	}
	return i, nil
}

func (t *Table) compileOverrides() error {
	var accounts, fingerprints []uint64
	for i := range t.top.Overrides {
		o := &t.top.Overrides[i]
		to, err := t.cellNamed(fmt.Sprintf("override %d", i+1), o.Cell)
		if err != nil {
			return err
		}
		m := move{to, o.Epoch}
		switch {
		case o.Account != nil && o.Fingerprint == "":
			accounts = append(accounts, *o.Account)
			t.accounts.to = append(t.accounts.to, m)
		case o.Account == nil && o.Fingerprint != "":
			fp, err := credential.ParseFingerprint(o.Fingerprint)
			if err != nil {
				return fmt.Errorf("override %d: %w", i+1, err)
			}
			fingerprints = append(fingerprints, uint64(fp))
			t.fingerprints.to = append(t.fingerprints.to, m)
		default:
			return fmt.Errorf("override %d: give it an account or a fingerprint: %w", i+1, ErrNotCompilable)
		}
	}
	t.moved = len(t.top.Overrides) > 0
	t.accounts.keys = newKeyIndex(accounts)
	t.fingerprints.keys = newKeyIndex(fingerprints)
	return nil
}

func (t *Table) compilePaths() error {
	for i := range t.top.Paths {
		p := &t.top.Paths[i]
		to, err := t.cellNamed("path rule "+p.Path, p.Cell)
		if err != nil {
			return err
		}
		t.placed = append(t.placed, pathRule{newPathPattern(p.Path), p.Methods, to})
	}
	return nil
}

func (t *Table) compileBodies() error {
	for i := range t.top.Bodies {
		b := &t.top.Bodies[i]
		methods := b.Methods
		if len(methods) == 0 {
			methods = []string{"POST"}
		}
		for _, m := range methods {
			t.looked.add(len(m))
		}
		t.bodies = append(t.bodies, bodyRule{
			paths:        newPathPatterns(b.Paths),
			methods:      methods,
			limit:        int64(b.Limit),
			passTooLong:  b.Oversize == topology.Pass,
			passEncoded:  b.Encoded == topology.Pass,
			passRepeated: b.Repeated == topology.Pass,
		})
	}
	return nil
}
