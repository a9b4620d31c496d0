package config

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/homeward/homeward/topology"
)

// structure decodes a mapping whose keys are known.
func (d *decoder) structure(x value, v reflect.Value) {
	m, ok := x.node.(ast.MapNode)
	if !ok {
		d.wrong(x, "a mapping", "write its keys below it: "+strings.Join(keysOf(v.Type()), ", "))
		return
	}
	entries := d.entries(x, m)
	present := make(map[string]bool, len(entries))
	for _, e := range entries {
		present[e.key] = true
	}
	for _, e := range entries {
		f, ok := fieldOf(v.Type(), e.key)
		if !ok {
			f, ok = d.unknownKey(x, e, v.Type(), present)
		}
		if ok {
			e.at, e.key = x.at.Key(f.key), f.key
			d.value(e.value, v.Field(f.index))
			d.belowMinimum(e.value, f, v.Field(f.index))
		}
	}
	d.leftOut(x, v.Type(), present)
}

// unknownKey tells of a key that is not there. If one was clearly meant and is
// missing, it returns that one's field.
func (d *decoder) unknownKey(x value, e entry, t reflect.Type, present map[string]bool) (field, bool) {
	keys := keysOf(t)
	near := topology.Nearest(e.key, keys)
	if e.at = x.at.Key(e.key); e.guarded() {
		d.hideTexts(e.node)
	}
	fix := "remove it; the keys here are " + strings.Join(keys, ", ")
	if near != "" {
		fix = fmt.Sprintf("did you mean %s?", near)
	}
	d.add(e.at, e.keyPlace, fmt.Sprintf("unknown key %q", short(e.key)), fix)
	if near == "" || present[near] {
		return field{}, false
	}
	present[near] = true
	return fieldOf(t, near)
}

// mapping decodes a mapping whose keys are data.
func (d *decoder) mapping(x value, v reflect.Value) {
	m, ok := x.node.(ast.MapNode)
	if !ok {
		d.wrong(x, "a mapping", "write KEY: VALUE on lines below it")
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for _, e := range d.entries(x, m) {
		e.at = x.at.Key(e.key)
		item := reflect.New(v.Type().Elem()).Elem()
		d.value(e.value, item)
		d.places[e.at] = e.keyPlace
		v.SetMapIndex(reflect.ValueOf(e.key), item)
	}
}

// entry is one key of a mapping with its value.
type entry struct {
	value
	keyPlace place
}

// entries lists what a mapping holds, and tells of keys that are no words or
// stand twice; of those the first counts.
func (d *decoder) entries(x value, m ast.MapNode) []entry {
	var list []entry
	first := map[string]int{} // line of each key
	for it := m.MapRange(); it.Next(); {
		keyPlace := start(it.Key())
		key, ok := d.keyText(x, it.Key(), keyPlace)
		if !ok {
			continue
		}
		if line, again := first[key]; again {
			d.report(x.at.Key(key), keyPlace, fmt.Sprintf("the key %q stands twice, first in line %d", short(key), line), "remove one")
			continue
		}
		first[key] = keyPlace.line
		e := entry{value: value{key: key, node: it.Value(), place: keyPlace, depth: x.depth + 1}, keyPlace: keyPlace}
		if _, scalar := it.Value().(ast.ScalarNode); scalar && it.Value().Type() != ast.NullType {
			e.place = d.begin(it.Value())
		}
		list = append(list, e)
	}
	return list
}
