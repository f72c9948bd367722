# `make help` lists the targets. They need Go and make; whatever else one needs, it fetches and says so.
# They cover every module: the main one, and those in sub-folders that keep their dependencies out of its go.sum.

GOLANGCI_LINT_VERSION := v2.15.0
STATICCHECK_VERSION   := v0.7.0
GOVULNCHECK_VERSION   := v1.9.0

ARGS      ?=
TESTFLAGS ?=
BENCH     ?= .
BASE      ?=
FUZZTIME  ?= 20s
SCREENSHOTS ?=
PLATFORMS := linux/amd64 linux/386 darwin/arm64 windows/amd64
MODULES   := $(sort $(patsubst %/go.mod,%,$(shell find . -name go.mod -not -path '*/.*/*' -not -path '*/node_modules/*' -not -path '*/testdata/*')))
export MODULES

# Outside the checkout and named after versions: a clean checkout does not build them again.
TOOLS         = $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/coatcheck/$(shell go env GOVERSION)
GOLANGCI_LINT = $(TOOLS)/golangci-lint-$(GOLANGCI_LINT_VERSION)/golangci-lint
STATICCHECK   = $(TOOLS)/staticcheck-$(STATICCHECK_VERSION)/staticcheck
GOVULNCHECK   = $(TOOLS)/govulncheck-$(GOVULNCHECK_VERSION)/govulncheck

# $(call each,command) runs the command in the folder of every module and stops at the first that fails.
each = set -e; for dir in $(MODULES); do echo "== $$dir: $(strip $(1))"; (cd "$$dir" && $(1)); done

.DEFAULT_GOAL := help
.PHONY: help run test tests norace browser drill cover bench microbench fuzz fmt fmt-check tidy-check vet build lint vuln ci

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: ## the example on http://127.0.0.1:9000, over its embedded store (ARGS=-h explains its flags)
	@cd cmd/example && go run . $(ARGS)

test: ## every test, under the race detector, real memcached included (TESTFLAGS='-run S8 -count 10')
	@.ci/test -race -shuffle=on $(TESTFLAGS)

tests: test ## the same as test

norace: ## what the race detector makes skip or shorten: allocations are counted, and histories, counters and races are run in full
	@MODULES='. ./session/histories' .ci/test -run='Allocations|^Test(Histories|Counters|Races)$$'

browser: ## the example's page in a real headless Chromium (SCREENSHOTS=docs writes the pictures)
	@MODULES=./cmd/example/browser COATCHECK_REQUIRE_BROWSER=1 COATCHECK_REQUIRE_MEMCACHED=1 COATCHECK_SCREENSHOTS='$(abspath $(SCREENSHOTS))' \
		.ci/test -race -shuffle=on -count=1 $(TESTFLAGS)

drill: ## what befalls memcached nodes, with latencies and a table; let the machine do nothing else meanwhile
	@COATCHECK_DRILL=1 COATCHECK_REQUIRE_MEMCACHED=1 go test -count=1 -v $(TESTFLAGS) ./session/memcached/drills

cover: ## test the main module; the total on the last line, the lines in coverage.out
	@MODULES=. COATCHECK_REQUIRE_MEMCACHED=1 .ci/test -race -shuffle=on -coverpkg=./... -coverprofile=coverage.out $(TESTFLAGS)
	@go tool cover -func=coverage.out | tail -n 1

bench: ## beside other libraries, and against the last tag (BASE=ref, - for none); writes docs/benchmarks.md
	@cd docs/benchmarks && go run ./cmd/measure -base '$(BASE)' $(ARGS)

microbench: ## the benchmarks of each package (BENCH=Load), no tests
	@$(call each,go test -run=NONE -bench='$(BENCH)' -benchmem ./...)

fuzz: ## every fuzz target for FUZZTIME=20s
	@.ci/fuzz $(FUZZTIME)

fmt: ## gofmt, in place
	@gofmt -l -w .

fmt-check: ## fails where gofmt would change a file
	@files=$$(gofmt -l .) && if [ -n "$$files" ]; then echo "not formatted; make fmt does it:"; echo "$$files"; exit 1; fi

tidy-check: ## fails where go mod tidy would change go.mod or go.sum
	@$(call each,go mod tidy -diff)

vet: ## go vet
	@$(call each,go vet ./...)

build: ## build and vet, tests included, for Linux (64 and 32 bit), macOS and Windows
	@for platform in $(PLATFORMS); do \
		echo "== $$platform"; export GOOS=$${platform%/*} GOARCH=$${platform#*/}; \
		$(call each,go build -o /dev/null ./... && go vet ./...); \
	done

lint: ## golangci-lint, as .golangci.yml says; staticcheck where that can't be built
	@files=$$(find . -name '*_test.go' -exec grep -q 'time\.Sleep' {} \; ! -exec grep -qE 'testing/synctest|bubble\(' {} \; -print); \
	if [ -n "$$files" ]; then echo "tests that sleep; they should wait for the condition, or use testing/synctest (session's bubble):"; echo "$$files"; exit 1; fi
	@if [ -x $(GOLANGCI_LINT) ] || $(MAKE) --no-print-directory $(GOLANGCI_LINT); then \
		$(call each,$(GOLANGCI_LINT) run --allow-serial-runners ./...); \
	else \
		echo "!! golangci-lint $(GOLANGCI_LINT_VERSION) can't be built here; staticcheck instead, which checks less"; \
		[ -x $(STATICCHECK) ] || $(MAKE) --no-print-directory $(STATICCHECK) || exit 1; \
		$(call each,$(STATICCHECK) ./...); \
	fi

vuln: $(GOVULNCHECK) ## govulncheck; where its database can't be reached it says so and goes on
	@.ci/vuln $(GOVULNCHECK)

ci: export COATCHECK_REQUIRE_MEMCACHED := 1
ci: export COATCHECK_REQUIRE_NODE := 1
ci: export COATCHECK_REQUIRE_BROWSER := 1
ci: fmt-check tidy-check vet build lint test norace vuln ## everything that a change must pass; .ci/run runs it

$(TOOLS)/golangci-lint-%/golangci-lint:
	GOBIN='$(@D)' go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$*

$(TOOLS)/staticcheck-%/staticcheck:
	GOBIN='$(@D)' go install honnef.co/go/tools/cmd/staticcheck@$*

$(TOOLS)/govulncheck-%/govulncheck:
	GOBIN='$(@D)' go install golang.org/x/vuln/cmd/govulncheck@$*
