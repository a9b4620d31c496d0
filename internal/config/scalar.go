package config

import (
	"encoding"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/homeward/homeward/topology"
)

// keyText is the text of a key. Whole numbers in their one spelling are taken as
// they are written; whatever else YAML reads as no text is refused.
func (d *decoder) keyText(x value, key ast.MapKeyNode, p place) (string, bool) {
	at := x.at.Key("?")
	switch k := key.(type) {
	case *ast.StringNode:
		return k.Value, true
	case *ast.MergeKeyNode:
		d.add(at, p, "merge keys are not used here", "write the keys out, or use an alias for a whole value")
		return "", false
	case *ast.IntegerNode:
		text := k.GetToken().Value
		if plainNumber(text) {
			return text, true
		}
		d.add(at, p, fmt.Sprintf("YAML reads the key %s as the number %v", short(text), k.Value), fmt.Sprintf("write it in quotes: %q", short(text)))
		return "", false
	case *ast.FloatNode:
		text := k.GetToken().Value
		d.add(at, p, fmt.Sprintf("YAML reads the key %s as the number %s", short(text), number(k.Value)), fmt.Sprintf("write it in quotes: %q", short(text)))
		return "", false
	case *ast.BoolNode, *ast.NullNode, *ast.InfinityNode, *ast.NanNode:
		text := key.GetToken().Value
		d.add(at, p, fmt.Sprintf("YAML does not read the key %s as text", short(text)), fmt.Sprintf("write it in quotes: %q", short(text)))
		return "", false
	}
	d.add(at, p, "the key is not a plain text", "write KEY: VALUE, without anchors, aliases and ?")
	return "", false
}

// plainNumber reports whether s is a decimal number without sign, leading zero
// and underscore.
func plainNumber(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == "" && (len(s) == 1 || s[0] != '0')
}

