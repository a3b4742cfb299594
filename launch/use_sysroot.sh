# Sourced by gpu_steps.sh where the folder sysroot/ of a bundle is there: tells cmake to look there, and nowhere else for
# what is found there. Programs find the libraries by DT_RPATH, which holds for the libraries' own needs too.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154

usr=$root/sysroot/usr
libraries=$usr/lib/x86_64-linux-gnu
export PKG_CONFIG_SYSROOT_DIR=$root/sysroot
export PKG_CONFIG_LIBDIR=$libraries/pkgconfig:$usr/share/pkgconfig
export OPAL_PREFIX=$libraries/openmpi

# pkgconf needs a library of the sysroot, which nothing else should see.
mkdir -p "$build"
printf '#!/bin/sh\nLD_LIBRARY_PATH=%q exec %q "$@"\n' "$libraries" "$usr/bin/pkgconf" >"$build/pkg-config"
chmod +x "$build/pkg-config"

cmake_flags=(
  -DCMAKE_PREFIX_PATH="$usr"
  -DCMAKE_LIBRARY_PATH="$libraries"
  -DCMAKE_EXE_LINKER_FLAGS="-Wl,--disable-new-dtags,-rpath,$libraries,-rpath-link,$libraries"
  -DRALLREC_FMT_INCLUDE_DIR="$usr/include"
  -DRALLREC_WARNINGS_ARE_ERRORS=OFF # of another compiler
  -DPKG_CONFIG_EXECUTABLE="$root/$build/pkg-config"
  -DHDF5_ROOT="$libraries/hdf5/serial"
  -DOPENSSL_ROOT_DIR="$usr"
  -DMPI_SKIP_COMPILER_WRAPPER=ON
  -DMPI_CXX_LIB_NAMES=mpi
  -DMPI_mpi_LIBRARY="$libraries/libmpi.so.40"
  -DMPI_CXX_HEADER_DIR="$libraries/openmpi/include"
  -DMPIEXEC_EXECUTABLE="$usr/bin/orterun"
)
