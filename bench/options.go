package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/homeward/homeward/bench/internal/suite"
	"github.com/homeward/homeward/bench/peers"
)

// options are the flags.
type options struct {
	short     bool
	workloads []suite.Workload
	peers     []string
	plan      suite.Plan
	edge      string
	out       string
	proxyCPU  int
	loadCPU   int
	caddy     string
}

// parse reads the flags, and writes help to w where that is asked for.
func parse(args []string, w io.Writer) (*options, error) {
	var o options
	var workloads, others string
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(w)
	f.Usage = func() {
		fmt.Fprint(w, usage)
		f.PrintDefaults()
		fmt.Fprint(w, "\nWorkloads:\n")
		for _, one := range suite.All() {
			fmt.Fprintf(w, "  %-14s %s\n", one.Name, one.About)
		}
	}
	f.BoolVar(&o.short, "short", false, "plain-1k, body-64k and tls beside nginx and HAProxy, 3 rounds; other flags still hold")
	f.StringVar(&workloads, "workloads", "", "names separated by commas (default all)")
	f.StringVar(&others, "peers", "", "of nginx, haproxy and caddy, separated by commas (default all)")
	f.IntVar(&o.plan.Rounds, "rounds", 0, "rounds; each gives one ratio (default 5, short 3)")
	f.IntVar(&o.plan.Slices, "slices", 0, "turns of each proxy in a round (default 3, short 4)")
	f.DurationVar(&o.plan.Slice, "duration", 0, "length of a turn, whole seconds (default 2s, short 1s)")
	f.StringVar(&o.edge, "edge", "", "a homeward-edge that is built already (default: build the one of this folder)")
	f.StringVar(&o.out, "out", "bench/out", "folder of the results, from the root of the repository")
	f.IntVar(&o.proxyCPU, "proxy-cpu", 0, "processor of the proxy that is measured")
	f.IntVar(&o.loadCPU, "load-cpu", 1, "processor of the load and the origin")
	f.StringVar(&o.caddy, "caddy", "v2.11.9", "version of Caddy")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if f.NArg() > 0 {
		return nil, fmt.Errorf("%q is not a flag: see -help", f.Arg(0))
	}
	o.defaults()
	if err := o.choose(workloads, others); err != nil {
		return nil, err
	}
	return &o, o.check()
}

// defaults fills in what depends on whether the comparison is short.
func (o *options) defaults() {
	rounds, turns, slice := 5, 3, 2*time.Second
	if o.short {
		rounds, turns, slice = 3, 4, time.Second
	}
	if o.plan.Slices == 0 {
		o.plan.Slices = turns
	}
	if o.plan.Rounds == 0 {
		o.plan.Rounds = rounds
	}
	if o.plan.Slice == 0 {
		o.plan.Slice = slice
	}
}

// choose finds workloads and peers by their names.
func (o *options) choose(workloads, others string) error {
	known := suite.All()
	for name := range strings.SplitSeq(workloads, ",") {
		if name == "" {
			continue
		}
		i := slices.IndexFunc(known, func(w suite.Workload) bool { return w.Name == name })
		if i < 0 {
			return fmt.Errorf("-workloads: there is no workload %q; -help lists them", name)
		}
		o.workloads = append(o.workloads, known[i])
	}
	if workloads == "" {
		o.workloads = slices.DeleteFunc(slices.Clone(known), func(w suite.Workload) bool { return o.short && !w.Short })
	}
	if others == "" && o.short {
		others = peers.Nginx + "," + peers.HAProxy
	} else if others == "" {
		others = peers.Nginx + "," + peers.HAProxy + "," + peers.Caddy
	}
	for name := range strings.SplitSeq(others, ",") {
		if !peers.Known(name) || name == peers.Ours {
			return fmt.Errorf("-peers: there is no peer %q; they are nginx, haproxy and caddy", name)
		}
		if !slices.Contains(o.peers, name) {
			o.peers = append(o.peers, name)
		}
	}
	return nil
}

func (o *options) check() error {
	switch {
	case o.plan.Rounds < 1 || o.plan.Slices < 1:
		return errors.New("-rounds and -slices are 1 or more")
	case o.plan.Slice < time.Second || o.plan.Slice%time.Second != 0:
		return fmt.Errorf("-duration is whole seconds, 1s or more, and not %s", o.plan.Slice)
	case o.proxyCPU == o.loadCPU:
		return errors.New("-proxy-cpu and -load-cpu are the same: the load would take time from what is measured")
	}
	return nil
}
