package credential

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/homeward/homeward/cell"
)

// maxField is the largest field number of protobuf.
const maxField = 1<<29 - 1

// The wire types of protobuf that are read. Groups (3 and 4) are not.
const (
	wireVarint = 0
	wire64     = 1
	wireBytes  = 2
	wire32     = 5
)

// ErrField says that a number is not the number of a protobuf field.
var ErrField = errors.New("not a protobuf field number: 1 to 536870911")

// Protobuf reads base64url protobuf messages that name their cell in a string
// field at the top level. Nothing marks such a credential, so it is claimed only
// if it parses completely; a rule of this format comes last in its place.
type Protobuf struct{ field uint64 }

var _ Format = (*Protobuf)(nil)

// NewProtobuf makes the format with the number of the string field that holds
// the cell, 1 to 536870911. The error wraps ErrField.
func NewProtobuf(field int) (*Protobuf, error) {
	if field < 1 || field > maxField {
		return nil, fmt.Errorf("%d is %w", field, ErrField)
	}
	return &Protobuf{uint64(field)}, nil
}

// Read claims base64url, with the right padding or none, of a whole message
// that is not empty, has no groups, and whose cell field is nowhere anything
// but bytes.
func (p *Protobuf) Read(text string) Claim {
	if unpadded := strings.TrimRight(text, "="); len(unpadded) < len(text) {
		if len(text)%4 != 0 || len(text)-len(unpadded) > 2 {
			return Claim{}
		}
		text = unpadded
	}
	b, ok := parseBase64url(text)
	if !ok || b.n == 0 {
		return Claim{}
	}
	from, n, count, ok := p.find(b)
	switch {
	case !ok:
		return Claim{}
	case count == 0:
		return legacy()
	case count > 1:
		return malformed(RepeatedCell)
	}
	var buf [cell.MaxNameLen]byte
	if n > len(buf) {
		return malformed(BadCell)
	}
	for i := range n {
		buf[i] = b.at(from + i)
	}
	name, length := cell.ScanName(buf[:n])
	if length == 0 || length != n {
		return malformed(BadCell)
	}
	return Claim{Verdict: Home, Cell: name}
}

// find walks over the whole message and tells where the cell field's n bytes
// stand and how often the field is there. ok says that everything parsed.
func (p *Protobuf) find(b base64url) (from, n, count int, ok bool) {
	for i := 0; i < b.n; {
		tag, length := varint(b, i)
		number, wire := tag>>3, tag&7
		if length == 0 || number < 1 || number > maxField || number == p.field && wire != wireBytes {
			return 0, 0, 0, false
		}
		i += length
		size := uint64(0)
		switch wire {
		case wireVarint:
			_, length = varint(b, i)
			if length == 0 {
				return 0, 0, 0, false
			}
			size = uint64(length)
		case wire64:
			size = 8
		case wireBytes:
			size, length = varint(b, i)
			if length == 0 {
				return 0, 0, 0, false
			}
			i += length
		case wire32:
			size = 4
		default:
			return 0, 0, 0, false
		}
		if size > uint64(b.n-i) {
			return 0, 0, 0, false
		}
		if number == p.field {
			from, n = i, int(size)
			count++
		}
		i += int(size)
	}
	return from, n, count, true
}

// varint reads a varint of at most 64 bits at i; length 0 says there is none.
func varint(b base64url, i int) (v uint64, length int) {
	for shift := 0; shift < 64 && i < b.n; shift += 7 {
		c := b.at(i)
		i++
		length++
		if shift == 63 && c > 1 {
			return 0, 0
		}
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return v, length
		}
	}
	return 0, 0
}

// ErrMessage says that a message cannot take in the cell field.
var ErrMessage = errors.New("not a whole protobuf message without groups and without the cell's field")

// Mint makes a new credential: the message, which holds the other fields as
// protobuf encodes them, and after them the cell field. An empty message stands
// for 16 random bytes in a field of their own. A nil random means crypto/rand;
// anything else is for tests. The error wraps ErrNeedsCell or ErrMessage, or
// says that random failed.
func (p *Protobuf) Mint(random io.Reader, c cell.Name, message []byte) (string, error) {
	if c.IsZero() {
		return "", fmt.Errorf("mint a protobuf credential: %w", ErrNeedsCell)
	}
	buf := append([]byte(nil), message...)
	if len(buf) == 0 {
		const size = 16
		buf = append(buf, 1<<3|wireBytes, size)
		if p.field == 1 {
			buf[0] = 2<<3 | wireBytes
		}
		var err error
		if buf, err = newSource(random).appendBytes(buf, size); err != nil {
			return "", fmt.Errorf("mint a protobuf credential: %w", err)
		}
	}
	name := c.String()
	buf = binary.AppendUvarint(buf, p.field<<3|wireBytes)
	buf = append(append(buf, byte(len(name))), name...)
	text := base64.RawURLEncoding.EncodeToString(buf)
	if p.Read(text).Verdict != Home {
		return "", fmt.Errorf("mint a protobuf credential: %w", ErrMessage)
	}
	return text, nil
}

// Prefix is "": the message is claimed by parsing.
func (p *Protobuf) Prefix() string { return "" }

// String describes the format: protobuf field 9.
func (p *Protobuf) String() string { return "protobuf field " + strconv.FormatUint(p.field, 10) }
