package serve_test

import (
	"bytes"
	"crypto/tls"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/homeward/homeward/internal/serve"
	"github.com/homeward/homeward/internal/testcert"
)

func newPair(t *testing.T, serial int64, life time.Duration) testcert.Pair {
	t.Helper()
	return testcert.New(t, testcert.Options{Names: []string{"edge.test"}, Serial: serial, To: time.Now().Add(life)})
}

// world is a certificate on disk with the log of what follows it.
type world struct {
	t         *testing.T
	cert, key string
	log       bytes.Buffer
	*serve.Certificate
}

func (w *world) write(p testcert.Pair) {
	w.t.Helper()
	for name, content := range map[string][]byte{w.cert: p.Cert, w.key: p.Key} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			w.t.Fatal(err)
		}
	}
}

// serial is the serial number that a handshake gets now.
func (w *world) serial() int64 {
	w.t.Helper()
	got, err := w.GetCertificate(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return got.Leaf.SerialNumber.Int64()
}

func (w *world) logged(text string) int { return strings.Count(w.log.String(), text) }

func open(t *testing.T, every time.Duration, p testcert.Pair) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{t: t, cert: filepath.Join(dir, "tls.crt"), key: filepath.Join(dir, "tls.key")}
	w.write(p)
	c, err := serve.OpenCertificate(w.cert, w.key, every, slog.New(slog.NewTextHandler(&w.log, nil)), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	w.Certificate = c
	return w
}

const year = 365 * 24 * time.Hour

func TestChangedFilesAreTakenOnceDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := open(t, 10*time.Second, newPair(t, 1, year))
		w.write(newPair(t, 2, year))
		time.Sleep(9 * time.Second)
		if got := w.serial(); got != 1 {
			t.Errorf("before the files are due: serial %d, want 1", got)
		}
		time.Sleep(time.Second)
		if got := w.serial(); got != 2 {
			t.Errorf("once the files are due: serial %d, want 2", got)
		}
		if taken, refused := w.Counts(); taken != 1 || refused != 0 {
			t.Errorf("Counts() = %d, %d; want 1, 0", taken, refused)
		}
		time.Sleep(time.Minute)
		if w.serial(); w.logged("certificate reloaded") != 1 {
			t.Errorf("unchanged files were taken again:\n%s", &w.log)
		}
	})
}

func TestBrokenPairKeepsThePreviousOne(t *testing.T) {
	first, second := newPair(t, 1, year), newPair(t, 2, year)
	for name, broken := range map[string]testcert.Pair{
		"mismatched":   {Cert: second.Cert, Key: first.Key},
		"half written": {Cert: second.Cert[:len(second.Cert)/2], Key: second.Key},
		"empty":        {},
	} {
		t.Run(name, func(t *testing.T) {
			w := open(t, 0, first)
			w.write(broken)
			for range 3 {
				if got := w.serial(); got != 1 {
					t.Fatalf("serial %d, want the previous 1", got)
				}
			}
			if n := w.logged("certificate not reloaded"); n != 1 {
				t.Errorf("one change was logged %d times:\n%s", n, &w.log)
			}
			if taken, refused := w.Counts(); taken != 0 || refused != 3 {
				t.Errorf("Counts() = %d, %d; want 0, 3", taken, refused)
			}
			w.write(second)
			if got := w.serial(); got != 2 {
				t.Errorf("after the files were completed: serial %d, want 2", got)
			}
		})
	}
}

func TestMissingFileIsTriedAgain(t *testing.T) {
	w := open(t, 0, newPair(t, 1, year))
	if err := os.Remove(w.key); err != nil {
		t.Fatal(err)
	}
	if got := w.serial(); got != 1 || w.logged("read the certificate's key") != 1 {
		t.Errorf("serial %d, log:\n%s", got, &w.log)
	}
	w.write(newPair(t, 3, year))
	if got := w.serial(); got != 3 {
		t.Errorf("serial %d, want 3", got)
	}
}

