package topology

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// yamlKey is the key of a field in the file.
func yamlKey(f reflect.StructField) string {
	key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return key
}

// valueText is a value as the file would have it in one line; "" for what the
// file would leave out.
func valueText(v reflect.Value) string {
	if s, ok := v.Interface().(fmt.Stringer); ok && v.Kind() != reflect.Pointer {
		if v.IsZero() {
			return ""
		}
		return s.String()
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return ""
		}
		return valueText(v.Elem())
	case reflect.Struct:
		return "{" + strings.Join(fieldTexts(v), ", ") + "}"
	case reflect.Slice:
		parts := make([]string, v.Len())
		for i := range parts {
			parts[i] = valueText(v.Index(i))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case reflect.Map:
		var parts []string
		for _, k := range mapKeys(v, v) {
			parts = append(parts, k+": "+mapText(v, k))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return fmt.Sprint(v.Interface())
}

// fieldTexts lists the keys of a struct that are not zero.
func fieldTexts(v reflect.Value) []string {
	var parts []string
	for i := range v.NumField() {
		if key, f := yamlKey(v.Type().Field(i)), v.Field(i); key != "" && !f.IsZero() {
			parts = append(parts, key+": "+valueText(f))
		}
	}
	return parts
}

// mapKeys lists the keys of two maps, sorted.
func mapKeys(a, b reflect.Value) []string {
	var keys []string
	for _, m := range []reflect.Value{a, b} {
		for _, k := range m.MapKeys() {
			keys = append(keys, k.String())
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// mapText is the value under a key of a map, "" if there is none.
func mapText(m reflect.Value, key string) string {
	v := m.MapIndex(reflect.ValueOf(key))
	if !v.IsValid() {
		return ""
	}
	return valueText(v)
}
