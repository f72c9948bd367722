package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// benchmarks run in this order, with so many requests, or sessions, each. As
// these are fixed, all versions and libraries do the same.
var benchmarks = []struct {
	name     string
	requests float64
}{
	{"Reads", 12_000},
	{"Slides", 40_000},
	{"Writes", 5_000},
	{"Sizes", 2_000},
	{"Keys", 2_000},
	{"Memory", 5_000},
}

// tries is how often a benchmark is begun in a round before the run is given up: on
// a very busy machine a store call may take too long.
const tries = 3

// A runner collects what the benchmarks print: all of them in the file all.txt,
// and ours once more, beside the base's, in ours.txt and base.txt.
type runner struct {
	options
	head string
	base *version
}

func (r *runner) path(name string) string { return filepath.Join(r.results, name+".txt") }

func (r *runner) rounds(ctx context.Context) error {
	if err := os.MkdirAll(r.results, 0o750); err != nil {
		return err
	}
	for name, text := range map[string]string{"all": machine(ctx, r.options.rounds, r.scale), "ours": "", "base": ""} {
		if err := os.WriteFile(r.path(name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	for round := range r.options.rounds {
		began := time.Now()
		for i := range benchmarks {
			if err := r.round(ctx, round, i); err != nil {
				return err
			}
		}
		fmt.Fprintf(os.Stderr, "round %d of %d: %.0f s\n", round+1, r.options.rounds, time.Since(began).Seconds())
	}
	return nil
}

// round runs one benchmark. Of the two versions, each goes first in every second round.
func (r *runner) round(ctx context.Context, round, i int) error {
	if err := r.measure(ctx, r.head, i, "all"); err != nil || r.base == nil {
		return err
	}
	binaries := []struct{ binary, file string }{{r.head, "ours"}, {r.base.binary, "base"}}
	for j := range binaries {
		b := binaries[(j+round)%2]
		if err := r.measure(ctx, b.binary, i, b.file, "-libraries", "coatcheck"); err != nil {
			return err
		}
	}
	return nil
}

// measure adds what one benchmark prints to a file.
func (r *runner) measure(ctx context.Context, binary string, i int, file string, args ...string) error {
	b := benchmarks[i]
	args = append(args, "-test.run=NONE", "-test.benchmem", "-test.timeout=10m", "-test.bench=^Benchmark"+b.name+"$",
		fmt.Sprintf("-test.benchtime=%.0fx", math.Max(1, b.requests*r.scale)))
	for try := 1; ; try++ {
		out, err := execute(ctx, binary, args)
		if err == nil {
			return add(r.path(file), out)
		}
		fmt.Fprintf(os.Stderr, "%s, try %d of %d: %v\n%s", b.name, try, tries, err, failures(out))
		if try == tries || ctx.Err() != nil {
			return fmt.Errorf("the benchmark %s fails: %w", b.name, err)
		}
	}
}

func execute(ctx context.Context, binary string, args []string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, binary, args...) //nolint:gosec // which was built from here
	cmd.Env = append(os.Environ(), "COATCHECK_REQUIRE_MEMCACHED=1")
	cmd.Stderr = os.Stderr
	return cmd.Output()
}

func failures(out []byte) string {
	var b strings.Builder
	for line := range bytes.Lines(out) {
		if !bytes.Contains(line, []byte("ns/op")) {
			b.Write(line)
		}
	}
	return b.String()
}

func add(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if _, err := f.Write(text); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
