package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"time"

	"github.com/homeward/homeward/bench/peers"
)

// asks is how each program tells its version. Caddy, built as a module, does not know
// it.
var asks = map[string]string{peers.Nginx: "-v", peers.HAProxy: "-v", "wrk": "-v"}

var (
	version   = regexp.MustCompile(`\d+\.\d+(\.\d+)?\S*`)
	modelName = regexp.MustCompile(`(?m)^model name\s*: (.*)$`)
)

// conditions says what was measured, on what, and how much was going on there:
// figures of two machines, or of two days, are not to be compared.
func (o *options) conditions(ctx context.Context, programs peers.Programs) string {
	var names []string
	for _, name := range append([]string{"wrk"}, o.peers...) {
		if name == peers.Caddy {
			names = append(names, name+" "+strings.TrimPrefix(o.caddy, "v"))
			continue
		}
		text, _ := exec.CommandContext(ctx, programs[name], asks[name]).CombinedOutput() // wrk ends with an error
		names = append(names, name+" "+version.FindString(string(text)))
	}
	commit, _ := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty").Output()
	cpuinfo, _ := os.ReadFile("/proc/cpuinfo")
	model := "an unknown processor"
	if m := modelName.FindSubmatch(cpuinfo); m != nil {
		model = string(m[1])
	}
	load, _ := os.ReadFile("/proc/loadavg")
	before, _, _ := strings.Cut(string(load), " ")
	return fmt.Sprintf("%s; %s, %d processors, load before the start %s; commit %s, %s; %s.\n%d rounds of %d turns of %s for each proxy; figures are least–median–greatest of the rounds.\n\n",
		time.Now().Format(time.DateOnly), model, runtime.NumCPU(), before, strings.TrimSpace(string(commit)), runtime.Version(), strings.Join(names, ", "),
		o.plan.Rounds, o.plan.Slices, o.plan.Slice)
}
