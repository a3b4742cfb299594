#!/usr/bin/env bash
# Packs what launch/verify_gpu.sh needs on a machine that has only NVIDIA's driver, a CUDA 13 toolkit, Python with torch
# 2.11, a C++ compiler, cmake and ninja: the committed sources, and in sysroot/ the headers and libraries of the Debian
# packages that the build uses, with the libraries that those need.
#
# usage: launch/make_bundle.sh [OUTPUT.tar.xz]     (default: build-bundle/rallrec-<commit>.tar.xz)
#
# There: tar xf rallrec-<commit>.tar.xz && rallrec/launch/verify_gpu.sh
# The machine's C library must not be older than this one's. Fails where the bundle is larger than 60 MiB.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly packages=(
  libcli11-dev libfmt-dev libgmock-dev libgtest-dev libhdf5-dev libopenmpi-dev libpcre2-dev libsimdjson-dev
  libspdlog-dev libssl-dev libtomlplusplus-dev libxxhash-dev nlohmann-json3-dev openmpi-bin openmpi-common pkgconf-bin
)
readonly most_bytes=$((60 * 1024 * 1024))
# What every machine has, or torch brings.
readonly provided='/(ld-linux|libc|libm|libdl|librt|libpthread|libgcc_s|libstdc\+\+|libgomp|libresolv|libutil)[-.]'

commit=$(git rev-parse --short=12 HEAD)
output=$(realpath -m "${1:-build-bundle/rallrec-$commit.tar.xz}")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
tree=$folder/rallrec
sysroot=$tree/sysroot
mkdir -p "$sysroot" "$(dirname "$output")"

git archive HEAD | tar x -C "$tree"
echo "$commit" >"$tree/COMMIT"

# Copies files with their folders, links as links, and what links point to, step by step.
copy() {
  local file target
  while read -r file; do
    while [ -L "$file" ]; do
      echo "$file"
      target=$(readlink "$file")
      [ "${target:0:1}" = / ] || target=$(dirname "$file")/$target
      file=$(realpath -s "$target")
    done
    [ ! -f "$file" ] || echo "$file"
  done | sed 's,^/lib/,/usr/lib/,' | sort -u | tar c --absolute-names --no-recursion -T - |
    tar x -C "$sysroot" --transform 's,^/,,' --keep-directory-symlink
}

# No static libraries where there are shared ones, no documents, no Fortran or Java.
dpkg -L "${packages[@]}" |
  grep -E '^/usr/(include|lib|share/(cmake|pkgconfig|openmpi))/|^/usr/bin/(orterun|mpirun|mpiexec|pkgconf|h5cc)' |
  grep -vE '\.mod$|\.jar$|/(liblto|vampirtrace)|/lib(hdf5|crypto|ssl|pcre2|xxhash|simdjson|spdlog|fmt)[^/]*\.a$' | copy

# The libraries that programs and libraries of the tree need, until nothing new is found.
needed() {
  find "$sysroot" -type f \( -name '*.so*' -o -perm -u+x \) -exec ldd {} + 2>/dev/null | awk '$2 == "=>" { print $3 }' |
    grep -vE "$provided" | grep -v "^$sysroot" | sort -u
}
needed | copy
find "$sysroot" -xtype l -delete

XZ_OPT='-9 -T2' tar cJf "$output" -C "$folder" rallrec
bytes=$(stat -c %s "$output")
echo "$output: $((bytes >> 20)) MiB ($bytes bytes)"
[ "$bytes" -le "$most_bytes" ] || { echo "larger than 60 MiB" >&2 && exit 1; }
