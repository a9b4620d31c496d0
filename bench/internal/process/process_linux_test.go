package process_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/homeward/homeward/bench/internal/process"
)

// firstCPU is a processor that this process may use.
func firstCPU(t *testing.T) int {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "taskset", "-cp", strconv.Itoa(os.Getpid())).Output()
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(out), ": ")
	n, err := strconv.Atoi(strings.FieldsFunc(list, func(r rune) bool { return r < '0' || r > '9' })[0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestProcess runs a shell with a child that works: both are counted, bound to
// the processor, and gone after Stop.
func TestProcess(t *testing.T) {
	dir, cpu := t.TempDir(), firstCPU(t)
	script := `sh -c 'echo $$ > child; taskset -cp $$ > bound; while :; do :; done' & wait`
	p, err := process.Start(process.Spec{Name: "shell", CPU: cpu, Dir: dir, Args: []string{"sh", "-c", script}})
	if err != nil {
		t.Fatal(err)
	}
	stopped := false
	defer func() {
		if !stopped {
			p.Stop()
		}
	}()
	var child int
	err = p.Await(t.Context(), func() error {
		if used, err := p.CPU(); err != nil || used < 50*time.Millisecond {
			return errors.Join(err, errors.New("has not worked yet"))
		}
		text, err := os.ReadFile(filepath.Join(dir, "child"))
		if err != nil {
			return err
		}
		child, err = strconv.Atoi(strings.TrimSpace(string(text)))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if memory, err := p.Memory(); err != nil || memory < 1<<10 {
		t.Errorf("memory of two shells: %d, %v", memory, err)
	}
	bound, err := os.ReadFile(filepath.Join(dir, "bound"))
	if err != nil || !strings.HasSuffix(strings.TrimSpace(string(bound)), " "+strconv.Itoa(cpu)) {
		t.Errorf("bound to %q, %v; want %d", bound, err, cpu)
	}
	p.Stop()
	stopped = true
	if p.Alive() == nil {
		t.Error("runs on after Stop")
	}
	for range 500 { // a killed process ends in its own time
		if errors.Is(syscall.Kill(child, 0), syscall.ESRCH) || zombie(child) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("its child runs on after Stop")
}

// zombie says whether a process has ended and waits for its parent.
func zombie(pid int) bool {
	text, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return strings.Contains(string(text), ") Z ")
}

func TestAwaitTellsWhyAProgramEnded(t *testing.T) {
	p, err := process.Start(process.Spec{Name: "shell", CPU: firstCPU(t), Dir: t.TempDir(), Args: []string{"sh", "-c", "echo no such file; exit 3"}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Stop()
	err = p.Await(t.Context(), func() error { return errors.New("not yet") })
	if err == nil || !strings.Contains(err.Error(), "no such file") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("got %v", err)
	}
}

func TestRun(t *testing.T) {
	cpu := firstCPU(t)
	out, err := process.Run(t.Context(), cpu, "sh", "-c", "echo told; echo aside >&2")
	if err != nil || string(out) != "told\n" {
		t.Errorf("got %q, %v", out, err)
	}
	if _, err := process.Run(t.Context(), cpu, "sh", "-c", "echo the reason >&2; exit 1"); err == nil || !strings.Contains(err.Error(), "the reason") {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := process.Run(ctx, cpu, "sh", "-c", "exit 0"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
