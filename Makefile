# Thin front end over tools/setup.sh and the CMake presets.
#   make          the release binary, build/rallrec (make setup build: and the demo's model and data)
#   make demo     everything, then the pipeline on MovieLens-100K with SmolLM2-135M on two ranks
#   make test     everything, then all tests, the CUDA kernels on the host, and the CUDA build (docs/kernels.md)
#   make lint     formatting, layers, static analysis
#   make bundle   what launch/verify_gpu.sh needs on a machine without Debian's packages
#   make fuzz     the readers of foreign files against libFuzzer, at the counts of docs/robustness.md (over an hour)
#   make soak     the tests that kill, damage and repeat, at their full counts (about half an hour)
SHELL := /bin/bash
JOBS ?= $(shell nproc)
FUZZ_SECONDS ?= 60
export OMPI_ALLOW_RUN_AS_ROOT ?= 1
export OMPI_ALLOW_RUN_AS_ROOT_CONFIRM ?= 1

.PHONY: all build setup demo test lint fuzz fuzz-build soak format clean bundle

all: build

setup:
	tools/setup.sh

build:
	tools/setup.sh packages venv
	cmake --preset release -DRALLREC_BUILD_TESTS=OFF >/dev/null
	cmake --build build -j $(JOBS)

demo: setup build
	mpirun -n 2 --bind-to none build/rallrec run --config configs/demo.toml

test: setup
	tools/setup.sh slurm
	cmake --preset release -DRALLREC_BUILD_TESTS=ON >/dev/null
	cmake --build build -j $(JOBS)
	ctest --preset release -j 1
	@grep -h '^SKIPPED' build/Testing/Temporary/LastTest.log || true
	cmake --preset simt >/dev/null
	cmake --build build-simt -j $(JOBS)
	timeout 900 ctest --preset simt -j $(JOBS)
	cmake --preset cuda >/dev/null
	cmake --build build-cuda -j $(JOBS) --target rallrec gpu_tests
	ctest --preset cuda -j 1
	tools/kernel_resources.py --check docs/kernels.md >build-cuda/kernels.md
	$(MAKE) fuzz-build
	tools/fuzz.py --seconds $(FUZZ_SECONDS) --jobs $(JOBS)

fuzz-build: setup
	cmake --preset fuzz >/dev/null
	cmake --build build-fuzz -j $(JOBS)

fuzz: fuzz-build
	tools/fuzz.py --runs 10000000 --jobs $(JOBS) safetensors_header
	tools/fuzz.py --runs 5000000 --jobs $(JOBS) tokenizer_text jsonl delimited atomic python_literal
	tools/fuzz.py --runs 1000000 --jobs $(JOBS) tokenizer_file config manifest model_config safetensors_index npy

lint:
	tools/setup.sh packages venv
	tools/lint.sh

soak: setup
	cmake --preset release -DRALLREC_BUILD_TESTS=ON >/dev/null
	cmake --build build -j $(JOBS)
	tools/soak.py build

bundle:
	launch/make_bundle.sh

format:
	git ls-files '*.h' '*.cc' '*.cu' '*.cuh' | xargs clang-format -i

clean:
	rm -rf build build-*
