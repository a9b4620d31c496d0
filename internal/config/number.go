package config

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// floatTrap reports whether a text without quotes is a number to YAML 1.2, such
// as 2e3, although this parser reads it as a text: other readers of the file
// would see another value.
func floatTrap(n *ast.StringNode) (float64, bool) {
	if n.Token.Type != token.StringType || strings.Trim(n.Value, "+-.0123456789eE") != "" || !strings.ContainsAny(n.Value, "0123456789") {
		return 0, false
	}
	f, err := strconv.ParseFloat(n.Value, 64)
	return f, err == nil
}

// plainNumber reports whether s is a decimal number without sign, leading zero
// and underscore.
func plainNumber(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == "" && (len(s) == 1 || s[0] != '0')
}

// number writes a number as people do: 2000, not 2e+03.
func number(f float64) string {
	if f == math.Trunc(f) && math.Abs(f) < 1e15 {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
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

// notWhole tells of a value that is no whole number, or one out of range.
func (d *decoder) notWhole(x value, inRange string) {
	fix := "write a whole number in plain digits, such as 10"
	switch n := x.node.(type) {
	case *ast.StringNode:
		f, trap := floatTrap(n)
		switch {
		case trap && plainNumber(n.Value): // more digits than the parser takes for a number
			d.outOfRange(x, inRange)
			return
		case trap && f == math.Trunc(f):
			fix = "write " + number(f)
		case plainNumber(n.Value):
			fix = "write it without quotes: " + short(n.Value)
		}
	case *ast.FloatNode:
		if n.Value == math.Trunc(n.Value) {
			fix = "write " + number(n.Value)
		}
	case *ast.IntegerNode:
		if plainNumber(strings.TrimPrefix(n.GetToken().Value, "-")) {
			d.outOfRange(x, inRange)
			return
		}
		fix = fmt.Sprintf("write it in plain digits: %v", n.Value)
	}
	d.wrong(x, "a whole number", fix)
}

func (d *decoder) outOfRange(x value, fix string) {
	d.add(x.at, x.place, fmt.Sprintf("%s is %s, which is out of range", x.what(), short(textOf(x.node))), fix)
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
