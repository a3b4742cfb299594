#!/usr/bin/env bash
# Measures how far stages scale: the same stage on several numbers of ranks, with rate, efficiency, bytes and overlap.
#
# usage: launch/scaling.sh [--dry-run | --help] strong|weak [STAGE...]      (default: tune infer embed light_gcn)
#   --dry-run  prints the resolved config, the plan of the largest number of ranks and the lines; measures nothing
#
# Writes runs/scaling/MODE/STAGE/scaling.{csv,json,png}. Nothing else may run meanwhile.
# Hardware: as many cores as RANKS x THREADS; where there are fewer, the column oversubscribed says so and the figures are
# none of scaling. Over several machines set LAUNCHER; inside a Slurm job that is done here (srun).
# Takes: about (repeats + 3) x 2 passes of each stage and number of ranks; with the defaults and ranks 1 and 2 on two cores
# of 2021 an estimated 10 minutes.
# ends with  0 all measured · 76 results differ between numbers of ranks · else the code of the first that failed
#
#   RANKS=1,2,4,8 THREADS=4 launch/scaling.sh strong tune
#   RANKS=1,2,4,8,16,32 THREADS=8 sbatch --nodes=4 --ntasks-per-node=8 --cpus-per-task=8 --exclusive launch/scaling.sh strong tune
#   LAUNCHER="mpirun --hostfile hosts.txt -n {ranks} --map-by node --bind-to none" launch/scaling.sh weak tune

set -uo pipefail
home=${RALLREC_HOME:-$(dirname "$0")/..}
[ -r "$home/launch/dry_run.sh" ] || home=${SLURM_SUBMIT_DIR:-$home} # sbatch runs a copy of this file
cd "$home" || exit 66
: "${RANKS:=1,2}"                             # numbers of ranks
: "${THREADS:=1}"                             # compute threads of each
: "${INPUT:=runs/demo/prompt/train.jsonl}"    # prompts with answers; make demo makes these
: "${COUNT:=64}"                              # prompts of a pass; weak: a quarter of it for each rank
: "${EDGES:=100000}"                          # light_gcn: of its made-up graph; weak: a quarter of it for each rank
: "${REPEATS:=5}"                             # timed passes
: "${RALLREC:=build/rallrec}"
: "${LAUNCHER:=}"                             # with {ranks} in it
: "${FLAGS:=}"                                # more words for rallrec: --mllog, --model DIR, --set KEY=VALUE
: "${PLAN_DEVICE:=cpu}"

# shellcheck source=launch/dry_run.sh
source launch/dry_run.sh
[ "${1-}" != --help ] || { print_head "$0" && exit 0; }
dry=0
[ "${1-}" != --dry-run ] || { dry=1 && shift; }
mode=${1-}
[ "$mode" = strong ] || [ "$mode" = weak ] || { print_head "$0" >&2 && exit 64; }
shift
[ $# -gt 0 ] || set -- tune infer embed light_gcn
require_program "$RALLREC"
launcher=()
if [ -n "$LAUNCHER" ]; then
  launcher=(--launcher "$LAUNCHER")
elif [ -n "${SLURM_JOB_ID-}" ]; then
  launcher=(--launcher "srun --mpi=${PMI:-pmix} --cpus-per-task=$THREADS --ntasks={ranks}")
fi
share=1
[ "$mode" = strong ] || share=4
config=configs/scaling/$mode.toml
[ "$dry" = 0 ] || dry_run "${RANKS##*,}" "${SLURM_JOB_NUM_NODES:-1}" run --config "$config" --threads "$THREADS" || exit

first=0
for stage in "$@"; do
  # shellcheck disable=SC2206
  line=("$RALLREC" bench scaling --config "$config" --mode "$mode" --stage "$stage" --ranks "$RANKS" --threads "$THREADS"
    --count $((COUNT / share)) --edges $((EDGES / share)) --repeats "$REPEATS" --output "runs/scaling/$mode/$stage"
    "${launcher[@]}" $FLAGS)
  [ "$stage" = light_gcn ] || line+=(--input "$INPUT")
  if [ "$dry" = 1 ]; then
    echo "# ${line[*]}"
    continue
  fi
  "${line[@]}"
  code=$?
  [ "$code" -eq 0 ] || { echo "$stage ended with $code" >&2 && first=${first/#0/$code}; }
done
exit "$first"
