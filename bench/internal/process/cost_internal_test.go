package process

import (
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// master is a process 10 with two threads and a child 20, which has one of its
// own, 30. 40 is nobody's.
func master() fstest.MapFS {
	return fstest.MapFS{
		"10/task/10/children":  {Data: []byte("20 ")},
		"10/task/10/schedstat": {Data: []byte("1000000001 5 6\n")},
		"10/task/11/children":  {},
		"10/task/11/schedstat": {Data: []byte("20 0 1\n")},
		"10/smaps_rollup":      {Data: []byte("5581 ---p 00000000 00:00 0 [rollup]\nRss:  900 kB\nPss:            100 kB\nPss_Anon: 7 kB\n")},
		"10/stat":              {Data: []byte("10 (nginx: a) b) S 1 9 8 0 -1 4194560 104\n")},
		"20/stat":              {Data: []byte("20 (nginx) S 1\n")},
		"20/task/20/children":  {Data: []byte("30 ")},
		"20/task/20/schedstat": {Data: []byte("300 0 1\n")},
		"20/smaps_rollup":      {Data: []byte("Pss: 20 kB\n")},
		"30/task/30/children":  {},
		"30/task/30/schedstat": {Data: []byte("4000 0 1\n")},
		"30/smaps_rollup":      {Data: []byte("Pss: 3 kB\n")},
		"40/task/40/schedstat": {Data: []byte("5 0 1\n")},
	}
}

func TestTree(t *testing.T) {
	got, err := tree(master(), 10)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{10, 20, 30}, got); diff != "" {
		t.Error(diff)
	}
}

func TestSums(t *testing.T) {
	for _, test := range []struct {
		name string
		of   func(fs.FS, int) (int64, error)
		want int64
	}{
		{"processor time of all threads of all processes", cpuOf, 1000004321},
		{"memory of all processes", memoryOf, 123 << 10},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := sum(master(), 10, test.of)
			if err != nil || got != test.want {
				t.Errorf("got %d, %v, want %d", got, err, test.want)
			}
		})
	}
}

func TestBrokenCountersAreErrors(t *testing.T) {
	for name, change := range map[string]func(fstest.MapFS){
		"no process":             func(f fstest.MapFS) { delete(f, "30/task/30/children"); delete(f, "30/task/30/schedstat") },
		"no number of run time":  func(f fstest.MapFS) { f["20/task/20/schedstat"] = &fstest.MapFile{Data: []byte("x 1 2\n")} },
		"no number of a child":   func(f fstest.MapFS) { f["20/task/20/children"] = &fstest.MapFile{Data: []byte("x")} },
		"no proportional memory": func(f fstest.MapFS) { f["20/smaps_rollup"] = &fstest.MapFile{Data: []byte("Rss: 1 kB\n")} },
	} {
		t.Run(name, func(t *testing.T) {
			f := master()
			change(f)
			_, cpu := sum(f, 10, cpuOf)
			_, memory := sum(f, 10, memoryOf)
			if cpu == nil && memory == nil {
				t.Error("taken for a measurement")
			}
		})
	}
}

func TestSessionOf(t *testing.T) {
	if got, err := sessionOf(master(), 10); err != nil || got != 8 {
		t.Errorf("got %d, %v", got, err)
	}
	for _, pid := range []int{20, 30} {
		if _, err := sessionOf(master(), pid); err == nil {
			t.Errorf("%d: found without the field", pid)
		}
	}
}

func TestTail(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"short\n", "short"},
		{"first line\nsecond\nthird\n", "second\nthird"},
	} {
		if got := tail([]byte(test.text), 15); got != test.want {
			t.Errorf("tail of %q: %q, want %q", test.text, got, test.want)
		}
	}
}
