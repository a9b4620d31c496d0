package upstream_test

import (
	"bytes"
	"crypto/tls"
	"encoding/pem"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/homeward/homeward/topology"
)

// held collects writes to leave in one, once it is told to hold.
type held struct {
	net.Conn
	hold  bool
	bytes bytes.Buffer
}

func (h *held) Write(p []byte) (int, error) {
	if h.hold {
		return h.bytes.Write(p)
	}
	return h.Conn.Write(p)
}

// A second TLS record that comes together with the one that ends an answer is
// read off the socket with it, and yet must not answer the next request.
func TestQuietTLSConnectionsOnly(t *testing.T) {
	server := httptest.NewTLSServer(nil)
	server.Close() // its certificate is all that is needed
	ca := filepath.Join(t.TempDir(), "ca.pem")
	block := &pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}
	if err := os.WriteFile(ca, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	g := newGateway(t)
	top := declared("https://" + g.Addr().String())
	top.Cells[0].TLS = &topology.TLS{CA: ca}
	_, pool := open(t, new(clock), top)

	for _, records := range [][]string{{"answer"}, {"answer", "another"}} {
		sent := make(chan *held)
		go func() {
			h := &held{Conn: <-g.conns}
			c := tls.Server(h, &tls.Config{Certificates: server.TLS.Certificates})
			if err := c.Handshake(); err != nil {
				t.Error(err)
			}
			h.hold = true
			for _, r := range records {
				_, _ = io.WriteString(c, r)
			}
			_, _ = h.Conn.Write(h.bytes.Bytes())
			sent <- h
		}()
		c := get(t, pool)
		h := <-sent
		defer h.Close()
		if _, err := io.ReadFull(c.Conn, make([]byte, len("answer"))); err != nil {
			t.Fatal(err)
		}
		c.Conn.Release(true)
		if len(records) > 1 {
			go func() { _ = tls.Server(<-g.conns, &tls.Config{Certificates: server.TLS.Certificates}).Handshake() }()
		}
		c = get(t, pool)
		if c.Reused != (len(records) == 1) {
			t.Errorf("%d records: reused %v", len(records), c.Reused)
		}
		c.Conn.Release(false)
	}
}
