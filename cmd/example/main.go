// Command example serves browsers and API clients the same sessions on the same
// routes. It is a demonstration of coatcheck; -h lists its flags.
//
// Exit status: 0 after -h and after a shutdown by SIGINT or SIGTERM, 1 if the
// server could not be started, 2 for mistakes in the configuration.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

const (
	exitOK     = 0
	exitFailed = 1
	exitConfig = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}

// run is the whole program but for what belongs to the process. It ends when
// ctx does, and returns the exit status.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	cfg, err := parse(args, getenv)
	if errors.Is(err, flag.ErrHelp) {
		usage(stdout)
		return exitOK
	}
	if err == nil && cfg.health != "" {
		return report(stderr, checkHealth(ctx, cfg.health), exitFailed)
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	built, buildErr := build(cfg, log)
	if err := errors.Join(err, buildErr); err != nil {
		return report(stderr, err, exitConfig)
	}
	return report(stderr, built.serve(ctx, cfg.addr), exitFailed)
}

// report writes a line for each mistake, and returns the status to exit with.
func report(w io.Writer, err error, status int) int {
	if err == nil {
		return exitOK
	}
	for _, line := range lines(err) {
		fmt.Fprintln(w, "example: "+line)
	}
	return status
}
