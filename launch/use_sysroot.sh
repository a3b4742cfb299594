# Sourced by gpu_steps.sh where the folder sysroot/ of a bundle is there: what cmake is told about it.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154

libraries=$root/sysroot/usr/lib/x86_64-linux-gnu
export PKG_CONFIG_SYSROOT_DIR=$root/sysroot
export PKG_CONFIG_LIBDIR=$libraries/pkgconfig
export OPAL_PREFIX=$libraries/openmpi
