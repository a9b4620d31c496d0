package load

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/homeward/homeward/bench/internal/process"
)

// Kinds of load that this program makes itself.
const (
	OpenLoop   = "open-loop"
	Handshakes = "handshakes"
)

// Job is a load that this program makes itself, in a process of its own: bound
// to a processor, it must share no scheduler with what measures.
type Job struct {
	Kind        string
	Target      Target
	Rate        float64 // of an open loop, requests a second
	Connections int     // of an open loop; otherwise at a time
	Duration    time.Duration
}

// Worker starts such processes.
type Worker struct {
	// Command is this program and the argument after which it calls Work with
	// the next one.
	Command []string
	CPU     int
}

// Run does a job in a process of its own.
func (w Worker) Run(ctx context.Context, job Job) (Result, error) {
	text, err := json.Marshal(job)
	if err != nil {
		return Result{}, err
	}
	out, err := process.Run(ctx, w.CPU, append(w.Command[:len(w.Command):len(w.Command)], string(text))...)
	if err != nil {
		return Result{}, fmt.Errorf("%s: %w", job.Kind, err)
	}
	var r Result
	if err := json.Unmarshal(out, &r); err != nil {
		return Result{}, fmt.Errorf("%s: read its result: %w", job.Kind, err)
	}
	return r, r.check(job.Kind)
}

// Work does a job, given as Run gives it, and writes its result to w.
func Work(ctx context.Context, text string, w io.Writer) error {
	var job Job
	if err := json.Unmarshal([]byte(text), &job); err != nil {
		return fmt.Errorf("read the job: %w", err)
	}
	r, err := job.do(ctx)
	if err != nil {
		return err
	}
	return json.NewEncoder(w).Encode(r)
}

func (j Job) do(ctx context.Context) (Result, error) {
	switch j.Kind {
	case OpenLoop:
		loop := &openLoop{target: j.Target, rate: j.Rate, connections: j.Connections, duration: j.Duration, tick: newTimer}
		if !j.Target.TLS {
			return loop.poll(ctx)
		}
		return loop.run(ctx)
	case Handshakes:
		return (&handshakes{target: j.Target, workers: j.Connections, duration: j.Duration}).run(ctx)
	}
	return Result{}, fmt.Errorf("there is no load %q", j.Kind)
}
