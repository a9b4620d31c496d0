package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// parse reads the one document of the source; nil for an empty one. Repeated
// keys are let through: the decoder tells of them, with all other errors.
func (s *source) parse() (root ast.Node, err error) {
	defer func() {
		// The parser is known to panic on some broken inputs, and a running edge
		// reads its topology again.
		if r := recover(); r != nil {
			root, err = nil, fileError(s.name, "the YAML cannot be read", "check it for brackets, quotes and indentation")
		}
	}()
	file, err := parser.ParseBytes(s.text, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, s.syntaxError(err)
	}
	for _, doc := range file.Docs {
		switch doc.Body.(type) {
		case nil:
			continue
		case *ast.DirectiveNode:
			return nil, s.errorAt(start(doc.Body), "directives are not used here", "remove the line that starts with %")
		}
		if root != nil {
			return nil, s.errorAt(start(doc.Body), "a second document begins here", "keep one topology in a file, without --- inside")
		}
		root = doc.Body
	}
	return root, nil
}

func (s *source) syntaxError(err error) error {
	var syntax yaml.Error
	if !errors.As(err, &syntax) || syntax.GetToken() == nil {
		return fileError(s.name, "the YAML cannot be read: "+firstLine(err.Error()), "check it for brackets, quotes and indentation")
	}
	at := place{syntax.GetToken().Position.Line, syntax.GetToken().Position.Column}
	at.line = min(max(at.line, 1), len(s.lines))
	at.column = max(at.column, 1)
	message, fix := syntax.GetMessage(), "check the brackets, quotes and indentation here and on the line before"
	switch {
	case strings.Contains(message, "character '\t'"):
		message, fix = "a tab stands where YAML wants spaces", "indent with spaces"
	case strings.Contains(message, "mapping value is not allowed"):
		fix = "put a text that has a colon and a space in quotes, or indent the line as a key"
	case strings.Contains(message, "end token"), strings.Contains(message, "end character"):
		fix = "close what begins here"
	case strings.Contains(message, "escape character"):
		fix = `use single quotes, or write \\ for a backslash`
	}
	return s.errorAt(at, "not YAML: "+message, fix)
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// start is where a node begins: a mapping at its first key.
func start(n ast.Node) place {
	switch n := n.(type) {
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return start(n.Values[0].Key)
		}
	case *ast.MappingValueNode:
		return start(n.Key)
	}
	tok := n.GetToken()
	if tok == nil || tok.Position == nil {
		return place{1, 1}
	}
	return place{max(tok.Position.Line, 1), max(tok.Position.Column, 1)}
}

// anchors finds what each alias stands for. An alias is known only behind the
// whole of its anchor, so that none can lead into itself.
type anchors struct {
	named   map[string]ast.Node
	targets map[*ast.AliasNode]ast.Node
}

func findAnchors(root ast.Node) anchors {
	a := anchors{map[string]ast.Node{}, map[*ast.AliasNode]ast.Node{}}
	if root != nil {
		a.walk(root)
	}
	return a
}

func (a *anchors) walk(n ast.Node) {
	switch n := n.(type) {
	case *ast.AnchorNode:
		if n.Value != nil {
			a.walk(n.Value)
			a.named[nameOf(n.Name)] = n.Value
		}
	case *ast.AliasNode:
		if target, ok := a.named[nameOf(n.Value)]; ok {
			a.targets[n] = target
		}
	case ast.MapNode:
		for it := n.MapRange(); it.Next(); {
			a.walk(it.Key())
			a.walk(it.Value())
		}
	case *ast.SequenceNode:
		for _, v := range n.Values {
			a.walk(v)
		}
	case *ast.TagNode:
		if n.Value != nil {
			a.walk(n.Value)
		}
	}
}

func nameOf(n ast.Node) string {
	if n == nil || n.GetToken() == nil {
		return ""
	}
	return n.GetToken().Value
}

// describe is what people call the value of a node.
func describe(n ast.Node) string {
	switch n := n.(type) {
	case ast.MapNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "the number " + short(n.GetToken().Value)
	case *ast.BoolNode:
		return "the truth value " + n.GetToken().Value
	case *ast.NullNode:
		return "blank"
	case *ast.StringNode, *ast.LiteralNode:
		return fmt.Sprintf("the text %q", longHex().ReplaceAllStringFunc(short(textOf(n)), stars))
	}
	return "something else"
}

// textOf is the text of a scalar: as written for numbers and the like.
func textOf(n ast.Node) string {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value
	case *ast.LiteralNode:
		return n.Value.Value
	}
	return n.GetToken().Value
}

func short(s string) string {
	const most = 64
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "..."
	}
	return s
}
