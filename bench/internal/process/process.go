// Package process starts the programs that a comparison needs, each bound to
// one processor, ends them, and reads from /proc what they cost.
package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// patience is how long a program has to end by itself when it is asked to.
const patience = 3 * time.Second

// Spec says what to start.
type Spec struct {
	Name string // for messages and the file of its output
	CPU  int    // the only processor that it may run on
	Args []string
	Dir  string // working folder; NAME.out in it gets what the program writes
}

// Process is a running program with all processes that it started. Its methods
// may be called from one goroutine at a time.
type Process struct {
	name   string
	cmd    *exec.Cmd
	output string        // file name
	done   chan struct{} // closed when the program has ended
}

// Start runs a program. It ends with the caller's process at the latest.
func Start(s Spec) (*Process, error) {
	output := filepath.Join(s.Dir, s.Name+".out")
	file, err := os.OpenFile(output, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", s.Name, err)
	}
	defer file.Close()
	args := pinned(s.CPU, os.Geteuid() == 0, s.Args)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.Dir, file, file
	cmd.SysProcAttr = attributes(syscall.SIGTERM)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", s.Name, err)
	}
	prefer(cmd.Process.Pid)
	p := &Process{name: s.Name, cmd: cmd, output: output, done: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // how it ended is told by its output
		close(p.done)
	}()
	return p, nil
}

// pinned is a command by way of taskset, which binds itself to a processor and
// becomes the program: the process id stays. Root also puts all programs of a
// comparison, the same for each, before what else the machine does.
func pinned(cpu int, root bool, args []string) []string {
	var all []string
	if root {
		all = append(all, "nice", "-n", "-15")
	}
	all = append(all, "taskset", "-c", strconv.Itoa(cpu))
	return append(all, args...)
}

// Output is the name of the file that gets what the program writes.
func (p *Process) Output() string { return p.output }

// Alive says why the program has ended, nil while it runs.
func (p *Process) Alive() error {
	select {
	case <-p.done:
	default:
		return nil
	}
	text, _ := os.ReadFile(p.output)
	return fmt.Errorf("%s has ended (%s), its last words:\n%s", p.name, p.cmd.ProcessState, tail(text, 2000))
}

// Await calls ready until it returns nil, for as long as the program runs and
// for 15 seconds at most.
func (p *Process) Await(ctx context.Context, ready func() error) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ready()
		if err == nil {
			return nil
		}
		if ended := p.Alive(); ended != nil {
			return ended
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s does not come up: %w", p.name, errors.Join(err, ctx.Err()))
		case <-tick.C:
		}
	}
}

// Stop ends the program and all processes that it started: by SIGTERM, and
// what is left after a while by SIGKILL.
func (p *Process) Stop() {
	pids, _ := tree(procfs(), p.cmd.Process.Pid)
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(patience):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
	for _, pid := range pids[min(1, len(pids)):] {
		// In its session it is what it was: a number is given again only later.
		if leader, err := sessionOf(procfs(), pid); err == nil && leader == p.cmd.Process.Pid {
			if orphan, err := os.FindProcess(pid); err == nil {
				_ = orphan.Kill()
			}
		}
	}
}

// Run runs a program to its end on one processor and returns its standard
// output. An error holds what it wrote to standard error. When ctx ends, the
// program is killed.
func Run(ctx context.Context, cpu int, args ...string) ([]byte, error) {
	command := pinned(cpu, os.Geteuid() == 0, args)
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.SysProcAttr = attributes(syscall.SIGKILL)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Start()
	if err == nil {
		prefer(cmd.Process.Pid)
		err = cmd.Wait()
	}
	if err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, fmt.Errorf("%s: %w\n%s", filepath.Base(args[0]), err, tail(append(stdout.Bytes(), stderr.Bytes()...), 2000))
	}
	return stdout.Bytes(), nil
}

// tail is the last n bytes of a text at most, from the start of a line.
func tail(text []byte, n int) string {
	if len(text) > n {
		text = text[len(text)-n:]
		if i := bytes.IndexByte(text, '\n'); i >= 0 {
			text = text[i+1:]
		}
	}
	return strings.TrimSpace(string(text))
}
