// Command bench compares this project's edge with nginx, HAProxy and Caddy on
// the same work, and says what one request costs each of them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/homeward/homeward/bench/internal/load"
)

// worker is the argument with which this program starts itself to make load.
const worker = "make-load"

const usage = `Compare homeward-edge with other proxies on the same work on this machine:

  go run ./bench                                              everything; about half an hour
  go run ./bench -short                                       a few minutes
  go run ./bench -workloads plain-1k -peers nginx -rounds 3   as little as answers a question

The proxy that is measured runs on one processor, the load and the origin on
another. The proxies take turns, and ratios are taken within each round, since
machines drift. docs/benchmarks.md says what each figure means.

The table is printed and written to latest.md, the ratios to latest.json, both
in the folder of -out.

Flags:
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) == 3 && os.Args[1] == worker {
		if err := load.Work(ctx, os.Args[2], os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	o, err := parse(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err == nil {
		err = o.run(ctx)
	}
	if err != nil {
		if ctx.Err() != nil {
			err = errors.New("interrupted; all that was started has been ended")
		}
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
