package config

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// field is a field of a topology type as the file knows it.
type field struct {
	key   string
	index int
	tag   reflect.StructTag
}

// fieldOf finds the field that a key of the file stands for.
func fieldOf(t reflect.Type, key string) (field, bool) {
	for i := range t.NumField() {
		if f := t.Field(i); keyOf(f) == key {
			return field{key, i, f.Tag}, true
		}
	}
	return field{}, false
}

// keysOf lists the keys that a mapping of a type may have, in their order.
func keysOf(t reflect.Type) []string {
	keys := make([]string, t.NumField())
	for i := range keys {
		keys[i] = keyOf(t.Field(i))
	}
	return keys
}

func keyOf(f reflect.StructField) string {
	key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return key
}

// schemaKeyword is the value of one keyword of a field's schema tag.
func schemaKeyword(tag reflect.StructTag, keyword string) (string, bool) {
	for word := range strings.SplitSeq(tag.Get("jsonschema"), ",") {
		if v, ok := strings.CutPrefix(word, keyword+"="); ok {
			return v, true
		}
	}
	return "", false
}

// belowMinimum tells of a number that is written as 0 where 0 is not allowed: in
// a topology it would mean that the key was left out.
func (d *decoder) belowMinimum(x value, f field, v reflect.Value) {
	least, ok := schemaKeyword(f.tag, "minimum")
	if !ok || !v.CanInt() || v.Int() != 0 || d.broken[x.at] {
		return
	}
	if n, err := strconv.ParseInt(least, 10, 64); err == nil && n > 0 {
		d.add(x.at, x.place, fmt.Sprintf("%s is 0", x.what()), fmt.Sprintf("write at least %d, or remove the key if it may be left out", n))
	}
}

// leftOut tells of numbers that are missing although 0 means something: in a
// topology they would look as if 0 had been written.
func (d *decoder) leftOut(x value, t reflect.Type, present map[string]bool) {
	for i := range t.NumField() {
		f := t.Field(i)
		least, _ := schemaKeyword(f.Tag, "minimum")
		if key := keyOf(f); least == "0" && required(f.Tag) && !present[key] {
			most, _ := schemaKeyword(f.Tag, "maximum")
			d.add(x.at.Key(key), x.place, key+" is missing", fmt.Sprintf("write %s: and a number from %s to %s", key, least, most))
		}
	}
}

func required(tag reflect.StructTag) bool {
	return slices.Contains(strings.Split(tag.Get("jsonschema"), ","), "required")
}
