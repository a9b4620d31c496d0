package demo

import (
	"bytes"
	"fmt"
	"net"
)

// show prints the world, the tour, and, last of all, that it serves.
func (w *world) show() error {
	var b bytes.Buffer
	name := facade(w.top)
	plain, secure := reach("http", w.ports.http, name), reach("https", w.ports.https, name)
	secure.options = append(secure.options, "--cacert", w.caFile)
	if !w.config.Quiet {
		w.places(&b)
		m := &mint{top: w.top}
		w.accounts(&b, m)
		parts := tour(m, plain, secure, dial(w.ports.http, name, ""), dial(w.ports.https, name, w.caFile))
		if m.err != nil {
			return m.err
		}
		for _, p := range parts {
			w.part(&b, p)
		}
		w.more(&b, m, plain)
		if m.err != nil {
			return m.err
		}
	}
	// The one line that scripts wait for. No line before it holds its first word.
	fmt.Fprintf(&b, "ready: send requests to %s (Ctrl-C ends the demo)\n\n", plain.url)
	if _, err := w.config.Out.Write(b.Bytes()); err != nil {
		return fmt.Errorf("show the demo: %w", err)
	}
	return nil
}

// heading is a line of its own in bold.
func (w *world) heading(b *bytes.Buffer, text string) {
	const bold = 1
	fmt.Fprintf(b, "\n%s\n", paint(w.config.Colored, bold, text))
}

// places shows where everything listens.
func (w *world) places(b *bytes.Buffer) {
	b.WriteString("Homeward demo: a platform of three cells behind one API domain, on this machine.\n")
	w.heading(b, "Edge")
	row := func(name string, l net.Listener, what string) {
		fmt.Fprintf(b, "  %-6s %-21s  %s\n", name, l.Addr(), what)
	}
	row("http", w.ports.http, "HTTP/1.1 and HTTP/2 with prior knowledge")
	row("https", w.ports.https, "HTTP/1.1 and HTTP/2; development CA: "+w.caFile)
	row("admin", w.ports.admin, "/metrics /decisions /healthz /debug/pprof/")
	fmt.Fprintf(b, "  facade hosts: %s\n", quote(w.top.Facade.Hosts...))
	fmt.Fprintf(b, "  topology:     %s\n", w.topology)
	w.heading(b, "Cells")
	for i := range w.top.Cells {
		c := &w.top.Cells[i]
		legacy := ""
		if c.Name == w.top.Facade.LegacyCell {
			legacy = ", the legacy cell"
		}
		fmt.Fprintf(b, "  %-6s %-21s  %s, jurisdiction %s, host %s%s\n", c.Name, w.ports.cells[i].Addr(), c.Region, c.Jurisdiction, c.Hosts[0], legacy)
	}
}

// accounts shows the sample accounts, each with a credential of its own.
func (w *world) accounts(b *bytes.Buffer, m *mint) {
	w.heading(b, "Sample accounts, each with a credential made just now")
	for _, a := range accounts() {
		fmt.Fprintf(b, "  %v  %-13s lives in %s  %s\n", a.id, a.name, a.home, m.of("homeward", a.home.String()))
	}
}

func (w *world) part(b *bytes.Buffer, p part) {
	w.heading(b, p.title)
	for _, s := range p.stops {
		fmt.Fprintf(b, "  # %-52s %s\n  %s %s\n", s.title, s.expect, p.tool, quote(s.args...))
	}
}

// more tells why a request would go where it goes, and what else cells answer.
func (w *world) more(b *bytes.Buffer, m *mint, plain base) {
	w.heading(b, "Why? The same code explains it, and nothing is sent")
	why := quote(plain.get(things, bearer(m.of("homeward", "eu1")))...)
	fmt.Fprintf(b, "  %s explain -t %s -- curl %s\n", w.config.Command, quote(w.topology), why)
	fmt.Fprintf(b, "  curl -s http://%s/decisions\n", w.ports.admin.Addr())
	w.heading(b, "Cells answer every path with what they received. Besides:")
	b.WriteString("  /sse?n=5&ms=500   server-sent events      /slow?ms=2000   an answer that takes its time\n" +
		"  /duplex           echoes the body         /status/{code}  any status      /bytes/{n}  n bytes\n" +
		"  /ws               echoes WebSocket messages, over HTTP/1.1 and HTTP/2      /early-hints  /trailers\n\n")
}
