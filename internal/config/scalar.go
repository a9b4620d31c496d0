package config

import (
	"encoding"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/homeward/homeward/credential"
	"github.com/homeward/homeward/topology"
)

// keyText is the text of a key. Whole numbers in their one spelling are taken as
// they are written; of whatever else YAML reads as no text it tells, and goes on
// as if it stood in quotes.
func (d *decoder) keyText(x value, key ast.MapKeyNode, p place) (string, bool) {
	text := key.GetToken().Value
	switch k := key.(type) {
	case *ast.StringNode:
		text = k.Value
		if f, trap := floatTrap(k); trap {
			d.keyInQuotes(x, p, text, "the number "+number(f))
		}
	case *ast.IntegerNode:
		if !plainNumber(text) {
			d.keyInQuotes(x, p, text, fmt.Sprintf("the number %v", k.Value))
		}
	case *ast.FloatNode:
		d.keyInQuotes(x, p, text, "the number "+number(k.Value))
	case *ast.BoolNode, *ast.NullNode, *ast.InfinityNode, *ast.NanNode:
		d.keyInQuotes(x, p, text, "something other than text")
	case *ast.MergeKeyNode:
		d.report(x.at, p, "merge keys are not used here", "write the keys out, or use an alias for a whole value")
		return "", false
	default:
		d.report(x.at, p, "the key is not a plain text", "write KEY: VALUE, without anchors, aliases and ?")
		return "", false
	}
	return text, true
}

func (d *decoder) keyInQuotes(x value, p place, text, is string) {
	d.report(x.at.Key(text), p, fmt.Sprintf("YAML readers take the key %s for %s", short(text), is), fmt.Sprintf("write it in quotes: %q", short(text)))
}

// secretKey reports whether the value under a key is, or may by mistake be,
// something that nobody should see.
func secretKey(key string) bool { return key == "fingerprint_key" || key == "fingerprint" }

// guarded reports whether the value is, or may by mistake be, a secret. In an
// override that is every text but the cell: people put the credential itself
// where its account or fingerprint belongs.
func (x value) guarded() bool {
	if secretKey(x.key) {
		return true
	}
	if x.key == "cell" || !strings.HasPrefix(string(x.at), string(topology.Root.Key("overrides"))+"[") {
		return false
	}
	switch n := x.node.(type) {
	case *ast.StringNode, *ast.LiteralNode:
		return !plainNumber(textOf(n))
	}
	return false
}

// hideTexts keeps what is written in a value out of excerpts.
func (d *decoder) hideTexts(n ast.Node) {
	switch n := n.(type) {
	case *ast.SequenceNode:
		for _, e := range n.Values {
			d.hideTexts(e)
		}
	case *ast.NullNode:
	case ast.ScalarNode:
		d.hide(textOf(n))
	}
}

// hide keeps a text out of excerpts, unless it is a fingerprint: those are made
// to be shown.
func (d *decoder) hide(text string) {
	if _, err := credential.ParseFingerprint(text); err != nil {
		d.src.hide(text)
	}
}

// scalar decodes text, numbers and truth values.
func (d *decoder) scalar(x value, v reflect.Value) {
	s, ok := x.node.(ast.ScalarNode)
	if x.guarded() {
		d.hideTexts(x.node)
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
		d.notWhole(x, "write a smaller number")
	case v.CanUint():
		n, err := strconv.ParseUint(d.digits(x), 10, 64)
		if err == nil {
			v.SetUint(n)
			return
		}
		d.notWhole(x, fmt.Sprintf("write a number from 0 to %d", uint64(math.MaxUint64)))
	case v.CanFloat():
		d.float(x, v)
	}
}

// blank tells of a key without a value.
func (d *decoder) blank(x value) {
	fix := "write a value, or remove the key if it may be left out"
	if x.key == "" {
		fix = "write a value, or remove the entry"
	}
	d.add(x.at, x.place, x.what()+" is blank", fix)
}

// text decodes a text that is not blank.
func (d *decoder) text(x value, v reflect.Value) {
	switch n := x.node.(type) {
	case *ast.StringNode, *ast.LiteralNode:
		text := textOf(n)
		v.SetString(text)
		if strings.TrimSpace(text) == "" {
			d.blank(x)
		} else if s, plain := n.(*ast.StringNode); plain {
			d.floatText(x, s)
		}
	case ast.MapNode, *ast.SequenceNode:
		d.wrong(x, "a text", "write one text")
	default:
		text := textOf(n)
		v.SetString(text)
		is := describe(n)
		if f, ok := n.(*ast.FloatNode); ok && number(f.Value) != text {
			is += ", which YAML takes for " + number(f.Value)
		}
		d.notText(x, is, text)
	}
}

// floatText tells of a text that is a number to other readers.
func (d *decoder) floatText(x value, n *ast.StringNode) {
	if f, trap := floatTrap(n); trap {
		d.notText(x, "the number "+short(n.Value)+" to YAML readers, which take it for "+number(f), n.Value)
	}
}

// notText tells of a text that YAML reads as something else.
func (d *decoder) notText(x value, is, text string) {
	fix := fmt.Sprintf("write it in quotes: %q", short(text))
	if secretKey(x.key) {
		is, fix = "a number", "write it in quotes"
	}
	d.add(x.at, x.place, fmt.Sprintf("%s is %s, not a text", x.what(), is), fix)
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
