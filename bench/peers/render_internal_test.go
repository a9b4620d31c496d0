package peers

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/homeward/homeward/credential"
	"github.com/homeward/homeward/internal/config"
	"github.com/homeward/homeward/route"
)

func setup(t *testing.T) *Setup {
	t.Helper()
	s, err := NewSetup(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestConfigurations renders each and looks for what makes the work the same.
func TestConfigurations(t *testing.T) {
	always := map[string][]string{
		Nginx:   {"listen 127.0.0.1:81 backlog", "listen 127.0.0.1:82 ssl http2", "worker_processes 1;", "keepalive 256;", "X-Request-Id", "X-Forwarded-Host"},
		HAProxy: {"bind 127.0.0.1:81", "bind 127.0.0.1:82 ssl", "nbthread 1", "http-reuse always", "X-Request-Id", "X-Forwarded-Host"},
		Caddy:   {"http://:81 {", "https://:82 {", "keepalive_idle_conns_per_host 256", "X-Request-Id"},
		Ours:    {"mode: route"},
	}
	logs := map[string][2]string{ // what is there without an access log, and with
		Nginx:   {"access_log off;", "access_log /logs/a line"},
		HAProxy: {"mode http", "log stdout format raw"},
		Caddy:   {"admin off", "output file /logs/a"},
	}
	for name, k := range kinds {
		for _, log := range []string{"", "/logs/a"} {
			s := setup(t)
			if err := s.write(k, &Proxy{Name: name, Plain: "127.0.0.1:81", TLS: "127.0.0.1:82", log: log}); err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(filepath.Join(s.Dir, k.file))
			if err != nil {
				t.Fatal(err)
			}
			want := append([]string{s.Cells[0], s.Cells[1]}, always[name]...)
			with := logs[name]
			unwanted := with[1]
			if log != "" {
				want, unwanted = append(want, with[1]), ""
			} else {
				want = append(want, with[0])
			}
			for _, w := range want {
				if !strings.Contains(string(text), w) {
					t.Errorf("%s, access log %q: no %q in\n%s", name, log, w, text)
				}
			}
			if unwanted != "" && strings.Contains(string(text), unwanted) {
				t.Errorf("%s logs without being told to", name)
			}
			if strings.Contains(string(text), "{{") || strings.Contains(string(text), "<no value>") {
				t.Errorf("%s is not filled in:\n%s", name, text)
			}
		}
	}
}

// TestTopology has the edge's own loader take the topology, and the table send
// each token home.
func TestTopology(t *testing.T) {
	s := setup(t)
	if err := s.write(kinds[Ours], &Proxy{Plain: "127.0.0.1:81", TLS: "127.0.0.1:82"}); err != nil {
		t.Fatal(err)
	}
	top, err := config.LoadFile(filepath.Join(s.Dir, "topology.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := route.Compile(top); err != nil {
		t.Fatal(err)
	}
	format, err := credential.NewHomeward("hw")
	if err != nil {
		t.Fatal(err)
	}
	for i, token := range s.Tokens {
		if claim := format.Read(token); claim.Verdict != credential.Home || claim.Cell.String() != s.CellNames[i] {
			t.Errorf("the token of %s is read as %+v", s.CellNames[i], claim)
		}
	}
}

func TestOriginAnswersWithTheSizesThatAreChecked(t *testing.T) {
	s := setup(t)
	file := filepath.Join(s.Dir, "origin.conf")
	if err := render(originConf, file, s); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range []string{"listen " + s.Cells[0], "listen " + s.Cells[1], "X-Cell na1", "X-Cell eu1", s.Body1K, s.File64K} {
		if !strings.Contains(string(text), w) {
			t.Errorf("no %q in\n%s", w, text)
		}
	}
	info, err := os.Stat(s.File64K)
	if err != nil || info.Size() != LargeSize || len(s.Body1K) != SmallSize {
		t.Errorf("answers of %d and %v bytes, %v", len(s.Body1K), info, err)
	}
}

func TestFreeAddressesDiffer(t *testing.T) {
	got, err := freeAddresses(3)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 3 || got[0] == got[1] || got[1] == got[2] || got[0] == got[2] {
		t.Errorf("got %v", got)
	}
}

func TestLogLines(t *testing.T) {
	p := &Proxy{log: filepath.Join(t.TempDir(), "log")}
	if err := os.WriteFile(p.log, []byte("a\nb\nc"), 0o600); err != nil {
		t.Fatal(err)
	}
	if n, err := p.LogLines(); n != 2 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
	if err := p.TrimLog(); err != nil {
		t.Fatal(err)
	}
	if n, err := p.LogLines(); n != 0 || err != nil {
		t.Errorf("after it was emptied: %d, %v", n, err)
	}
}
