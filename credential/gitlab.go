package credential

import (
	"encoding/base64"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/homeward/homeward/cell"
)

// Lengths, in characters or bytes, of a GitLab routable token.
const (
	gitlabTail     = 9  // length of the payload and checksum, base 36
	gitlabChecksum = 7  // of these, the checksum: 36^7 > 2^32
	gitlabRandom   = 16 // random bytes before the routing text of version 1
)

// ErrGitLabCells says that a map from GitLab's cell ids to cells is wrong.
var ErrGitLabCells = errors.New("not a map of GitLab cell ids in base 36 to cells, as in {\"2s\": eu1}")

// GitLabRoutable is GitLab's routable token, versions 0 and 1. Read from the
// right it is 7 characters of checksum (CRC-32 of all before, base 36), 2 of the
// length of the payload in characters (base 36), a dot, from version 1 on 2
// digits of version and a dot, then the payload in base64url, then any prefix.
//
// The payload holds routing text, lines of key:value, beside random bytes. The
// key c names the cell by an id in base 36. The ids are GitLab's own, so the
// format holds a map from them to cells. The zero GitLabRoutable has none: to it
// every token that names a cell is Foreign.
type GitLabRoutable struct{ cells map[uint64]cell.Name }

var _ Format = (*GitLabRoutable)(nil)

// NewGitLabRoutable makes the format from GitLab's cell ids, in base 36 with
// small letters, and the names of their cells. Ids are compared as numbers. The
// error wraps ErrGitLabCells.
func NewGitLabRoutable(cells map[string]string) (*GitLabRoutable, error) {
	g := &GitLabRoutable{make(map[uint64]cell.Name, len(cells))}
	for _, id := range slices.Sorted(maps.Keys(cells)) {
		n, ok := parseBase36(id)
		if !ok {
			return nil, fmt.Errorf("cell id %q: %w", id, ErrGitLabCells)
		}
		c, err := cell.ParseName(cells[id])
		if err != nil {
			return nil, fmt.Errorf("cell id %q: %w: %w", id, err, ErrGitLabCells)
		}
		if _, twice := g.cells[n]; twice {
			return nil, fmt.Errorf("cell id %q stands twice, as numbers: %w", id, ErrGitLabCells)
		}
		g.cells[n] = c
	}
	if len(g.cells) == 0 {
		return nil, fmt.Errorf("it is empty: %w", ErrGitLabCells)
	}
	return g, nil
}

// Read claims what has the tail of a routable token: a dot and 9 base-36
// characters at the end, before it perhaps a dot and 2 digits, before that
// base64url, and no other dot.
func (g *GitLabRoutable) Read(text string) Claim {
	front, version, ok := cutGitLabTail(text)
	if !ok {
		return Claim{}
	}
	if len(version) > 0 && version != "01" {
		return malformed(BadVersion)
	}
	sumAt := len(text) - gitlabChecksum
	if check := base36Check(checksum(text[:sumAt])); string(check[:]) != text[sumAt:] {
		return malformed(BadCheck)
	}
	n, _ := parseBase36(text[len(text)-gitlabTail : sumAt])
	if n == 0 || n > uint64(len(front)) {
		return malformed(BadLength)
	}
	payload, ok := parseBase64url(front[uint64(len(front))-n:])
	if !ok {
		return malformed(BadEncoding)
	}
	from, to, ok := routingText(payload, version != "")
	if !ok {
		return malformed(BadRouting)
	}
	id, why := findCellID(payload, from, to)
	name, mapped := g.cells[id]
	switch {
	case why == NoCell:
		return legacy()
	case why == UnmappedID || why == 0 && !mapped:
		return Claim{Verdict: Foreign, Reason: UnmappedID}
	case why != 0:
		return malformed(why)
	}
	return Claim{Verdict: Home, Cell: name}
}

// cutGitLabTail tells what stands before the tail, and the version's digits,
// "" for version 0.
func cutGitLabTail(text string) (front, version string, ok bool) {
	at := len(text) - gitlabTail - 1
	if at < 1 || text[at] != '.' {
		return "", "", false
	}
	for i := at + 1; i < len(text); i++ {
		if c := text[i]; !isDigit(c) && (c < 'a' || c > 'z') {
			return "", "", false
		}
	}
	front = text[:at]
	if v := at - 3; v >= 1 && front[v] == '.' && isDigit(front[v+1]) && isDigit(front[v+2]) {
		front, version = front[:v], front[v+1:]
	}
	if sextet[front[len(front)-1]] == invalid || !isVisible(front) || strings.IndexByte(front, '.') >= 0 {
		return "", "", false
	}
	return front, version, true
}

