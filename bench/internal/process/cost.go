package process

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"
)

func procfs() fs.FS { return os.DirFS("/proc") }

// CPU is the time that all threads of the program and of its children have
// run so far: the first number of /proc/PID/task/TID/schedstat, which the
// scheduler counts in nanoseconds. Threads that end take their time with them,
// so that the difference of two readings is right only while none does; those
// of servers stay.
func (p *Process) CPU() (time.Duration, error) {
	d, err := sum(procfs(), p.cmd.Process.Pid, cpuOf)
	if err != nil {
		return 0, fmt.Errorf("processor time of %s: %w", p.name, err)
	}
	return time.Duration(d), nil
}

// Memory is the resident memory of the program and its children, in bytes.
// What they share is counted once.
func (p *Process) Memory() (int64, error) {
	n, err := sum(procfs(), p.cmd.Process.Pid, memoryOf)
	if err != nil {
		return 0, fmt.Errorf("memory of %s: %w", p.name, err)
	}
	return n, nil
}

func sum(proc fs.FS, pid int, of func(fs.FS, int) (int64, error)) (int64, error) {
	pids, err := tree(proc, pid)
	if err != nil {
		return 0, err
	}
	var total int64
	for _, pid := range pids {
		n, err := of(proc, pid)
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

// tree is a process and all below it, parents first.
func tree(proc fs.FS, pid int) ([]int, error) {
	pids := []int{pid}
	threads, err := fs.ReadDir(proc, fmt.Sprintf("%d/task", pid))
	if err != nil {
		return nil, err
	}
	for _, thread := range threads {
		text, err := fs.ReadFile(proc, fmt.Sprintf("%d/task/%s/children", pid, thread.Name()))
		if err != nil {
			return nil, err
		}
		for field := range strings.FieldsSeq(string(text)) {
			child, err := strconv.Atoi(field)
			if err != nil {
				return nil, fmt.Errorf("children of %d: %w", pid, err)
			}
			below, err := tree(proc, child)
			if err != nil {
				return nil, err
			}
			pids = append(pids, below...)
		}
	}
	return pids, nil
}

// cpuOf is what the threads of one process have run, in nanoseconds.
func cpuOf(proc fs.FS, pid int) (int64, error) {
	threads, err := fs.ReadDir(proc, fmt.Sprintf("%d/task", pid))
	if err != nil {
		return 0, err
	}
	var total int64
	for _, thread := range threads {
		name := fmt.Sprintf("%d/task/%s/schedstat", pid, thread.Name())
		text, err := fs.ReadFile(proc, name)
		if err != nil {
			return 0, err
		}
		first, _, _ := strings.Cut(string(text), " ")
		n, err := strconv.ParseInt(first, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
		total += n
	}
	return total, nil
}

// memoryOf is the proportional set size of one process, in bytes.
func memoryOf(proc fs.FS, pid int) (int64, error) {
	name := fmt.Sprintf("%d/smaps_rollup", pid)
	text, err := fs.ReadFile(proc, name)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) == 3 && fields[0] == "Pss:" && fields[2] == "kB" {
			n, err := strconv.ParseInt(fields[1], 10, 64)
			if err != nil {
				return 0, fmt.Errorf("%s: %w", name, err)
			}
			return n << 10, nil
		}
	}
	return 0, fmt.Errorf("%s: no line Pss", name)
}

// sessionOf is the process id of the leader of a process's session.
func sessionOf(proc fs.FS, pid int) (int, error) {
	name := fmt.Sprintf("%d/stat", pid)
	text, err := fs.ReadFile(proc, name)
	if err != nil {
		return 0, err
	}
	// The name before may hold anything: 7 (a b) c) S parent group session ...
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 4 {
		return 0, fmt.Errorf("%s: %d fields after the name", name, len(fields))
	}
	return strconv.Atoi(fields[3])
}
