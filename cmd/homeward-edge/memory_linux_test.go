package main

import (
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/homeward/homeward/internal/testcell"
)

// memorySize is how much flows each way in each scenario.
var memorySize = flag.Int64("memory.size", 128<<20, "bytes that flow each way while memory is measured")

// memoryLimit is what the process may take at its peak, all told.
const memoryLimit = raceFactor * 64 << 20

const streams = 50

// Bodies on fifty streams at once, both ways and half of them read slowly, pass in
// memory that depends on their number and not on their size.
func TestMemoryOfManyStreams(t *testing.T) {
	http1, http2 := cell(t, "na1", testcell.Options{}), cell(t, "eu1", testcell.Options{})
	for _, gateway := range []string{"http://" + http1, "h2c://" + http2} {
		for _, protocol := range []string{"HTTP/1.1", "HTTP/2.0"} {
			t.Run(protocol+" to "+strings.Split(gateway, ":")[0], func(t *testing.T) {
				e := startEdge(t, gateway)
				flow(t, "http://"+e.plain, protocol)
				peak := e.resident(t, "status", "VmHWM:")
				t.Logf("%d MiB at the peak", peak>>20)
				if peak > memoryLimit {
					t.Errorf("the edge took %d MiB, more than %d", peak>>20, int64(memoryLimit)>>20)
				}
			})
		}
	}
}

// flow runs the streams: half of them upload, half download; of those every other
// one stops reading until the rest are done.
func flow(t *testing.T, base, protocol string) {
	p := new(http.Protocols)
	p.SetHTTP1(protocol == "HTTP/1.1")
	p.SetUnencryptedHTTP2(protocol == "HTTP/2.0")
	client := &http.Client{Transport: &http.Transport{Protocols: p, DisableCompression: true}}
	defer client.CloseIdleConnections()
	each := *memorySize / (streams / 2)
	var quick, slow sync.WaitGroup
	resume := make(chan struct{})
	for i := range streams {
		switch i % 4 {
		case 0, 1:
			quick.Go(func() { upload(t, client, base, each) })
		case 2:
			quick.Go(func() { download(t, client, base, each, nil) })
		case 3:
			slow.Go(func() { download(t, client, base, each, resume) })
		}
	}
	quick.Wait()
	close(resume)
	slow.Wait()
}

func upload(t *testing.T, client *http.Client, base string, size int64) {
	resp, err := client.Post(base+"/x", "application/octet-stream", io.LimitReader(zeros{}, size))
	if err != nil {
		t.Error(err)
		return
	}
	defer resp.Body.Close()
	if report, err := io.ReadAll(resp.Body); err != nil || !strings.Contains(string(report), fmt.Sprintf("%d", size)) {
		t.Errorf("upload of %d bytes: %s, %v", size, report, err)
	}
}

func download(t *testing.T, client *http.Client, base string, size int64, resume <-chan struct{}) {
	resp, err := client.Get(fmt.Sprintf("%s/bytes/%d", base, size))
	if err != nil {
		t.Error(err)
		return
	}
	defer resp.Body.Close()
	first, err := io.CopyN(io.Discard, resp.Body, 1)
	if resume != nil {
		<-resume
	}
	if rest, restErr := io.Copy(io.Discard, resp.Body); err != nil || restErr != nil || first+rest != size {
		t.Errorf("download of %d bytes: %d, %v, %v", size, first+rest, err, restErr)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func cell(t *testing.T, name string, options testcell.Options) string {
	t.Helper()
	c := testcell.New(name, options)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = c.Serve(l) }()
	t.Cleanup(c.Close)
	return l.Addr().String()
}
