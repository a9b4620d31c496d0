package proxy

import (
	"strings"

	"github.com/homeward/homeward/route"
)

// owned is a copy of fields for whoever keeps them beyond the exchange: those that
// an HTTP/1.1 connection carries are views of its buffer.
func owned(fields []route.Field) []route.Field {
	size := 0
	for _, f := range fields {
		size += len(f.Name) + len(f.Value)
	}
	var b strings.Builder
	b.Grow(size) // from here on b does not move
	own := func(s string) string {
		start := b.Len()
		b.WriteString(s)
		return b.String()[start:]
	}
	kept := make([]route.Field, len(fields))
	for i, f := range fields {
		kept[i] = route.Field{Name: own(f.Name), Value: own(f.Value)}
	}
	return kept
}

// owned is a copy of the request that lives on when its connection does not.
func (in *Inbound) owned() Inbound {
	c := *in
	c.Method, c.Target, c.Origin, c.Host = strings.Clone(in.Method), strings.Clone(in.Target), strings.Clone(in.Origin), strings.Clone(in.Host)
	c.Fields = owned(in.Fields)
	return c
}
