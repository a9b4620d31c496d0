package topology_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/homeward/homeward/topology"
)

// TestDefaultsAreThoseOfTheTags: the schema tells editors the defaults that
// WithDefaults fills in, key by key, and no others.
func TestDefaultsAreThoseOfTheTags(t *testing.T) {
	bare := small()
	bare.Bodies = []topology.Body{{Paths: []string{"/a"}}}
	bare.CORS = &topology.CORS{Origins: []string{"*"}}
	bare.Cells[0].Health = &topology.Health{}
	bare.Shadows = []topology.Shadow{candidate()}
	before, after := reflect.ValueOf(*bare), reflect.ValueOf(*bare.WithDefaults())
	checkDefaults(t, "$", before, after)
}

func checkDefaults(t *testing.T, at string, before, after reflect.Value) {
	switch after.Kind() {
	case reflect.Pointer:
		if !after.IsNil() && !before.IsNil() {
			checkDefaults(t, at, before.Elem(), after.Elem())
		}
	case reflect.Slice:
		for i := range min(before.Len(), after.Len()) {
			checkDefaults(t, fmt.Sprintf("%s[%d]", at, i), before.Index(i), after.Index(i))
		}
	case reflect.Struct:
		for i := range after.NumField() {
			f := after.Type().Field(i)
			path := at + "." + f.Name
			if want := tagDefaults(f); !before.Field(i).IsZero() || f.Name == "Lanes" {
				checkDefaults(t, path, before.Field(i), after.Field(i))
			} else if got := texts(after.Field(i)); !cmp.Equal(want, got) {
				t.Errorf("%s: the tag says %q, WithDefaults %q", path, want, got)
			}
			if f.Type.Kind() == reflect.Struct && before.Field(i).IsZero() {
				checkDefaults(t, path, before.Field(i), after.Field(i))
			}
		}
	}
}

func tagDefaults(f reflect.StructField) []string {
	var list []string
	for word := range strings.SplitSeq(f.Tag.Get("jsonschema"), ",") {
		if v, ok := strings.CutPrefix(word, "default="); ok {
			var d topology.Duration
			if f.Type == reflect.TypeOf(d) && d.UnmarshalText([]byte(v)) == nil {
				v = d.String() // 60s is 1m
			}
			list = append(list, v)
		}
	}
	return list
}

// texts writes what a field was filled with, nil for nothing or for a struct,
// whose fields are looked at one by one.
func texts(v reflect.Value) []string {
	switch {
	case v.IsZero() || v.Kind() == reflect.Struct:
		return nil
	case v.Kind() == reflect.Pointer:
		return texts(v.Elem())
	case v.Kind() == reflect.Slice:
		var list []string
		for i := range v.Len() {
			list = append(list, texts(v.Index(i))...)
		}
		return list
	}
	return []string{fmt.Sprint(v.Interface())}
}

func TestWithDefaultsCopiesDeeply(t *testing.T) {
	a := small()
	a.Status = map[string]int{"malformed": 488}
	b := a.WithDefaults()
	b.Facade.Hosts[0], b.Cells[0].Gateways[0], b.Status["malformed"] = "x", "x", 400
	b.Credentials[1].Protobuf.Field = 1
	if a.Facade.Hosts[0] == "x" || a.Cells[0].Gateways[0] == "x" || a.Status["malformed"] != 488 || a.Credentials[1].Protobuf.Field != 9 {
		t.Error("the copy shares memory with the original")
	}
	if a.Cells[0].Share != nil || a.Mode != "" || a.Lanes != nil {
		t.Error("the original was changed")
	}
	if diff := cmp.Diff(b, b.WithDefaults()); diff != "" {
		t.Errorf("doing it twice changes: -once +twice:\n%s", diff)
	}
}

func TestDefaultLane(t *testing.T) {
	a := small()
	a.Lanes = []topology.Lane{{Name: "batch", Priority: 10, Match: topology.LaneMatch{Paths: []string{"/batch/*"}}}}
	want := append(a.Lanes[:1:1], topology.Lane{Name: topology.DefaultLane, Priority: topology.DefaultLanePriority})
	if diff := cmp.Diff(want, a.WithDefaults().Lanes); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	a.Lanes = append(a.Lanes, topology.Lane{Name: "default", Priority: 7})
	if diff := cmp.Diff(a.Lanes, a.WithDefaults().Lanes); diff != "" {
		t.Errorf("a declared one is kept: -want +got:\n%s", diff)
	}
}
