# island: see `make help`.

VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
GO       ?= go
LDFLAGS  := -s -w -X main.version=$(VERSION)
BUILD    := CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags "$(LDFLAGS)"
# Twenty machines on one: it wants this one for itself.
SITE     := ./cmd/internal/testsite

# What the build side runs on, and what travels to a site.
SITES     := linux-amd64 linux-arm64
PLATFORMS := $(SITES) darwin-amd64 darwin-arm64

.DEFAULT_GOAL := help
.PHONY: help demo build dist test lint vulncheck fuzz bench bench-discovery site clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: bin ## the whole job on embedded defaults, in ./demo
	@bin/island-demo --island bin/island --dir demo

build: bin dist ## static, stripped, reproducible binaries in bin/ and dist/

bin: ## binaries for this machine, in bin/
	@mkdir -p bin
	$(BUILD) -o bin/island ./cmd/island
	$(BUILD) -o bin/island-probe ./cmd/island-probe
	$(BUILD) -o bin/island-demo ./cmd/island-demo

.PHONY: bin

dist: $(PLATFORMS:%=dist/%/island) $(SITES:%=dist/%/island-probe) ## binaries for every platform, in dist/OS-ARCH/

.PHONY: $(PLATFORMS:%=dist/%/island) $(SITES:%=dist/%/island-probe)
$(PLATFORMS:%=dist/%/island) $(SITES:%=dist/%/island-probe):
	GOOS=$(word 1,$(subst -, ,$(word 2,$(subst /, ,$@)))) GOARCH=$(word 2,$(subst -, ,$(word 2,$(subst /, ,$@)))) \
		$(BUILD) -o $@ ./cmd/$(notdir $@)

test: ## all tests; ISLAND_REQUIRE_TOOLS=1 lets none of them skip
	$(GO) vet ./...
	$(GO) test $$($(GO) list ./... | grep -v '/testsite$$')
	$(GO) test -timeout 30m $(SITE)

lint: ## golangci-lint, pinned in .ci/tools
	GOBIN=$(CURDIR)/bin/tools $(GO) -C .ci/tools install tool
	bin/tools/golangci-lint run ./...

vulncheck: ## known vulnerabilities in what is linked; asks vuln.go.dev
	GOBIN=$(CURDIR)/bin/tools $(GO) -C .ci/tools install tool
	bin/tools/govulncheck ./...

fuzz: ## every fuzz target for FUZZTIME (20s unless given)
	@set -e; for p in $$($(GO) list ./...); do \
		for f in $$($(GO) test -list '^Fuzz' $$p | grep ^Fuzz || true); do \
			echo "$$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $${FUZZTIME:-20s} $$p; \
		done; \
	done

bench: bin ## speed and memory, as ratios against the physical floor
	$(GO) run ./cmd/internal/perf --island bin/island

bench-discovery: ## recall and precision of image discovery, against grep and yq; helm in PATH
	$(GO) run ./charts/internal/benchdiscovery corpus charts/testdata/corpus

site: ## preflight's test site for long: 200 good runs, 20 hosts against one (root, a quiet machine)
	ISLAND_SITE_RUNS=200 $(GO) test -run TestGoodSiteRuns -timeout 1h -v $(SITE)
	ISLAND_SITE_BENCH=1 $(GO) test -run TestTwentyHosts -v $(SITE)

clean: ## remove what make has made
	rm -rf bin dist demo