// routingText finds where the routing text stands in the payload. The last byte
// is the length of the routing text in version 1, of the random bytes after it
// in version 0.
func routingText(payload base64url, v1 bool) (from, to int, ok bool) {
	last := payload.n - 1
	if last < 0 {
		return 0, 0, false
	}
	n := int(payload.at(last))
	if v1 {
		return gitlabRandom, last, gitlabRandom+n == last
	}
	return 0, last - n, n <= last
}

// findCellID reads the value of the key c in the lines of the routing text. Why
// is 0 when there is one.
func findCellID(payload base64url, from, to int) (id uint64, why Reason) {
	why = NoCell
	for i := from; i < to; {
		end := i
		for end < to && payload.at(end) != '\n' {
			end++
		}
		if end-i >= 2 && payload.at(i) == 'c' && payload.at(i+1) == ':' {
			if why != NoCell {
				return 0, RepeatedCell
			}
			id, why = base36At(payload, i+2, end)
		}
		i = end + 1
	}
	return id, why
}

// ErrGitLabToken says that a GitLabToken cannot be minted.
var ErrGitLabToken = errors.New("not a GitLab token to mint")

// GitLabToken is what a new routable token says.
type GitLabToken struct {
	Cell    cell.Name // one of the format's map; of several ids the smallest is written
	Version int       // 0 or 1
	Prefix  string    // such as glpat-; visible bytes without a dot
	Routing string    // more lines of routing text after the cell's, such as "o:7"; none with the key c
}

// Mint makes a new token. A nil random means crypto/rand; anything else is for
// tests. The error wraps ErrNeedsCell or ErrGitLabToken, or says that random
// failed.
func (g *GitLabRoutable) Mint(random io.Reader, t GitLabToken) (string, error) {
	token, err := g.mint(newSource(random), t)
	if err != nil {
		return "", fmt.Errorf("mint a GitLab routable token: %w", err)
	}
	return token, nil
}

func (g *GitLabRoutable) mint(src *source, t GitLabToken) (string, error) {
	id, ok := g.id(t.Cell)
	switch {
	case t.Cell.IsZero():
		return "", ErrNeedsCell
	case !ok:
		return "", fmt.Errorf("the map of cell ids has no %v: %w", t.Cell, ErrGitLabToken)
	case t.Version != 0 && t.Version != 1:
		return "", fmt.Errorf("version %d is neither 0 nor 1: %w", t.Version, ErrGitLabToken)
	case !isVisible(t.Prefix) || strings.Contains(t.Prefix, "."):
		return "", fmt.Errorf("the prefix has a dot, a space or a byte outside ASCII: %w", ErrGitLabToken)
	}
	routing := "c:" + strconv.FormatUint(id, 36)
	if t.Routing != "" {
		routing += "\n" + t.Routing
	}
	if len(routing) > 255 {
		return "", fmt.Errorf("the routing text has %d bytes, more than 255: %w", len(routing), ErrGitLabToken)
	}
	secret, err := src.appendBytes(nil, gitlabRandom)
	if err != nil {
		return "", err
	}
	payload, last, dot := routing+string(secret), byte(gitlabRandom), "."
	if t.Version == 1 {
		payload, last, dot = string(secret)+routing, byte(len(routing)), ".01."
	}
	encoded := base64.RawURLEncoding.EncodeToString(append([]byte(payload), last))
	n := uint64(len(encoded))
	token := []byte(t.Prefix + encoded + dot + string([]byte{base36Digits[n/36], base36Digits[n%36]}))
	check := base36Check(crc32.ChecksumIEEE(token))
	token = append(token, check[:]...)
	if c := g.Read(string(token)); c.Cell != t.Cell {
		return "", fmt.Errorf("the routing text names a cell of its own: %w", ErrGitLabToken)
	}
	return string(token), nil
}

// id is the smallest id of a cell.
func (g *GitLabRoutable) id(c cell.Name) (id uint64, ok bool) {
	for i, name := range g.cells {
		if name == c && (!ok || i < id) {
			id, ok = i, true
		}
	}
	return id, ok
}

// Prefix is "": the token is claimed by its end.
func (g *GitLabRoutable) Prefix() string { return "" }

// String describes the format: gitlab-routable with 3 cell ids.
func (g *GitLabRoutable) String() string {
	if len(g.cells) == 1 {
		return "gitlab-routable with 1 cell id"
	}
	return "gitlab-routable with " + strconv.Itoa(len(g.cells)) + " cell ids"
}
