package explain

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Bounds of a HAR file.
const (
	MaxHAR        = 64 << 20 // bytes
	MaxHAREntries = 10_000
)

// ParseHAR reads the requests of a HAR 1.2 file, up to MaxHAR bytes and
// MaxHAREntries entries. Entries that never go over HTTP (data:, blob:,
// extensions) are left out. The error is an *InputError, or that of r.
func ParseHAR(r io.Reader) ([]*Input, error) {
	f := &harFile{source: &io.LimitedReader{R: r, N: MaxHAR + 1}}
	buffered := bufio.NewReader(f.source)
	if bom, _ := buffered.Peek(3); string(bom) == "\uFEFF" {
		_, _ = buffered.Discard(3)
	}
	f.dec = json.NewDecoder(buffered)
	if err := f.object("", f.top); err != nil {
		return nil, err
	}
	switch {
	case !f.seen:
		return nil, wrong("log.entries", "it is not there", "save the file as a HAR from the browser's network panel")
	case len(f.inputs) == 0:
		return nil, wrong("log.entries", "no entry is an HTTP request", "record some requests first")
	}
	for _, in := range f.inputs {
		if f.skipped > 0 {
			in.note("%d entries of the file are not HTTP requests and are left out", f.skipped)
		}
		if !f.secrets {
			in.note("no request of the file has Authorization or Cookie: browsers may leave them out unless asked for a HAR with sensitive data")
		}
	}
	return f.inputs, nil
}

// harFile walks a file entry by entry, so that answers are never kept.
type harFile struct {
	source  *io.LimitedReader
	dec     *json.Decoder
	inputs  []*Input
	seen    bool // log.entries was there
	skipped int
	secrets bool // a request has Authorization or Cookie
}

func (f *harFile) top(key string) error {
	if key == "log" {
		return f.object("log", f.log)
	}
	return f.skip(key)
}

func (f *harFile) log(key string) error {
	if key == "entries" && !f.seen {
		return f.entries()
	}
	return f.skip("log." + fieldName(key))
}

// object reads an object and gives each of its keys to member, which reads the value.
func (f *harFile) object(where string, member func(key string) error) error {
	if err := f.delimiter(where, '{', "an object"); err != nil {
		return err
	}
	for f.dec.More() {
		key, err := f.dec.Token()
		if err != nil {
			return f.broken(where, err)
		}
		name, _ := key.(string)
		if err := member(name); err != nil {
			return err
		}
	}
	return f.delimiter(where, '}', "an object")
}

func (f *harFile) delimiter(where string, want json.Delim, what string) error {
	got, err := f.dec.Token()
	if err != nil {
		return f.broken(where, err)
	}
	if got != want {
		return wrong(where, "it is not "+what, "save the file again as HAR 1.2")
	}
	return nil
}

func (f *harFile) skip(where string) error {
	var raw json.RawMessage
	if err := f.dec.Decode(&raw); err != nil {
		return f.broken(where, err)
	}
	return nil
}

// broken is the error for what the JSON decoder says; its text is not
// repeated, since it may quote the file.
func (f *harFile) broken(where string, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case f.source.N <= 0:
		return wrong("", "the file is longer than 64 MiB", "save fewer requests, or leave the answers out")
	case errors.As(err, &kind):
		return wrong(where+"."+kind.Field, "it is not "+article(kind.Type.Kind().String()), "save the file again as HAR 1.2")
	case errors.As(err, &syntax), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return wrong(where, fmt.Sprintf("the file is not JSON, or ends early, at byte %d", f.dec.InputOffset()), "save it again as HAR 1.2")
	}
	return fmt.Errorf("read HAR: %w", err)
}

func article(kind string) string {
	switch kind {
	case "slice":
		return "a list"
	case "struct", "ptr":
		return "an object"
	case "float64":
		return "a number"
	}
	return "a " + kind
}

// fieldName is a key as it may be repeated in a message.
func fieldName(key string) string {
	if safeName(key) == "…" {
		return "…"
	}
	return key
}

func (f *harFile) entries() error {
	f.seen = true
	if err := f.delimiter("log.entries", '[', "a list"); err != nil {
		return err
	}
	for n := 0; f.dec.More(); n++ {
		where := fmt.Sprintf("log.entries[%d]", n)
		if n == MaxHAREntries {
			return wrong(where, "the file has more than 10000 entries", "save fewer requests")
		}
		var e harEntry
		if err := f.dec.Decode(&e); err != nil {
			return f.broken(where, err)
		}
		if err := f.entry(&e, where); err != nil {
			return err
		}
	}
	return f.delimiter("log.entries", ']', "a list")
}
