package config

import (
	"encoding"
	"fmt"
	"reflect"

	"github.com/goccy/go-yaml/ast"

	"github.com/homeward/homeward/topology"
)

const (
	// maxDepth is far above the depth of a topology, which is 6.
	maxDepth = 20
	// maxValues bounds what aliases may unfold to.
	maxValues = 1_000_000
	// maxDiagnostics bounds the work on a file that is wrong all over.
	maxDiagnostics = 1000
)

// decoder turns one document into a topology. It goes on after each error as
// if the cure had been applied, so that one mistake is told once.
type decoder struct {
	src     *source
	anchors anchors
	places  map[topology.Path]place // of every value that was read
	broken  map[topology.Path]bool  // values that have a diagnostic already
	diags   []Diagnostic
	values  int
}

func newDecoder(src *source) *decoder {
	return &decoder{src: src, places: map[topology.Path]place{}, broken: map[topology.Path]bool{}}
}

// topology decodes the root of the document.
func (d *decoder) topology(root ast.Node) *topology.Topology {
	t := &topology.Topology{}
	d.places[topology.Root] = place{1, 1}
	d.anchors = findAnchors(root)
	switch root := root.(type) {
	case nil:
		d.add(topology.Root, place{1, 1}, "the file is empty", "begin with version: 1, facade: and cells:")
	default:
		d.places[topology.Root] = start(root)
		d.value(value{at: topology.Root, node: root, place: start(root)}, reflect.ValueOf(t).Elem())
	}
	return t
}

// value is one value of the file on its way into a Go value.
type value struct {
	at    topology.Path
	key   string // that it stands under, "" in a list
	node  ast.Node
	place place
	depth int
}

// what is what messages call the value.
func (x value) what() string {
	if x.at == topology.Root {
		return "the file"
	}
	if x.key == "" {
		return "the entry"
	}
	return short(x.key)
}

// add tells of a value that could not be read.
func (d *decoder) add(at topology.Path, p place, message, fix string) {
	d.broken[at] = true
	d.report(at, p, message, fix)
}

// report tells of anything else.
func (d *decoder) report(at topology.Path, p place, message, fix string) {
	if len(d.diags) < maxDiagnostics {
		d.diags = append(d.diags, Diagnostic{File: d.src.name, Line: p.line, Column: p.column, Path: string(at), Message: message, Fix: fix})
	}
}

func (d *decoder) wrong(x value, want, fix string) {
	is := describe(x.node)
	if x.guarded() {
		is = "something else"
		d.hideTexts(x.node)
	}
	d.add(x.at, x.place, fmt.Sprintf("%s is %s, not %s", x.what(), is, want), fix)
}

// value decodes x into v, which is settable.
func (d *decoder) value(x value, v reflect.Value) {
	if d.values++; d.values > maxValues || x.depth > maxDepth {
		if !d.broken[topology.Root] {
			d.add(topology.Root, x.place, "the file unfolds to too much", "use fewer aliases and less nesting")
		}
		return
	}
	if x.node = d.follow(x); x.node == nil {
		return
	}
	d.places[x.at] = x.place
	if text, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		d.unmarshalText(x, text)
		return
	}
	if k := v.Kind(); x.node.Type() == ast.NullType && (k == reflect.Pointer || k == reflect.Struct || k == reflect.Map || k == reflect.Slice) {
		if x.at != topology.Root { // an empty file lacks all that it must have
			d.blank(x)
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.value(x, v.Elem())
	case reflect.Struct:
		d.structure(x, v)
	case reflect.Map:
		d.mapping(x, v)
	case reflect.Slice:
		d.list(x, v)
	default:
		d.scalar(x, v)
	}
}

// follow leads through anchors and aliases to a value, nil if there is none.
func (d *decoder) follow(x value) ast.Node {
	switch n := x.node.(type) {
	case *ast.AnchorNode:
		x.node = n.Value
		return d.follow(x)
	case *ast.AliasNode:
		target, ok := d.anchors.targets[n]
		if !ok {
			d.add(x.at, x.place, fmt.Sprintf("the alias *%s has no anchor before it", short(nameOf(n.Value))), "write the anchor &"+short(nameOf(n.Value))+" at a value above, or write the value out")
			return nil
		}
		x.node = target
		return d.follow(x)
	case *ast.TagNode:
		d.add(x.at, x.place, "the tag "+short(n.GetToken().Value)+" is not used here", "remove it; put a text in quotes")
		return nil
	}
	return x.node
}

func (d *decoder) list(x value, v reflect.Value) {
	seq, ok := x.node.(*ast.SequenceNode)
	if !ok {
		fix := "write each entry on a line that starts with -"
		if s, scalar := x.node.(ast.ScalarNode); scalar {
			fix = fmt.Sprintf("write [%s]", short(s.GetToken().Value))
		}
		d.wrong(x, "a list", fix)
		return
	}
	if len(seq.Values) == 0 {
		return // as if it were left out
	}
	v.Set(reflect.MakeSlice(v.Type(), len(seq.Values), len(seq.Values)))
	for i, n := range seq.Values {
		d.value(value{at: x.at.Index(i), node: n, place: d.begin(n), depth: x.depth + 1}, v.Index(i))
	}
}

// begin is where the content of a node starts: errors behind an alias are told
// at its anchor, where they are mended.
func (d *decoder) begin(n ast.Node) place {
	switch n := n.(type) {
	case *ast.AnchorNode:
		if n.Value != nil {
			return d.begin(n.Value)
		}
	case *ast.AliasNode:
		if target, ok := d.anchors.targets[n]; ok {
			return d.begin(target)
		}
	}
	return start(n)
}
