# The two commands are `make demo` and `make test`; `make help` lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup build demo test faults bench conformance lint fmt clean

GOFUMPT      := mvdan.cc/gofumpt@v0.12.0
STATICCHECK  := honnef.co/go/tools/cmd/staticcheck@v0.8.2

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

setup: ## install what is missing on a fresh Debian machine (libz3-dev, z3, cvc5)
	@./setup.sh

build: setup ## build bin/interlock (pure Go) and bin/interlock-z3 (the Z3 worker)
	@echo "building (the first time takes minutes: it compiles every dependency)"
	@CGO_ENABLED=0 go build -o bin/interlock ./cmd/interlock
	@CGO_ENABLED=1 go build -o bin/interlock-z3 ./cmd/interlock-z3

demo: build ## run the main job, end to end, in about a minute; leaves a report in demo-out/
	@bin/interlock demo -o demo-out

test: build ## run the tests
	@go vet ./...
	@INTERLOCK_Z3=$(CURDIR)/bin/interlock-z3 go test ./...

FAULTS ?= 10000
SEED   ?= 1
faults: build ## inject many random faults between gate, switches, ledger and solvers: FAULTS=<how many> SEED=<of the first>
	@INTERLOCK_Z3=$(CURDIR)/bin/interlock-z3 go test ./api/gate -run 'Test(Random|Network|Replacement)Faults$$' -v -timeout 0 -faults $(FAULTS) -seed $(SEED)

bench: build ## run the benchmarks
	@INTERLOCK_Z3=$(CURDIR)/bin/interlock-z3 go test -run '^$$' -bench . -benchmem ./...

conformance: ## run p4lang/p4c's tests: P4C=<checkout>, and check the programs of others: WORLD="<checkout> ..."
	@CGO_ENABLED=0 go run ./cmd/conformance -p4c "$(P4C)" $(addprefix -world ,$(WORLD)) -o conformance.txt

lint: ## vet, gofumpt and staticcheck
	@go vet ./...
	@unformatted=$$(go run $(GOFUMPT) -l $$(git ls-files '*.go')); \
	  if [ -n "$$unformatted" ]; then echo "not gofumpt-ed:"; echo "$$unformatted"; exit 1; fi
	@go run $(STATICCHECK) ./...

fmt: ## format the Go code
	@go run $(GOFUMPT) -w $$(git ls-files '*.go')

clean: ## remove what was built
	@rm -rf bin demo-out
