package config_test

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/homeward/homeward/topology"
)

const reference = "../../docs/reference/topology.md"

// TestReferenceNamesEveryKey keeps the tables of the reference, and the kinds
// below them, those of the topology's types.
func TestReferenceNamesEveryKey(t *testing.T) {
	data, err := os.ReadFile(reference)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- generated: go test ./internal/config -update -->\n", "<!-- end generated -->"
	head, rest, ok1 := strings.Cut(string(data), begin)
	got, tail, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatal("the marks of the generated part are missing")
	}
	var b strings.Builder
	table(&b, "The file", reflect.TypeFor[topology.Topology](), "")
	want := b.String()
	if *update {
		if err := os.WriteFile(reference, []byte(head+begin+want+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("run go test ./internal/config -update: -want +got:\n%s", diff)
	}
	for _, kind := range topology.Kinds() {
		if !strings.Contains(tail, "| `"+kind+"` |") {
			t.Errorf("the kind %s is not in the reference", kind)
		}
	}
}

// table writes the keys of a type, and then those of the types of its fields.
func table(b *strings.Builder, title string, t reflect.Type, prefix string) {
	fmt.Fprintf(b, "\n## %s\n\n| key | type | default | meaning |\n|---|---|---|---|\n", title)
	var below []reflect.StructField
	for i := range t.NumField() {
		f := t.Field(i)
		key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		tag := tagWords(f.Tag.Get("jsonschema"))
		fallback := strings.Join(tag["default"], ", ")
		if _, required := tag["required"]; required {
			fallback = "*required*"
		}
		meaning := strings.ReplaceAll(strings.Join(tag["description"], ""), "|", `\|`)
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", key, typeWord(f.Type, tag), fallback, meaning)
		if s := structOf(f.Type); s != nil {
			below = append(below, f)
		}
	}
	for _, f := range below {
		key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		path := prefix + key
		if f.Type.Kind() == reflect.Slice {
			path += "[]"
		}
		table(b, "`"+path+"`", structOf(f.Type), path+".")
	}
}

// structOf is the struct behind a pointer or a list that is a mapping in the
// file, nil if there is none.
func structOf(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() == reflect.Struct {
		return t
	}
	return nil
}

func typeWord(t reflect.Type, tag map[string][]string) string {
	switch {
	case len(tag["enum"]) > 0:
		return strings.Join(tag["enum"], ", ")
	case t == reflect.TypeFor[topology.Duration]():
		return "duration"
	case t == reflect.TypeFor[topology.Size]():
		return "size"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return typeWord(t.Elem(), tag)
	case reflect.Struct, reflect.Map:
		return "mapping"
	case reflect.Slice:
		if structOf(t) != nil {
			return "list"
		}
		return "list of texts"
	case reflect.Bool:
		return "true, false"
	case reflect.String:
		return "text"
	}
	return "number"
}

// tagWords splits a schema tag at its commas, but for escaped ones.
func tagWords(tag string) map[string][]string {
	words := map[string][]string{}
	for part := range strings.SplitSeq(strings.ReplaceAll(tag, `\,`, "\x00"), ",") {
		k, v, _ := strings.Cut(strings.ReplaceAll(part, "\x00", ","), "=")
		words[k] = append(words[k], v)
	}
	return words
}
