package edge

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/homeward/homeward/internal/proxy"
)

// recentShadows is how many copies that were answered otherwise the admin port
// can tell of.
const recentShadows = 256

// shadows tells of the last copies that were answered otherwise than their
// requests, the latest first: text for people, or JSON when format=json asks for
// it.
func (e *Edge) shadows(w http.ResponseWriter, r *http.Request) {
	n, ok := howMany(w, r, "copies", recentShadows)
	if !ok {
		return
	}
	differing := e.copies.Differing(n)
	if r.URL.Query().Get("format") == "json" {
		w.Header().Set("Content-Type", "application/json")
		_ = writeShadowsJSON(w, differing)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	writeShadows(w, differing)
}

// writeShadows writes what a person reads: both answers, one below the other.
func writeShadows(w io.Writer, list []proxy.Comparison) {
	if len(list) == 0 {
		_, _ = fmt.Fprintln(w, "No copy was answered otherwise.")
	}
	for i := range list {
		c := &list[i]
		_, _ = fmt.Fprintf(w, "%s  %s: %s\n  %s %s  request %s\n  %-9s %s\n  %-9s %s\n\n",
			c.Time.UTC().Format(time.RFC3339), c.Shadow, saidOf(c), c.Method, c.Path, c.RequestID,
			"cell "+c.Of, saidBy(&c.Cell), "copy", saidBy(&c.Copy))
	}
}

func saidOf(c *proxy.Comparison) string {
	switch c.Result {
	case proxy.OtherStatus:
		return "another status"
	case proxy.OtherBody:
		return "another body"
	}
	return "no answer, " + c.Kind.String()
}

func saidBy(s *proxy.Side) string {
	switch {
	case s.Gateway == "":
		return "no gateway took a connection"
	case s.Status == 0:
		return s.Gateway + " gave no answer"
	}
	return fmt.Sprintf("%s answered %d, %d bytes, after %s", s.Gateway, s.Status, s.Bytes, s.Wait.Round(time.Microsecond))
}

// shadowJSON is a copy as programs read it.
type shadowJSON struct {
	Time      time.Time `json:"time"`
	Shadow    string    `json:"shadow"`
	Of        string    `json:"of"`
	Result    string    `json:"result"`
	Why       string    `json:"why,omitempty"`
	RequestID string    `json:"request_id"`
	Method    string    `json:"method"`
	Path      string    `json:"path"`
	Cell      sideJSON  `json:"cell"`
	Copy      sideJSON  `json:"copy"`
}

type sideJSON struct {
	Gateway string  `json:"gateway,omitempty"`
	Status  int     `json:"status,omitempty"`
	Bytes   int64   `json:"bytes"`
	Millis  float64 `json:"upstream_ms"`
}

func writeShadowsJSON(w io.Writer, list []proxy.Comparison) error {
	side := func(s *proxy.Side) sideJSON {
		return sideJSON{s.Gateway, s.Status, s.Bytes, float64(s.Wait.Microseconds()) / 1000}
	}
	out := make([]shadowJSON, len(list))
	for i := range list {
		c := &list[i]
		out[i] = shadowJSON{
			Time: c.Time.UTC(), Shadow: c.Shadow, Of: c.Of, Result: c.Result.String(), Why: c.Kind.String(),
			RequestID: c.RequestID, Method: c.Method, Path: c.Path, Cell: side(&c.Cell), Copy: side(&c.Copy),
		}
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(map[string]any{"shadows": out})
}
