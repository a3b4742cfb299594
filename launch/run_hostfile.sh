#!/usr/bin/env bash
# Runs a rallrec command on the machines of a host file, by mpirun over ssh, without a batch system.
#
# usage: launch/run_hostfile.sh [--dry-run | --help] HOSTFILE [COMMAND FLAGS...]   (default: run --config $CONFIG)
#   --dry-run  prints the resolved config and what a rank holds, moves and takes; starts nothing
#
# HOSTFILE: one machine per line, "node1" or "node1 slots=8" (OpenMPI's format; slots wins over RANKS_PER_NODE).
# Needs on every machine: the same OpenMPI, ssh without a password from here, and this folder, the model, the data and the
# run folder under the same paths (a shared file system).
# Hardware: two machines or more; with 8-bit weights each rank receives all layers it does not keep twice per wave, so
# 10 Gbit/s or better. `--dry-run` says how many bytes that is. Takes: as `rallrec plan` estimates.
# ends with  the exit code of rallrec (docs/formats.md) · 69 a machine was lost: mpirun's words name it · 137 a rank was
# killed
#
#   RANKS_PER_NODE=8 INTERFACE=eth1 launch/run_hostfile.sh hosts.txt run --config my.toml

set -uo pipefail
: "${RANKS_PER_NODE:=1}"          # where the host file names no slots
: "${THREADS:=}"                  # compute threads per rank; empty = cores of its node / ranks there
: "${CONFIG:=configs/demo.toml}"  # for the default command
: "${RALLREC:=build/rallrec}"     # on every machine
: "${INTERFACE:=}"                # name or subnet of the network to use (10.0.0.0/24); empty = all that OpenMPI finds
: "${RSH_AGENT:=ssh}"             # what starts a program on another machine
: "${LOST_AFTER:=30}"            # seconds without an answer after which a machine is lost (OpenMPI's own: 480)
: "${MPI_FLAGS:=}"                # more words for mpirun
: "${PLAN_DEVICE:=cpu}"           # --dry-run: cpu, a100, h100 or h200

home=$(cd "$(dirname "$0")/.." && pwd) || exit 1
# shellcheck source=launch/dry_run.sh
source "$home/launch/dry_run.sh"
# shellcheck source=launch/env/nccl.sh
source "$home/launch/env/nccl.sh"
# shellcheck source=launch/pass_signals.sh
source "$home/launch/pass_signals.sh"
require_count RANKS_PER_NODE 1
require_count LOST_AFTER 6
[ "${1-}" != --help ] || { print_head "$0" && exit 0; }
dry=0
[ "${1-}" != --dry-run ] || { dry=1 && shift; }
[ $# -gt 0 ] || { print_head "$0" >&2 && exit 64; }
hosts=$(realpath -m "$1")
shift
[ -r "$hosts" ] || { echo "$hosts: no such host file; one machine per line is expected" >&2 && exit 66; }
cd "$home" || exit 1
[ $# -gt 0 ] || set -- run --config "$CONFIG"
require_program "$RALLREC"

# mpirun's own words for these do not name the line.
wrong=$(awk '{ sub(/#.*/, ""); gsub(/ *= */, "=") }
  { for (word = 2; word <= NF; word++) if ($word !~ /^(slots|max[-_]slots)=[0-9]+$/) { print NR ": " $word; exit } }' "$hosts")
[ -z "$wrong" ] || { echo "$hosts:$wrong: a line is NAME or NAME slots=N" >&2 && exit 65; }

# Machines and ranks as mpirun will count them.
read -r nodes ranks < <(awk -v per="$RANKS_PER_NODE" '
  { sub(/#.*/, "") }
  NF { nodes++; slots = per; if (match($0, /slots *= *[0-9]+/)) { slots = substr($0, RSTART, RLENGTH); sub(/.*= */, "", slots) }
       ranks += slots }
  END { print nodes + 0, ranks + 0 }' "$hosts")
[ "$ranks" -gt 0 ] || { echo "$hosts: names no machine" >&2 && exit 65; }
listed=$(mktemp) || exit 74
trap 'rm -f "$listed"' EXIT
awk -v per="$RANKS_PER_NODE" '{ sub(/#.*/, "") } NF { print $0 (/slots *=/ ? "" : " slots=" per) }' "$hosts" >"$listed"

network=()
[ -z "$INTERFACE" ] || network=(--mca btl_tcp_if_include "$INTERFACE" --mca oob_tcp_if_include "$INTERFACE")
network+=(--mca oob_tcp_keepalive_time $((LOST_AFTER / 2)) --mca oob_tcp_keepalive_intvl $((LOST_AFTER / 6))
  --mca oob_tcp_keepalive_probes 3)
variables=()
[ -z "$THREADS" ] || variables=(-x OMP_NUM_THREADS="$THREADS")
# ssh brings no variables along; OpenMPI brings its own.
while IFS= read -r name; do variables+=(-x "$name"); done < <(compgen -e | grep -E '^(NCCL|RALLREC|UCX)_')
program=$(realpath "$RALLREC")
# shellcheck disable=SC2206
line=(mpirun --hostfile "$listed" -n "$ranks" --bind-to none --wdir "$home" --mca plm_rsh_agent "$RSH_AGENT"
  "${network[@]}" "${variables[@]}" $MPI_FLAGS "$program" "$@")
if [ "$dry" = 1 ]; then
  echo "# ${line[*]}"
  dry_run "$ranks" "$nodes" "$@"
  exit
fi
# USR1: checkpoint, exit 75. USR2: checkpoint.
# shellcheck disable=SC2317 # run_passing calls it
noted() { :; }
run_passing "USR1 USR2 TERM" "${line[@]}"
[ "$code" -ne 205 ] || code=69 # what mpirun ends with when it names a lost machine
exit "$code"
