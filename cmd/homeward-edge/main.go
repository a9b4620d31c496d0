// Command homeward-edge is the edge alone: the data plane, with as few
// dependencies as it can have.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/homeward/homeward/cmd/internal/edgecmd"
	"github.com/homeward/homeward/internal/config"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	if err := edgecmd.New("homeward-edge", edgecmd.Features{}).ExecuteContext(ctx); err != nil {
		if invalid := (*config.Error)(nil); errors.As(err, &invalid) {
			err = errors.New("the topology is not valid\n" + invalid.String())
		}
		fmt.Fprintln(os.Stderr, "homeward-edge:", err)
		os.Exit(1)
	}
}
