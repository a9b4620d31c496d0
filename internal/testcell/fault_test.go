package testcell_test

import (
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"

	"github.com/homeward/homeward/internal/testcell"
)

func TestFaults(t *testing.T) {
	const whole, head = `"target":"/"`, "Content-Length: 1048576\r\n\r\n" + testcell.Alphabet
	for name, tc := range map[string]struct {
		fault testcell.Fault
		want  string // in what comes before the end; "" for nothing at all
		reset bool
	}{
		"reset":              {testcell.Reset, "", true},
		"hang up":            {testcell.HangUp, "", false},
		"reset after head":   {testcell.ResetAfterHead, head, true},
		"hang up after head": {testcell.HangUpAfterHead, head, false},
		"garbage":            {testcell.Garbage, "220 this", false},
		"close announced":    {testcell.CloseAnnounced, "Connection: close", false},
		"close after":        {testcell.CloseAfter, whole, false},
	} {
		t.Run(name, func(t *testing.T) {
			_, addr := start(t, testcell.Options{Fault: func(*testcell.Request) testcell.Fault { return tc.fault }})
			c := dial(t, addr)
			c.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
			got, err := io.ReadAll(c.in)
			if errors.Is(err, syscall.ECONNRESET) != tc.reset || (err != nil && !tc.reset) {
				t.Errorf("the connection ended with %v", err)
			}
			if !strings.Contains(string(got), tc.want) || (tc.want == "" && len(got) > 0) {
				t.Errorf("got %q", got)
			}
			if tc.fault == testcell.CloseAfter && strings.Contains(string(got), "close") {
				t.Error("the close is announced")
			}
		})
	}
}

func TestFaultsSeeTheConnection(t *testing.T) {
	// Stale: the second request on a connection finds it closed.
	cell, addr := start(t, testcell.Options{Fault: func(r *testcell.Request) testcell.Fault {
		if r.Conn == 1 && r.Number == 2 {
			return testcell.HangUp
		}
		return testcell.NoFault
	}})
	for conn := range 2 {
		c := dial(t, addr)
		c.send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\n")
		c.report()
		c.send("GET /2 HTTP/1.1\r\nHost: h\r\n\r\n")
		if conn == 0 {
			if !c.ended() {
				t.Error("the stale connection answers")
			}
			continue
		}
		c.report()
	}
	if cell.Connections() != 2 || cell.Requests() != 4 {
		t.Errorf("counted %d requests on %d connections", cell.Requests(), cell.Connections())
	}
}

func TestDropGoesOnAccepting(t *testing.T) {
	cell, addr := start(t, testcell.Options{})
	for range 2 {
		c := dial(t, addr)
		c.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		c.report()
		cell.Drop()
		if !c.ended() {
			t.Error("a dropped connection goes on")
		}
	}
}