func TestTheSameBreakTwiceIsLoggedTwice(t *testing.T) {
	good, other := newPair(t, 1, year), newPair(t, 2, year)
	w := open(t, 0, good)
	for range 2 {
		w.write(testcert.Pair{Cert: other.Cert, Key: good.Key})
		w.serial()
		w.write(good)
		w.serial()
	}
	if n := w.logged("certificate not reloaded"); n != 2 {
		t.Errorf("two changes were logged %d times:\n%s", n, &w.log)
	}
}

func TestOpenRefusesWhatCannotServe(t *testing.T) {
	dir := t.TempDir()
	_, err := serve.OpenCertificate(filepath.Join(dir, "no.crt"), filepath.Join(dir, "no.key"), 0, slog.New(slog.DiscardHandler), time.Now)
	if err == nil || !strings.Contains(err.Error(), "no.crt") {
		t.Errorf("err = %v, want one that names the file", err)
	}
}

func TestNoKeyIsLogged(t *testing.T) {
	good, other := newPair(t, 1, year), newPair(t, 2, year)
	w := open(t, 0, good)
	w.write(testcert.Pair{Cert: other.Cert, Key: good.Key})
	w.serial()
	w.write(testcert.Pair{Cert: other.Cert, Key: other.Key[:60]})
	w.serial()
	if body := string(other.Key[28:60]); strings.Contains(w.log.String(), body) {
		t.Errorf("the log holds a part of a key:\n%s", &w.log)
	}
}

func TestExpiryIsWarnedOfDaily(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := open(t, 0, newPair(t, 1, 90*24*time.Hour))
		time.Sleep(75 * 24 * time.Hour)
		w.serial()
		if n := w.logged("expires soon"); n != 0 {
			t.Fatalf("warned 15 days ahead:\n%s", &w.log)
		}
		for range 4 * 24 {
			time.Sleep(time.Hour)
			w.serial()
		}
		if n := w.logged("expires soon"); n != 4 {
			t.Errorf("warned %d times, want once on each of the days 14, 13, 12 and 11 before the end:\n%s", n, &w.log)
		}
		time.Sleep(20 * 24 * time.Hour)
		if got := w.serial(); got != 1 || w.logged("has expired") != 1 {
			t.Errorf("serial %d, log:\n%s", got, &w.log)
		}
	})
}

func TestHandshakesSeeTheNewCertificate(t *testing.T) {
	w := open(t, 0, newPair(t, 1, year))
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{GetCertificate: w.GetCertificate, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go answerHandshakes(ln)
	for serial := int64(1); serial <= 3; serial++ {
		w.write(newPair(t, serial, year))
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() { dial(t, ln.Addr().String()) })
		}
		all.Wait()
		if got := dial(t, ln.Addr().String()); got != serial {
			t.Errorf("a handshake got serial %d, want %d", got, serial)
		}
	}
}

func answerHandshakes(ln net.Listener) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			_ = conn.(*tls.Conn).Handshake()
		}()
	}
}

// dial makes one handshake and returns the serial number it was shown.
func dial(t *testing.T, addr string) int64 {
	conn, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true}) // the test looks at the serial number itself
	if err != nil {
		t.Error(err)
		return 0
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

func TestExpiriesFollowTheFiles(t *testing.T) {
	w := open(t, 0, newPair(t, 1, year))
	next := newPair(t, 2, -time.Minute)
	w.write(next)
	told := 0
	w.Expiries(func(name string, notAfter time.Time) {
		told++
		if name != "edge.test" || !notAfter.Before(time.Now()) {
			t.Errorf("told of %s until %v", name, notAfter)
		}
	})
	if taken, _ := w.Counts(); told != 1 || taken != 1 || w.logged("has expired") != 1 {
		t.Errorf("told %d times, %d taken, log:\n%s", told, taken, &w.log)
	}
	if got := w.serial(); got != 2 {
		t.Errorf("serial %d: an expired certificate is served all the same", got)
	}
}
