# `make check` is what CI runs (.ci/run), with shorter fuzzing. What fails fast comes first.
GO ?= go
FUZZSECONDS ?= 5

STORES := redisstore sqlstore
# Each has a go.mod of its own.
MODULES := bench $(STORES) devphone examples/campaign otelagentphone examples/tracedbot

EXAMPLES := $(filter-out $(MODULES),$(patsubst %/main.go,%,$(wildcard examples/*/main.go)))

CHECKS := fmt tidy vet bench-test stores devphone otel wasm examples campaign scenarios lint oldest test386 jsonv2 vet-platforms race chaos fuzz

.PHONY: check checks test $(CHECKS) bench killtest

check: test $(CHECKS)

# Prints what `make check` makes after the tests, for .ci/run to time.
checks:
	@echo $(CHECKS)

test:
	$(GO) test ./...

race:
	$(GO) test -race -shuffle=on ./...

# With the experimental encoding/json/v2 behind encoding/json.
jsonv2:
	GOEXPERIMENT=jsonv2 $(GO) test ./...

# With the oldest Go that go.mod allows.
oldest:
	GOTOOLCHAIN=go$$($(GO) list -m -f '{{.GoVersion}}') $(GO) test ./...

# With an int of 32 bits.
test386:
	GOARCH=386 $(GO) test ./...

# The tests under node again, alone: without node they are skipped, which here is a failure.
wasm:
	@node -e fetch || { echo "this takes node 18 or later"; exit 1; }
	$(GO) test -count 1 -run '^TestFetch_' ./internal/transport

# The benchmarks are a module of their own. They take some ten minutes, or less by section; see BENCHMARKS.md.
bench:
	cd bench && $(GO) run .

# The benchmarks' module without its benchmarks.
bench-test:
	cd bench && $(GO) vet ./... && $(GO) test ./...

# The modules of the stores, on a real redis-server and PostgreSQL. With CI set, missing servers are a failure.
stores:
	@set -e; for m in $(STORES); do echo "== $$m"; (cd $$m && $(GO) vet ./... && $(GO) test -race -shuffle=on ./...); done

# The example that is a module of its own: 5000 texts through faults, processes that are killed, and a run without a key.
campaign:
	cd examples/campaign && $(GO) vet ./... && CAMPAIGN_TEXTS=5000 $(GO) test ./...
	cd examples/campaign && env -u AGENTPHONE_API_KEY $(GO) run .

# OpenTelemetry: the hooks, and the example with its recipes on a real Prometheus and a collector that the test builds, which takes a
# minute the first time. With CI set, a missing prometheus is a failure.
otel:
	cd otelagentphone && $(GO) vet ./... && $(GO) test -race -shuffle=on ./...
	cd examples/tracedbot && $(GO) vet ./... && $(GO) test -race ./...
	cd examples/tracedbot && env -u AGENTPHONE_API_KEY $(GO) run .

# The kill tests of the stores, which `make stores` runs with one seed each, with KILLTEST_ROUNDS seeds from KILLTEST_SEED on.
killtest: export KILLTEST_ROUNDS ?= 10
killtest:
	@set -e; for m in $(STORES); do echo "== $$m"; (cd $$m && $(GO) test -count 1 -timeout 60m -run '^TestKill' -v .); done

devphone:
	cd devphone && $(GO) vet ./... && $(GO) test -race -shuffle=on ./...

# The chaos tests again, alone, to print their tally. CHAOS_SEED=7 sets the seed, a number from 0.
chaos:
	$(GO) test -race -count 1 -run '^TestChaos' -v ./internal/networktest

fmt:
	@files=$$(gofmt -l .); test -z "$$files" || { echo "not gofmt'ed:"; echo "$$files"; exit 1; }

vet:
	$(GO) vet ./...

# Vet for the platforms that README.md names; of Plan 9, only that the client compiles.
vet-platforms:
	@set -e; for p in windows/amd64 darwin/arm64 linux/arm linux/386 js/wasm; do \
		echo "== vet $$p"; GOOS=$${p%/*} GOARCH=$${p#*/} $(GO) vet ./...; \
	done
	GOOS=js GOARCH=wasm $(GO) vet ./internal/transport/testdata/fetch
	GOOS=plan9 GOARCH=amd64 $(GO) build .

# The linter is pinned in a module of its own, which users never download.
lint: bin/staticcheck
	bin/staticcheck ./...
	GOOS=js GOARCH=wasm bin/staticcheck ./internal/transport/...
	@set -e; for m in $(MODULES); do echo "== $$m"; (cd $$m && $(CURDIR)/bin/staticcheck ./...); done

bin/staticcheck: tools/go.mod tools/go.sum
	cd tools && $(GO) build -o ../bin/staticcheck honnef.co/go/tools/cmd/staticcheck

tidy:
	$(GO) mod tidy -diff
	cd tools && $(GO) mod tidy -diff
	@set -e; for m in $(MODULES); do echo "== $$m"; (cd $$m && $(GO) mod tidy -diff); done

# Runs every example against the API in memory.
examples:
	@mkdir -p bin/examples && $(GO) build -o bin/examples ./examples/...
	@set -e; unset AGENTPHONE_API_KEY OPENAI_API_KEY; \
	for e in $(notdir $(EXAMPLES)); do echo "== examples/$$e"; timeout 60 bin/examples/$$e; done

# Plays the scenarios of the examples with them.
scenarios:
	@mkdir -p bin/examples && $(GO) build -o bin/examples ./examples/... && cd devphone && $(GO) build -o ../bin/devphone .
	@set -e; unset OPENAI_API_KEY; for s in examples/*/scenarios; do \
		e=$$(basename $$(dirname $$s)); echo "== $$s"; \
		bin/devphone test -target http://127.0.0.1:0/webhook $$s/*.yaml -- bin/examples/$$e -addr {addr}; \
	done

# Runs each fuzz target of each package in rounds of 30,000 inputs for FUZZSECONDS. A -fuzztime in seconds fails now and
# then without a finding ("context deadline exceeded"), because Go's fuzzer takes its own deadline for an error if a
# worker sees it first. A round that hangs is a failure.
fuzz:
	@set -e; for m in . devphone; do for p in $$(cd $$m && $(GO) list ./...); do \
		for f in $$($(GO) -C $$m test -list '^Fuzz' $$p | grep '^Fuzz' || true); do \
			echo "== $$p $$f"; end=$$(( $$(date +%s) + $(FUZZSECONDS) )); \
			while [ $$(date +%s) -lt $$end ]; do \
				timeout 120 $(GO) -C $$m test -run '^$$' -fuzz "^$$f$$" -fuzztime 30000x $$p; \
			done; \
		done; \
	done; done
