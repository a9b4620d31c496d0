package telemetry_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"github.com/homeward/homeward/internal/proxy"
	"github.com/homeward/homeward/internal/telemetry"
)

// The strings of a record belong to a buffer that the next request is read into.
func TestRecentLetsGoOfTheHead(t *testing.T) {
	recent, r := telemetry.NewRecent(3), record(t)
	buffer := []byte("PATCH|api.test|/contacts|HTTP/1.1|id-7")
	head := strings.Split(unsafe.String(&buffer[0], len(buffer)), "|")
	r.Method, r.Host, r.Path, r.Proto, r.RequestID = head[0], head[1], head[2], head[3], head[4]
	recent.Done(r)
	got := recent.Last(1)
	clear(buffer)
	for _, rec := range append(got, recent.Last(1)...) {
		if s := strings.Join([]string{rec.Method, rec.Host, rec.Path, rec.Proto, rec.RequestID}, "|"); s != "PATCH|api.test|/contacts|HTTP/1.1|id-7" {
			t.Errorf("it keeps %q", s)
		}
	}
	long := strings.Repeat("x", 1<<17)
	r.Method, r.Host, r.Path, r.Proto, r.RequestID = long, long, long, long, long
	recent.Done(r)
	if rec := recent.Last(1)[0]; len(rec.Method) > 255 || len(rec.Host) > 255 || len(rec.RequestID) > 255 || len(rec.Path) > 1024 || rec.Path == "" {
		t.Errorf("it keeps %d bytes of the path", len(rec.Path))
	}
	if first := got[0]; first.Method != "PATCH" {
		t.Errorf("a record that was handed out became %q", first.Method)
	}
}

// Whatever many at once are told of: those that are kept are whole, and the last.
func TestRecentOfManyAtOnce(t *testing.T) {
	recent := telemetry.NewRecent(16)
	var wg sync.WaitGroup
	for g := range 4 {
		r := record(t)
		wg.Go(func() {
			for i := range 500 {
				r.RequestID = fmt.Sprintf("%d-%d", g, i)
				r.Method = "M" + r.RequestID
				recent.Done(r)
				if i%50 == 0 {
					whole(t, recent.Last(16))
				}
			}
		})
	}
	wg.Wait()
	last := record(t)
	last.RequestID, last.Method = "last", "Mlast"
	recent.Done(last)
	got := recent.Last(100)
	whole(t, got)
	if len(got) != 16 || got[0].RequestID != "last" {
		t.Errorf("%d records, the latest %s", len(got), got[0].RequestID)
	}
}

func whole(t *testing.T, records []proxy.Record) {
	t.Helper()
	for _, r := range records {
		if r.Method != "M"+r.RequestID || r.Host != "api.test" {
			t.Errorf("a record of %q and %q", r.RequestID, r.Method)
		}
	}
}
