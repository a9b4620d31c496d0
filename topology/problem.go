package topology

import (
	"fmt"
	"strconv"
	"strings"
)

// Problem is one thing that is wrong with a topology.
type Problem struct {
	Path    string // where: $.cells[2].hosts[0]; a missing key is named as if it were there
	Message string // what is wrong, naming the thing
	Fix     string // what to write instead
}

// String is the problem in one line.
func (p Problem) String() string { return p.Path + ": " + p.Message + ": " + p.Fix }

// Path leads to a value in a topology: $.cells[2].hosts[0].
type Path string

// Root is the path of the topology itself.
const Root Path = "$"

// Key is the path of the value under a key of the mapping at p.
func (p Path) Key(name string) Path {
	if plainKey(name) {
		return p + "." + Path(name)
	}
	return p + "[" + Path(strconv.Quote(name)) + "]"
}

// Index is the path of element i, counted from 0, of the list at p.
func (p Path) Index(i int) Path {
	return p + "[" + Path(strconv.Itoa(i)) + "]"
}

func plainKey(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; !isAlnum(c) && c != '_' && c != '-' {
			return false
		}
	}
	return s != ""
}

// Nearest is the word of a list that someone who wrote word most likely meant,
// "" when none is near: at most one edit away for up to four letters, two for
// longer words.
func Nearest(word string, among []string) string {
	best, bestDist := "", 2
	if len(word) > 4 {
		bestDist = 3
	}
	lower := strings.ToLower(word)
	for _, w := range among {
		if d := editDistance(lower, strings.ToLower(w), bestDist); d < bestDist && d < len(w) {
			best, bestDist = w, d
		}
	}
	return best
}

// editDistance is the number of letters to insert, delete, replace or swap with
// their neighbour between a and b, or limit if it is at least that.
func editDistance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row = last, row, before
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := last[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = min(change, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return min(row[len(b)], limit)
}

// orList writes words as people list them, the first eight of many.
func orList(words []string) string {
	const most = 8
	switch n := len(words); {
	case n == 0:
		return ""
	case n == 1:
		return words[0]
	case n > most:
		return strings.Join(words[:most], ", ") + fmt.Sprintf(" or one of %d more", n-most)
	default:
		return strings.Join(words[:n-1], ", ") + " or " + words[n-1]
	}
}

// clip bounds what a message repeats of the file.
func clip(s string) string {
	const most = 64
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}
