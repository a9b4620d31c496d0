package http2client

import (
	"fmt"
	"strings"

	"golang.org/x/net/http/httpguts"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/homeward/homeward/route"
)

// sendable refuses fields that would be malformed in HTTP/2.
func sendable(fields []route.Field) error {
	for i := range fields {
		if f := &fields[i]; !httpguts.ValidHeaderFieldName(f.Name) {
			return fmt.Errorf("the name of field %d cannot be sent in HTTP/2", i+1)
		} else if !httpguts.ValidHeaderFieldValue(f.Value) {
			return fmt.Errorf("the value of field %s cannot be sent in HTTP/2", f.Name)
		}
	}
	return nil
}

// encodeHead makes the block of a request. writing is held.
func (c *Conn) encodeHead(h *Head) {
	c.startBlock()
	c.encode(":method", h.Method, false)
	if h.Scheme != "" {
		c.encode(":scheme", h.Scheme, false)
	}
	if h.Authority != "" {
		c.encode(":authority", h.Authority, false)
	}
	if h.Path != "" {
		c.encode(":path", h.Path, strings.Contains(h.Path, "?")) // a query may hold a credential
	}
	if h.Protocol != "" {
		c.encode(":protocol", h.Protocol, false)
	}
	c.encodeFields(h.Fields)
}

// startBlock empties the block and takes over the size of the compression
// table that the gateway last set.
func (c *Conn) startBlock() {
	c.block.Reset()
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := &c.peer; p.resized {
		p.resized = false
		c.encoder.SetMaxDynamicTableSize(p.smallest)
		c.encoder.SetMaxDynamicTableSize(p.table)
	}
}

func (c *Conn) encodeFields(fields []route.Field) {
	for i := range fields {
		name := c.lower.of(fields[i].Name, strings.ToLower)
		sensitive := false
		switch name {
		case "authorization", "proxy-authorization", "cookie", "set-cookie":
			sensitive = true
		default:
			sensitive = c.o.Sensitive(name)
		}
		c.encode(name, fields[i].Value, sensitive)
	}
}

func (c *Conn) encode(name, value string, sensitive bool) {
	_ = c.encoder.WriteField(hpack.HeaderField{Name: name, Value: value, Sensitive: sensitive}) // to memory: never fails
}

// writeBlock writes the block in frames that the gateway takes.
func (c *Conn) writeBlock(id uint32, end bool) {
	c.mu.Lock()
	size := min(c.peer.frame, maxWrite)
	c.mu.Unlock()
	part := c.block.Next(size)
	_ = c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: part, EndStream: end, EndHeaders: c.block.Len() == 0})
	for c.block.Len() > 0 {
		part = c.block.Next(size)
		_ = c.framer.WriteContinuation(id, c.block.Len() == 0, part)
	}
}
