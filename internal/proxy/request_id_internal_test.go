package proxy

import (
	"encoding/binary"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/homeward/homeward/route"
)

// A client's id is kept if it can stand anywhere; else there is a new one.
func TestRequestID(t *testing.T) {
	made := regexp.MustCompile(`^[0-9a-f]{32}$`)
	for sent, kept := range map[string]bool{
		"a": true, "A-z_0.9:": true, strings.Repeat("x", maxID): true,
		"": false, "a b": false, "a\"": false, "é": false, strings.Repeat("x", maxID+1): false,
	} {
		var space idSpace
		id, given := requestID([]route.Field{{Name: "Accept", Value: "*/*"}, {Name: "x-request-id", Value: sent}}, &space)
		if given != kept || kept && id != sent || !kept && !made.MatchString(id) {
			t.Errorf("of %q became %q, given: %v", sent, id, given)
		}
	}
	seen := map[string]bool{}
	for range 1000 {
		var space idSpace
		id, _ := requestID(nil, &space)
		if seen[id] {
			t.Fatalf("%s was made twice", id)
		}
		seen[id] = true
	}
}

func TestHexadecimal(t *testing.T) {
	for _, v := range []uint32{0, 0x9ABCDEF0, 0x12345678, 0x0A0B0C0D, 0xFFFFFFFF} {
		got := binary.BigEndian.AppendUint64(nil, hexadecimal(v))
		if want := fmt.Sprintf("%08x", v); string(got) != want {
			t.Errorf("%q, want %s", got, want)
		}
	}
}

func TestTraceparent(t *testing.T) {
	form := regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-00$`)
	a, b := newTraceparent(), newTraceparent()
	if !form.MatchString(a) || !form.MatchString(b) || a == b {
		t.Errorf("traces are %s and %s", a, b)
	}
}

// What every request is asked before it is decided on costs no memory.
func TestBeforeTheDecisionNothingIsAllocated(t *testing.T) {
	var space idSpace
	head, trace := plainHead(), make([]byte, 0, 64)
	calls := 0
	if n := testing.AllocsPerRun(100, func() {
		if id, _ := requestID(head, &space); id == "" {
			t.Error("no id")
		}
		if isGRPC(head) || answerType(head) != Short {
			calls++
		}
		trace = appendTraceparent(trace[:0])
	}); n != 0 || calls != 0 {
		t.Errorf("%v allocations, %d calls", n, calls)
	}
}

func BenchmarkBeforeTheDecision(b *testing.B) {
	var space idSpace
	head, trace := plainHead(), make([]byte, 0, 64)
	b.Run("request id", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			requestID(head, &space)
		}
	})
	b.Run("traceparent", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			trace = appendTraceparent(trace[:0])
		}
	})
	b.Run("gRPC", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			isGRPC(head)
		}
	})
}

// plainHead is a head as a common client sends it.
func plainHead() []route.Field {
	return []route.Field{
		{Name: "Host", Value: "api.test"}, {Name: "User-Agent", Value: "python-requests/2.32.3"}, {Name: "Accept-Encoding", Value: "gzip, deflate"},
		{Name: "Content-Type", Value: "Application/JSON; charset=utf-8"}, {Name: "Accept", Value: "*/*"}, {Name: "Authorization", Value: "Bearer x"},
	}
}