func number(f float64) string {
	if f == math.Trunc(f) && math.Abs(f) < 1e15 {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// secretKey reports whether the value under a key is, or may by mistake be,
// something that nobody should see.
func secretKey(key string) bool { return key == "fingerprint_key" || key == "fingerprint" }

// scalar decodes text, numbers and truth values.
func (d *decoder) scalar(x value, v reflect.Value) {
	s, ok := x.node.(ast.ScalarNode)
	if ok && secretKey(x.key) && s.Type() != ast.NullType {
		d.src.hide(textOf(s))
	}
	switch {
	case ok && s.Type() == ast.NullType:
		d.blank(x)
	case v.Kind() == reflect.String:
		d.text(x, v)
	case v.Kind() == reflect.Bool:
		if b, ok := x.node.(*ast.BoolNode); ok {
			v.SetBool(b.Value)
			return
		}
		d.wrong(x, "a truth value", "write true or false, without quotes")
	case v.CanInt():
		n, err := strconv.ParseInt(d.digits(x), 10, 64)
		if err == nil && !v.OverflowInt(n) {
			v.SetInt(n)
			return
		}
		d.notWhole(x)
	case v.CanUint():
		n, err := strconv.ParseUint(d.digits(x), 10, 64)
		if err == nil {
			v.SetUint(n)
			return
		}
		d.notWhole(x)
	case v.CanFloat():
		d.float(x, v)
	}
}

// blank tells of a key without a value.
func (d *decoder) blank(x value) {
	d.add(x.at, x.place, x.what()+" is blank", "write a value, or remove the key if it may be left out")
}

func (d *decoder) text(x value, v reflect.Value) {
	switch n := x.node.(type) {
	case *ast.StringNode, *ast.LiteralNode:
		text := textOf(n)
		v.SetString(text)
		if strings.TrimSpace(text) == "" {
			d.blank(x)
		}
	case ast.MapNode, *ast.SequenceNode:
		d.wrong(x, "a text", "write one text")
	default:
		text := textOf(n)
		v.SetString(text)
		is, again := describe(n), fmt.Sprintf("write it in quotes: %q", short(text))
		if f, ok := n.(*ast.FloatNode); ok && number(f.Value) != text {
			is = fmt.Sprintf("%s, which YAML takes for %s", describe(f), number(f.Value))
		}
		if secretKey(x.key) {
			is, again = "a number", "write it in quotes"
		}
		d.add(x.at, x.place, fmt.Sprintf("%s is %s, not a text", x.what(), is), again)
	}
}

// digits is the text of a whole number, "" for anything else.
func (d *decoder) digits(x value) string {
	n, ok := x.node.(*ast.IntegerNode)
	if !ok {
		return ""
	}
	text := n.GetToken().Value
	if !plainNumber(strings.TrimPrefix(text, "-")) {
		return ""
	}
	return text
}

func (d *decoder) notWhole(x value) {
	fix := "write a whole number in plain digits, such as 10"
	switch n := x.node.(type) {
	case *ast.StringNode:
		if plainNumber(n.Value) {
			fix = "write it without quotes: " + short(n.Value)
		}
	case *ast.FloatNode:
		if n.Value == math.Trunc(n.Value) && math.Abs(n.Value) < 1e15 {
			fix = "write " + number(n.Value)
		}
	case *ast.IntegerNode:
		fix = fmt.Sprintf("write it in plain digits: %v", n.Value)
		if plainNumber(strings.TrimPrefix(n.GetToken().Value, "-")) {
			d.add(x.at, x.place, fmt.Sprintf("%s is %s, which is out of range", x.what(), describe(n)), "write a smaller whole number, not below 0")
			return
		}
	}
	d.wrong(x, "a whole number", fix)
}

func (d *decoder) float(x value, v reflect.Value) {
	switch x.node.(type) {
	case *ast.IntegerNode, *ast.FloatNode:
		if f, err := strconv.ParseFloat(x.node.GetToken().Value, 64); err == nil {
			v.SetFloat(f)
			return
		}
	}
	d.wrong(x, "a number", "write a number such as 25 or 0.5, without quotes and %")
}

// unmarshalText decodes values that read themselves from text; numbers are
// passed on as they are written.
func (d *decoder) unmarshalText(x value, v encoding.TextUnmarshaler) {
	s, ok := x.node.(ast.ScalarNode)
	if !ok {
		d.wrong(x, "a value", "write one value")
		return
	}
	if s.Type() == ast.NullType {
		d.blank(x)
		return
	}
	if err := v.UnmarshalText([]byte(textOf(s))); err != nil {
		is, cure, found := strings.Cut(err.Error(), ": ")
		if !found {
			cure = "correct it"
		}
		d.add(x.at, x.place, fmt.Sprintf("%s is %s, which is %s", x.what(), describe(s), is), "write "+cure)
	}
}

// check adds what the topology itself finds wrong, at the places of its values.
func (d *decoder) check(t *topology.Topology) {
	for _, p := range t.Validate() {
		at := topology.Path(p.Path)
		if !d.brokenAbove(at) {
			d.report(at, d.placeOf(at), p.Message, p.Fix)
		}
	}
}

// brokenAbove reports whether the value at a path, or one that it is part of,
// could not be read: what is missing then is no further error.
func (d *decoder) brokenAbove(at topology.Path) bool {
	for ; at != topology.Root; at = parent(at) {
		if d.broken[at] {
			return true
		}
	}
	return d.broken[topology.Root]
}

// placeOf is the place of a value, or of the mapping in which it is missing.
func (d *decoder) placeOf(at topology.Path) place {
	for ; at != topology.Root; at = parent(at) {
		if p, ok := d.places[at]; ok {
			return p
		}
	}
	return d.places[topology.Root]
}

func parent(at topology.Path) topology.Path {
	i := strings.LastIndexAny(string(at), ".[")
	if i <= 0 {
		return topology.Root
	}
	return at[:i]
}

// err is everything that was found, nil if nothing was.
func (d *decoder) err() error {
	if len(d.diags) == 0 {
		return nil
	}
	list := sorted(d.diags)
	for i := range list {
		list[i].Excerpt = d.src.excerpt(list[i].Line)
	}
	return &Error{list}
}
