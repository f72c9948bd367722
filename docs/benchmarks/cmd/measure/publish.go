package main

import (
	"context"
	"fmt"
	"os"

	"github.com/coatcheck/coatcheck/docs/benchmarks/report"
)

func readResults(path string) (*report.Results, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return report.Read(f)
}

// publish prints the table, and writes the page and the charts.
func (o options) publish(path string) error {
	res, err := readResults(path)
	if err != nil {
		return err
	}
	fmt.Print(res.Table(), "\n", res.Goals())
	if o.scale != 1 {
		return nil
	}
	page, err := os.ReadFile(o.page)
	if err != nil {
		return err
	}
	text, err := res.Update(string(page))
	if err != nil {
		return err
	}
	for name, content := range map[string]string{
		o.page: text, "ratios.svg": res.Bars(), "size.svg": res.Sizes(), "keys.svg": res.Keys(),
	} {
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil { //nolint:gosec // documents
			return err
		}
	}
	return nil
}

// compare prints what benchstat says about ours, then and now, and what became worse.
func (r *runner) compare(ctx context.Context) error {
	ours, err := readResults(r.path("ours"))
	if err != nil {
		return err
	}
	base, err := readResults(r.path("base"))
	if err != nil {
		return err
	}
	table, err := output(ctx, "go", "tool", "benchstat", "-filter", ".unit:(sec/op OR allocs/op OR B/session)",
		r.base.name+"="+r.path("base"), "now="+r.path("ours"))
	if err != nil {
		return err
	}
	fmt.Printf("\nCompared with %s:\n\n%s\n\n%s", r.base.name, table, ours.Changes(base))
	return nil
}
