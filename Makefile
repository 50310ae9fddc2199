# island: see `make help`.

VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
GO       ?= go
LDFLAGS  := -s -w -X main.version=$(VERSION)
BUILD    := CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags "$(LDFLAGS)"
# Twenty machines on one: it wants this one for itself.
SITE     := ./cmd/internal/testsite
# The programs under test are built before, and the limit ends what hangs, not what is slow.
TEST     := ISLAND_PROGRAMS=$(CURDIR)/bin/test $(GO) test -timeout 60m
# Whatever has goroutines, in its tests too; the programs that cmd/internal runs have packages of their own.
ROUTINES := '^\s*go (func|[a-zA-Z.]+)\(|\.Go\(|\bsync\.|errgroup'
RACY      = $$(grep -rlE --include='*.go' $(ROUTINES) . | xargs -n1 dirname | sort -u | grep -v ^./cmd/internal/)

# What the build side runs on, and what travels to a site.
SITES     := linux-amd64 linux-arm64
PLATFORMS := $(SITES) darwin-amd64 darwin-arm64
HERE      := $(shell $(GO) env GOOS)-$(shell $(GO) env GOARCH)

RELEASED := $(PLATFORMS:%=dist/%/island) $(SITES:%=dist/%/island-probe)
TESTED   := bin/test/$(HERE)/island $(patsubst %,bin/test/%/island-probe,$(sort $(HERE) $(SITES)))

.DEFAULT_GOAL := help
.PHONY: help demo build bin dist programs test race lint vulncheck fuzz changelog bench bench-discovery site clean

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

dist: $(RELEASED) ## binaries for every platform, in dist/OS-ARCH/

programs: $(TESTED) ## what tests run, in bin/test/

.PHONY: $(RELEASED) $(TESTED)
$(RELEASED) $(TESTED):
	GOOS=$(firstword $(subst -, ,$(notdir $(@D)))) GOARCH=$(lastword $(subst -, ,$(notdir $(@D)))) $(BUILD) -o $@ ./cmd/$(@F)

test: programs ## all tests; ISLAND_REQUIRE_TOOLS=1 lets none of them skip
	$(GO) vet ./...
	$(TEST) $$($(GO) list ./... | grep -v '/testsite$$')
	CGO_ENABLED=0 $(TEST) -run Layer ./charts/sandbox
	$(TEST) $(SITE)

race: programs ## tests of what has goroutines, under the race detector (a C compiler); fewer rounds
	$(TEST) -race -short $(RACY)

lint: ## golangci-lint, pinned in .ci/tools, and shellcheck
	GOBIN=$(CURDIR)/bin/tools $(GO) -C .ci/tools install tool
	bin/tools/golangci-lint run ./...
	shellcheck $$(git ls-files | xargs awk 'FNR == 1 && /^#!.*sh$$/ { print FILENAME } { nextfile }')

vulncheck: ## known vulnerabilities in what is linked; asks vuln.go.dev
	GOBIN=$(CURDIR)/bin/tools $(GO) -C .ci/tools install tool
	bin/tools/govulncheck ./...

fuzz: ## every fuzz target, FUZZTOTAL in all (300s unless given)
	.ci/fuzz $(FUZZTOTAL)

changelog: ## what changed since the last release, as text; RELEASE=1.2.0 is its heading
	@$(GO) run ./cmd/internal/changelog $(RELEASE)

bench: bin ## speed and memory, as ratios against the physical floor
	$(GO) run ./cmd/internal/perf --island bin/island

bench-discovery: ## recall and precision of image discovery, against grep, yq, Zarf's and helm-images' rules; helm in PATH
	$(GO) run ./charts/internal/benchdiscovery corpus charts/testdata/corpus

site: programs ## preflight's test site for long: 200 good runs of each site, 20 hosts against one (root, a quiet machine)
	ISLAND_SITE_RUNS=200 $(TEST) -run TestGoodSiteRuns -v $(SITE)
	ISLAND_SITE_BENCH=1 $(TEST) -run TestTwentyHosts -v $(SITE)

clean: ## remove what make has made
	rm -rf bin dist demo
