# Aerie's targets; `make` alone lists them. Programs go to bin/, state to var/.
SHELL := /bin/bash
export PATH := $(PATH):/usr/local/go/bin

TAGS     := -tags libvirt_dlopen
PROGRAMS  = $(patsubst %/main.go,./%,$(wildcard cmd/aerie/main.go cmd/aerie-agent/main.go))
SOURCES  := cmd drivers handlers locales services static views
IMAGE    := var/cache/tiny.qcow2
GOFUMPT  := go run mvdan.cc/gofumpt@v0.9.1
LINTER   := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.5.0
VULN     := go run golang.org/x/vuln/cmd/govulncheck@v1.1.4
# Tests of whole programs and of pages in a browser: without the race detector,
# which would measure itself there.
APART    := /cmd/aerie$$|/handlers/portal$$
# The longest of them: crashes, real instances, the first hour in a browser.
REAL     := TestCrash|TestTakeover|TestRealJourney|TestBrowserJourney
# Packages whose tests run on MariaDB, too.
STORED   := $(addprefix ./services/,store/... config/... event/... state/... job/... reconcile/... iam/... command/... placement/... network/... storage/... image/... compute/... project/... label/... catalog/... alarm/... signon/... webhook/... proof/...)
SUM       = find $(SOURCES) -name '*_templ.go' | sort | xargs -r sha256sum | sha256sum

.PHONY: help run dev build test e2e fresh lint generate vendor guest bench vuln clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## install what is missing and start Aerie, with this machine as its first host
	@cmd/setup/packages.sh run || true; cmd/setup/host.sh up || echo "make: going on with a simulated host"
	@$(MAKE) -s build && { $(MAKE) -s guest || echo "make: going on without the guest image"; }
	@exec bin/aerie serve

dev: generate build ## start Aerie with a simulated data centre, for working on it
	@exec bin/aerie serve --data var/dev --node off

build: vendor ## compile the programs into bin/
	@go build $(TAGS) -trimpath -o bin/ $(PROGRAMS)

# Nothing is skipped for want of a tool.
test e2e: export AERIE_TEST_REQUIRE := all

test: ## everything that must hold before a change goes in
	@cmd/setup/packages.sh test && $(MAKE) -s vendor guest && cmd/setup/host.sh up
	@$(MAKE) fresh lint build
	go test -race $(TAGS) -timeout 25m $$(go list $(TAGS) ./... | grep -vE '$(APART)')
	cmd/setup/with-mariadb.sh go test $(TAGS) -timeout 25m $(STORED)
	go test $(TAGS) -timeout 25m ./handlers/portal
	AERIE_TEST_PROGRAM=$(CURDIR)/bin/aerie go test $(TAGS) -timeout 25m -skip '$(REAL)' ./cmd/aerie
	@$(MAKE) e2e

e2e: guest build ## the whole program on real parts: crashes, real instances, the first hour in a browser
	AERIE_TEST_PROGRAM=$(CURDIR)/bin/aerie go test $(TAGS) -timeout 60m -run '$(REAL)' ./cmd/aerie

fresh: ## fail when generated code is older than its templates
	@before=$$($(SUM)); $(MAKE) -s generate && [ "$$before" = "$$($(SUM))" ] || \
		{ echo "make: generated code was out of date; commit what make generate has written" >&2; exit 1; }

lint: ## check style and common mistakes
	@unformatted=$$($(GOFUMPT) -l $(wildcard $(SOURCES))) && [ -z "$$unformatted" ] || { echo "gofumpt: $$unformatted" >&2; exit 1; }
	@$(LINTER) run --build-tags libvirt_dlopen ./...

generate: ## write the Go code of the templates
	@go tool templ generate

vendor: static/vendor/.stamp ## fetch and bundle the browser libraries
static/vendor/.stamp: package-lock.json package.json $(wildcard static/vendor.mjs static/icons.json)
	npm ci --no-audit --no-fund && npm run vendor
	@touch $@

guest: $(IMAGE) ## build the Tiny Linux guest image
$(IMAGE): $(shell find cmd/tinylinux/build.sh cmd/tinylinux/initramfs cmd/tinylinux/rootfs -type f)
	@cmd/tinylinux/build.sh $@

bench: build ## measure
	go test $(TAGS) -run '^$$' -bench . -benchmem ./...
	bin/aerie bench

vuln: ## look for known vulnerabilities, where the database can be reached
	@curl -sfo /dev/null -m 10 https://vuln.go.dev/index/db.json || { echo "make: https://vuln.go.dev cannot be reached; nothing was checked" >&2; exit 1; }
	@$(VULN) $(TAGS) ./...

clean: ## remove what was built; data under var/ stays
	rm -rf bin node_modules static/vendor $(IMAGE) $(IMAGE).inputs var/cache/tinylinux-debs
