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

// raw is what the page was made from, beside it for whoever wants to look closer.
const raw = "results.txt"

// publish prints the table, and writes the page, the charts and what they are made
// from, unless too little was measured for them.
func (o options) publish(path string) error {
	res, err := readResults(path)
	if err != nil {
		return err
	}
	fmt.Print(res.Table(), "\n", res.Goals())
	if !res.Whole() {
		fmt.Println("\nThe page is left as it is: it takes 6 rounds at scale 1.")
		return nil
	}
	printed, err := os.ReadFile(path)
	if err != nil {
		return err
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
		o.page: text, raw: string(printed), "ratios.svg": res.Bars(), "size.svg": res.Sizes(), "keys.svg": res.Keys(),
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
