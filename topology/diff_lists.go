package topology

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// item is one entry of a list, by what identifies it.
type item struct {
	key   string
	value any // a struct
	// meets reports whether the order of the entry and another can matter; nil
	// when order means nothing.
	meets func(other any) bool
}

// keyed gives each entry a key of its own: repeated keys, which only a topology
// with errors has, are numbered.
func keyed[T any](list []T, key func(*T) string, meets func(a, b *T) bool) []item {
	items, seen := make([]item, len(list)), map[string]int{}
	for i := range list {
		e := &list[i]
		k := key(e)
		if seen[k]++; seen[k] > 1 {
			k += "#" + strconv.Itoa(seen[k])
		}
		items[i] = item{key: k, value: *e}
		if meets != nil {
			items[i].meets = func(other any) bool { o := other.(T); return meets(e, &o) }
		}
	}
	return items
}

// listScope tells the scopes of the changes to a list.
type listScope struct {
	entry func(key string, e any) []string        // of one that is added, removed or moved
	both  func(at Path, key string, old, new any) // compares one that is in both
}

// list compares two lists by the keys of their entries.
func (d *differ) list(at Path, old, new []item, s listScope) {
	before := index(old)
	after := index(new)
	for _, o := range old {
		if _, kept := after[o.key]; !kept {
			d.add(at.Key(o.key), Removed, valueText(reflect.ValueOf(o.value)), "", s.entry(o.key, o.value))
		}
	}
	moved := movedKeys(old, new, before)
	for i, n := range new {
		j, kept := before[n.key]
		if !kept {
			d.add(at.Key(n.key), Added, "", valueText(reflect.ValueOf(n.value)), s.entry(n.key, n.value))
			continue
		}
		if moved[n.key] {
			d.add(at.Key(n.key), Moved, place(j), place(i), s.entry(n.key, n.value))
		}
		s.both(at.Key(n.key), n.key, old[j].value, n.value)
	}
}

// place is a position as people count.
func place(i int) string { return fmt.Sprintf("place %d", i+1) }

func index(items []item) map[string]int {
	m := make(map[string]int, len(items))
	for i := range items {
		m[items[i].key] = i
	}
	return m
}

// movedKeys finds the entries whose order changed in a way that matters. The
// longest run of entries that kept their order stays; of the others, those moved
// that passed an entry they meet. Two entries that were swapped are never both
// in that run, so no swap that matters goes unnoticed.
func movedKeys(old, new []item, before map[string]int) map[string]bool {
	var kept []item // entries of both, in the new order
	var was []int   // their old positions
	for _, n := range new {
		if j, ok := before[n.key]; ok {
			kept, was = append(kept, n), append(was, j)
		}
	}
	stays := increasing(was)
	moved := map[string]bool{}
	for i, e := range kept {
		if stays[i] || e.meets == nil {
			continue
		}
		for j, other := range kept {
			if (i < j) != (was[i] < was[j]) && (e.meets(other.value) || old[was[i]].meets(old[was[j]].value)) {
				moved[e.key] = true
				break
			}
		}
	}
	return moved
}

// increasing marks a longest increasing subsequence of distinct numbers.
func increasing(seq []int) []bool {
	var ends []int // ends[n] is the index where the best run of length n+1 ends
	prev := make([]int, len(seq))
	for i, x := range seq {
		n, _ := slices.BinarySearchFunc(ends, x, func(end, x int) int { return seq[end] - x })
		prev[i] = -1
		if n > 0 {
			prev[i] = ends[n-1]
		}
		if n == len(ends) {
			ends = append(ends, i)
		} else {
			ends[n] = i
		}
	}
	in := make([]bool, len(seq))
	if len(ends) > 0 {
		for i := ends[len(ends)-1]; i >= 0; i = prev[i] {
			in[i] = true
		}
	}
	return in
}

// requestKey names a set of requests: GET,POST /a/*.
func (s requestSet) key() string {
	if len(s.methods) == 0 {
		return s.path
	}
	return strings.Join(slices.Sorted(slices.Values(s.methods)), ",") + " " + s.path
}

// meets reports whether some request is in both sets.
func (s requestSet) meets(o requestSet) bool {
	return pathsMeet(s.path, o.path) && (len(s.methods) == 0 || len(o.methods) == 0 ||
		slices.ContainsFunc(s.methods, func(m string) bool { return slices.Contains(o.methods, m) }))
}
