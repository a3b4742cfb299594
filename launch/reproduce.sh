#!/usr/bin/env bash
# Makes the paper's tables and figures (arXiv 2502.06101), or their small twins, one experiment after the other.
#
# usage: launch/reproduce.sh [--dry-run | --help] [TABLE...]        (default: all of table1 table3 table4 figure3 figure4)
#   TABLE      a name of configs/experiments: also alpha and deviations
#   --dry-run  prints the cells of each experiment and the stages they share; runs nothing
#
# SCALE=full   the paper's setting. Hardware: Llama-3.1-8B-Instruct in models/, the raw data sets in data/ (docs/formats.md
#              says which files; they may not be redistributed), and GPUs or many cores. Nobody has run it to its end yet
#              (docs/reproduction.md), so there is no time to state; `rallrec plan` estimates each config's tune.
# SCALE=small  SmolLM2-135M on MovieLens-100K, which tools/setup.sh fetches. Hardware: two cores and 4 GiB. Takes: 36
#              minutes for table1 and 23 for table4 on two cores of 2023 beside compilers; the others have not been timed.
# Finished stages are shared between tables and skipped: stop it at any time and start it again.
# ends with  0 all tables made · else the code of the first experiment that failed; 75 = stopped on request, start again
#
#   SCALE=small launch/reproduce.sh table1
#   LAUNCH="sbatch --dependency=singleton --nodes=4 launch/run_slurm.sbatch" launch/reproduce.sh       a job per table, in turn

set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
: "${SCALE:=full}"                  # full or small
: "${LAUNCH:=launch/run_local.sh}"  # what starts `experiment --config F`
: "${STORE:=runs/store}"            # finished stages, shared between the tables
: "${RALLREC:=build/rallrec}"       # for --dry-run
export RALLREC

# shellcheck source=launch/dry_run.sh
source launch/dry_run.sh
[ "${1-}" != --help ] || { print_head "$0" && exit 0; }
dry=0
[ "${1-}" != --dry-run ] || { dry=1 && shift; }
[ $# -gt 0 ] || set -- table1 table3 table4 figure3 figure4
case "$SCALE" in
  full) suffix="" ;;
  small) suffix=_small ;;
  *) echo "SCALE=$SCALE: expected full or small" >&2 && exit 64 ;;
esac
for table in "$@"; do
  [ -r "configs/experiments/$table$suffix.toml" ] || {
    echo "configs/experiments/$table$suffix.toml: no such experiment; see launch/reproduce.sh --help" >&2
    exit 66
  }
done
[ "$dry" = 0 ] || require_program "$RALLREC"

first=0
for table in "$@"; do
  config=configs/experiments/$table$suffix.toml
  echo "== $table ($config)"
  if [ "$dry" = 1 ]; then
    dry_run 1 1 experiment --config "$config"
  else
    # shellcheck disable=SC2086
    $LAUNCH experiment --config "$config" --store "$STORE"
  fi
  code=$?
  [ "$code" -ne 75 ] || exit 75
  [ "$code" -eq 0 ] || { echo "$table ended with $code; going on with the next" >&2 && first=${first/#0/$code}; }
done
exit "$first"
