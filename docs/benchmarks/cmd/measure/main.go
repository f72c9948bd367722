// Command measure runs the benchmarks, round after round, and writes what they
// say into docs/benchmarks.md, and charts beside the benchmarks. Of the last
// tag's code, or that of another version, it measures our own rows too, and says
// what has become slower since. `make bench` runs it, in docs/benchmarks.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

type options struct {
	rounds  int
	scale   float64
	base    string
	from    string
	page    string
	results string
}

func main() {
	var o options
	flag.IntVar(&o.rounds, "rounds", 6, "how often each benchmark runs; from six on there are 95 % intervals")
	flag.Float64Var(&o.scale, "scale", 1, "how many requests in proportion: 0.01 shows whether all of it works; the page is left alone unless it is 1, and there are 6 rounds")
	flag.StringVar(&o.base, "base", "", "the version to compare with (the last tag; - for none)")
	flag.StringVar(&o.from, "from", "", "measure nothing: make the page of an earlier run's results")
	flag.StringVar(&o.page, "page", "../benchmarks.md", "where the results go, between the markers there")
	flag.StringVar(&o.results, "results", "results", "a folder for what the benchmarks print, as benchstat reads it")
	flag.Parse()
	ctx, _ := signal.NotifyContext(context.Background(), os.Interrupt) // until the process ends
	if err := o.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "measure:", err)
		os.Exit(1)
	}
}

func (o options) run(ctx context.Context) error {
	if o.from != "" {
		return o.publish(o.from)
	}
	temp, err := os.MkdirTemp("", "benchmarks")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	head, err := buildHead(ctx, temp)
	if err != nil {
		return err
	}
	base, err := o.buildBase(ctx, temp)
	if err != nil {
		return err
	}
	defer base.remove()
	r := runner{options: o, head: head, base: base}
	if err := r.rounds(ctx); err != nil {
		return err
	}
	if err := o.publish(r.path("all")); err != nil || base == nil {
		return err
	}
	return r.compare(ctx)
}
