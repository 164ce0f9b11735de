// Command servers builds the servers that the tests of internal/backends run, where
// they are missing, and prints their paths.
//
//	go run github.com/ambit-go/ambit/internal/backends/servers
//
// It needs Go and the module proxy. The first time it takes about twelve minutes on one
// core. The result is kept in $AMBIT_CACHE, by default in the user's cache
// folder, until a pin changes.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/ambit-go/ambit/internal/backends"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	for _, p := range backends.Programs() {
		if _, err := p.Path(); errors.Is(err, os.ErrNotExist) {
			fmt.Fprintf(os.Stderr, "building %s, which takes minutes\n", p)
		}
		begun := time.Now()
		path, err := p.Build(ctx, os.Stderr)
		if err != nil {
			fmt.Fprintln(os.Stderr, "servers:", err)
			os.Exit(1)
		}
		fmt.Printf("%-9s  %5.0fs  %s\n", p, time.Since(begun).Seconds(), path)
	}
}
