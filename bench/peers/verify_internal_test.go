package peers

import (
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// fake is a proxy that does what it must, but for one thing.
type fake struct {
	s     *Setup
	wrong string
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n, _ := io.Copy(io.Discard, r.Body)
	name := f.s.CellNames[0]
	if strings.HasSuffix(r.Header.Get("Authorization"), f.s.Tokens[1]) != (f.wrong == "cell") {
		name = f.s.CellNames[1]
	}
	w.Header().Set("X-Cell", name)
	size := SmallSize
	if r.URL.Path == LargePath && f.wrong != "length" {
		size = LargeSize
	}
	if f.wrong == "status" && n > 0 {
		w.WriteHeader(http.StatusBadGateway)
	}
	_, _ = w.Write(make([]byte, size))
}

func TestVerify(t *testing.T) {
	for wrong, said := range map[string]string{
		"":        "",
		"cell":    "answered by cell",
		"length":  "1024 bytes instead of 65536",
		"status":  "status 502 instead of 200",
		"version": "over TLS 1.2",
		"http2":   "no application protocol",
	} {
		t.Run(wrong, func(t *testing.T) {
			s := setup(t)
			handler := &fake{s, wrong}
			plain := httptest.NewServer(handler)
			defer plain.Close()
			secure := httptest.NewUnstartedServer(handler)
			secure.EnableHTTP2 = wrong != "http2"
			if wrong == "version" {
				secure.TLS = &tls.Config{MaxVersion: tls.VersionTLS12}
			}
			secure.Config.ErrorLog = log.New(t.Output(), "", 0)
			secure.StartTLS()
			defer secure.Close()
			err := s.Verify(t.Context(), &Proxy{Name: "fake", Plain: plain.Listener.Addr().String(), TLS: secure.Listener.Addr().String()})
			switch {
			case said == "" && err != nil:
				t.Error(err)
			case said != "" && (err == nil || !strings.Contains(err.Error(), said)):
				t.Errorf("got %v, want %q in it", err, said)
			case err != nil && (strings.Contains(err.Error(), s.Tokens[0]) || strings.Contains(err.Error(), s.Tokens[1])):
				t.Error("the error tells a token")
			}
		})
	}
}

func TestReachable(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	address := server.Listener.Addr().String()
	if err := reachable([]string{address}); err != nil {
		t.Error(err)
	}
	server.Close()
	if err := reachable([]string{address}); err == nil {
		t.Error("nobody listens any more")
	}
}
