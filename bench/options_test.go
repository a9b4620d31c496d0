package main

import (
	"errors"
	"flag"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	for _, test := range []struct {
		args      string
		workloads string
		peers     string
		rounds    int
		length    time.Duration // of a round of one proxy
	}{
		{"", "plain-1k body-64k post-16k tls tls-handshake h2 plain-1k-log plain-1k-half body-64k-half tls-half idle-10k", "nginx haproxy caddy", 5, 6 * time.Second},
		{"-short", "plain-1k body-64k tls", "nginx haproxy", 3, 4 * time.Second},
		{"-short -workloads h2 -peers caddy -rounds 1", "h2", "caddy", 1, 4 * time.Second},
		{"-workloads tls,plain-1k -peers nginx,nginx -slices 4 -duration 3s", "tls plain-1k", "nginx", 5, 12 * time.Second},
	} {
		o, err := parse(strings.Fields(test.args), t.Output())
		if err != nil {
			t.Errorf("%s: %v", test.args, err)
			continue
		}
		var names []string
		for _, w := range o.workloads {
			names = append(names, w.Name)
		}
		if diff := cmp.Diff(test.workloads, strings.Join(names, " ")); diff != "" {
			t.Errorf("%s: workloads: %s", test.args, diff)
		}
		if diff := cmp.Diff(test.peers, strings.Join(o.peers, " ")); diff != "" {
			t.Errorf("%s: peers: %s", test.args, diff)
		}
		if o.plan.Rounds != test.rounds || o.plan.Slice*time.Duration(o.plan.Slices) != test.length {
			t.Errorf("%s: %+v", test.args, o.plan)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for args, said := range map[string]string{
		"-workloads plain":               `no workload "plain"`,
		"-peers apache":                  `no peer "apache"`,
		"-peers homeward":                `no peer "homeward"`,
		"-rounds -1":                     "1 or more",
		"-duration 1500ms":               "whole seconds",
		"-duration 10ms":                 "whole seconds",
		"-proxy-cpu 1":                   "the same",
		"plain-1k":                       "not a flag",
		"-workloads plain-1k -unknown 3": "not defined",
	} {
		if _, err := parse(strings.Fields(args), t.Output()); err == nil || !strings.Contains(err.Error(), said) {
			t.Errorf("%s: %v, want %q in it", args, err, said)
		}
	}
}

func TestHelpNamesEveryWorkload(t *testing.T) {
	var b strings.Builder
	if _, err := parse([]string{"-help"}, &b); !errors.Is(err, flag.ErrHelp) {
		t.Fatal(err)
	}
	for _, w := range []string{"plain-1k-log", "idle-10k", "-edge", "latest.json"} {
		if !strings.Contains(b.String(), w) {
			t.Errorf("no %q in the help", w)
		}
	}
}
