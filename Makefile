# Everything a person types. `make demo` and `make test` need nothing but a Debian 12 machine with root.
SHELL := /bin/bash
.DELETE_ON_ERROR:
export PATH := $(CURDIR)/.tools:$(CURDIR)/node_modules/.bin:$(PATH)

.PHONY: help setup build bpf native typescript test demo shop bench bench-pods bench-neighbours fuzz lint format check test-kernels test-cluster test-images bench-cluster plugin clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: ## install what building needs
	@scripts/setup build

build: setup bpf native typescript ## build everything into build/ and dist/

bpf: ## build the kernel programs
	@bpf/build

native: ## build the two addons
	@cmake-js compile -d native -O build/native --log-level error --silent

typescript:
	tsc -b

bench: build ## measure against haproxy, nginx and envoy: ROUNDS=3 SECONDS=5 CASES=outbound,mesh SUBJECTS= RATE= IDLE=
	@scripts/setup bench
	@taskset -c 1 node dist/test/bench/run.js $(if $(ROUNDS),--rounds=$(ROUNDS)) $(if $(SECONDS),--seconds=$(SECONDS)) \
		$(if $(CASES),--cases=$(CASES)) $(if $(SUBJECTS),--subjects=$(SUBJECTS)) \
		$(if $(RATE),--rate=$(RATE)) $(if $(IDLE),--idle=$(IDLE))

bench-pods: build ## memory of a node of idle pods, the kernel's included, against sidecars: PODS=250
	@scripts/setup bench
	@node dist/test/bench/pods.js $(if $(PODS),--pods=$(PODS))

bench-neighbours: build ## a quiet pod's p99 alone and beside floods, bulk, stalled readers, costly routes: ROUNDS=8 SECONDS=2 NOISE=flood,stalled
	@scripts/setup all
	@node dist/test/bench/neighbours.js $(if $(ROUNDS),--rounds=$(ROUNDS)) $(if $(SECONDS),--seconds=$(SECONDS)) \
		$(if $(NOISE),--noise=$(NOISE))

demo: ## a small shop of real services joins the mesh; every promise is shown and checked (root)
	@scripts/setup demo
	@$(MAKE) --no-print-directory build
	@node dist/test/demo/main.js

shop: ## the same shop in the mesh, to play with, until Ctrl-C (root)
	@scripts/setup demo
	@$(MAKE) --no-print-directory build
	@node dist/test/demo/play.js

test: ## lint, unit, engine (also under ASan and UBSan), kernel and namespace tests; SUITES="unit namespaces" for some of them (root)
	@scripts/setup all
	@$(MAKE) --no-print-directory build
	@node scripts/run-tests.mjs $(SUITES)

test-kernels: ## the kernel programs on Debian's kernels 6.1 and 6.12, in virtual machines; SERIES="6.1" for one of them
	@scripts/setup kernels
	@bpf/build
	@cmake -S native -B build/kernel-tests -G Ninja -DWEFT_KERNEL_TESTS=ON --log-level=WARNING
	@cmake --build build/kernel-tests --target functional-test
	@scripts/test-kernels $(SERIES)

test-cluster: ## the controller on a real Kubernetes cluster of two nodes; ONLY=part of a name, KEEP=1 leaves it up (root, Go)
	@scripts/setup all
	@scripts/setup cluster
	@$(MAKE) --no-print-directory build
	@scripts/test-cluster $(if $(KEEP),--keep) $(ONLY)

test-images: ## the Containerfile, built by buildah, is what scripts/build-images makes; OPTIONS= for buildah build (root)
	@scripts/setup images
	@$(MAKE) --no-print-directory build
	@scripts/test-containerfile $(OPTIONS)

bench-cluster: ## from kubectl apply to the last agent, on the test cluster: SERVICES=1000 AGENTS=200 CHANGES=100 SIZES=1,2,4 HEAP=MiB (root, Go)
	@scripts/setup build
	@$(MAKE) --no-print-directory typescript
	@scripts/test-cluster --scale $(if $(SERVICES),--services=$(SERVICES)) $(if $(AGENTS),--agents=$(AGENTS)) \
		$(if $(CHANGES),--changes=$(CHANGES)) $(if $(SIZES),--sizes=$(SIZES)) $(if $(HEAP),--heap=$(HEAP))

plugin: ## kubectl's plugin: archives and krew manifest in build/plugin; URL= where they will be
	@scripts/setup build
	@$(MAKE) --no-print-directory typescript
	@scripts/build-plugin $(if $(URL),--url $(URL))

check: typescript ## what is quick: lint and unit tests
	@node scripts/run-tests.mjs lint unit

lint: ## names, layout, imports, format
	@node scripts/run-tests.mjs lint

format: ## put every file into its form
	@biome check --write .
	@git ls-files '*.c' '*.h' '*.cc' '*.hpp' | xargs clang-format-22 -i

fuzz: ## fuzz the engine under ASan and UBSan: SECONDS=60 for each fuzzer, ONLY=part of a name
	@scripts/fuzz $(or $(SECONDS),60) $(ONLY)

clean: ## remove what was built
	rm -rf build dist
