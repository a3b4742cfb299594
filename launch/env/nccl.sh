# Sourced by the launch scripts: settings of NCCL and OpenMPI for runs on GPUs. All lines are comments, since the defaults are
# right on most machines; take away the # of the one that a symptom calls for. Values that are set already win.
# shellcheck shell=bash

# What NCCL found and uses. The first thing to look at when a job is slow or does not start.
# : "${NCCL_DEBUG:=INFO}"; export NCCL_DEBUG
# : "${NCCL_DEBUG_SUBSYS:=INIT,NET,GRAPH}"; export NCCL_DEBUG_SUBSYS

# The network that ranks find each other over. Symptom: NCCL or MPI hangs at the first collective on nodes with several
# networks, of which one is closed between nodes (docker0, a management network).
# : "${NCCL_SOCKET_IFNAME:=eth0}"; export NCCL_SOCKET_IFNAME
# : "${OMPI_MCA_btl_tcp_if_include:=eth0}"; export OMPI_MCA_btl_tcp_if_include
# : "${OMPI_MCA_oob_tcp_if_include:=eth0}"; export OMPI_MCA_oob_tcp_if_include

# InfiniBand adapters by name (ibstat lists them). Symptom: NCCL_DEBUG=INFO says NET/Socket although there is InfiniBand.
# : "${NCCL_IB_HCA:=mlx5}"; export NCCL_IB_HCA
# RoCE: the index of the GID of version 2 (show_gids). Symptom: "transport retry counter exceeded".
# : "${NCCL_IB_GID_INDEX:=3}"; export NCCL_IB_GID_INDEX
# No InfiniBand at all, to find out whether it is at fault.
# : "${NCCL_IB_DISABLE:=1}"; export NCCL_IB_DISABLE

# Reductions in an order that does not vary between calls. rallrec needs it only for reductions that it gives to NCCL in a
# fast mode: its own sums go through a fixed tree, and of NCCL it takes data movement.
# : "${NCCL_NVLS_ENABLE:=0}"; export NCCL_NVLS_ENABLE
# : "${NCCL_ALGO:=Ring}"; export NCCL_ALGO
# : "${NCCL_PROTO:=Simple}"; export NCCL_PROTO

# Where ranks cannot bootstrap over MPI: cluster.nccl_init = "tcp:HOST:PORT" or "file:PATH" wants a token of the job.
# : "${RALLREC_NCCL_TOKEN:=$(openssl rand -hex 16)}"; export RALLREC_NCCL_TOKEN
