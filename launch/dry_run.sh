# Sourced by the scripts of this folder: what --dry-run and --help print. Uses $RALLREC and $PLAN_DEVICE.
# shellcheck shell=bash

# The head of a script without its comment signs.
print_head() { sed -n '2,/^$/{s/^# \{0,1\}//;/^SBATCH/d;/^shellcheck/d;p}' "$1"; }

# dry_run RANKS NODES COMMAND [FLAG...]: prints the resolved config of that rallrec command, then what the rank that
# takes most holds and moves with that many ranks (of an experiment: its cells). Starts nothing; exit codes are rallrec's.
dry_run() {
  local ranks=$1 nodes=$2 command=$3
  local settings=() plan=() config=""
  shift 3
  while [ $# -gt 0 ]; do
    case "$1" in
      --config) config=${2-} && settings+=("$1" "${2-}") && shift ;;
      --config=*) config=${1#*=} && settings+=("$1") ;;
      --set | --quant | --run-dir) settings+=("$1" "${2-}") && shift ;;
      --set=* | --quant=* | --run-dir=*) settings+=("$1") ;;
      --model | --train | --threads) plan+=("$1" "${2-}") && shift ;;
      --model=* | --train=* | --threads=*) plan+=("$1") ;;
    esac
    shift || break
  done
  if [ "$command" = experiment ]; then
    "$RALLREC" experiment --config "$config" --dry-run
    return
  fi
  "$RALLREC" config show "${settings[@]}" || return
  case "$command" in
    run | describe | embed | tune | infer) ;;
    *) echo "# no plan of $command: it has no LLM" && return ;;
  esac
  case " ${plan[*]-} " in
    *" --threads"*) ;;
    *) [ -z "${OMP_NUM_THREADS-}" ] || plan+=(--threads "$OMP_NUM_THREADS") ;;
  esac
  echo "# rallrec plan --ranks $ranks --nodes $nodes --device ${PLAN_DEVICE:-cpu}"
  "$RALLREC" plan "${settings[@]}" "${plan[@]}" --ranks "$ranks" --nodes "$nodes" --device "${PLAN_DEVICE:-cpu}"
}

# require_program PATH: exit code 66 where it was not built.
require_program() {
  [ -x "$1" ] && return
  echo "$1: no such program; build it with \`make\`, or set RALLREC to where it is" >&2
  exit 66
}

# require_count NAME LEAST: exit code 64 where that variable is no whole number from LEAST on.
require_count() {
  [[ ${!1} =~ ^[0-9]{1,9}$ ]] && [ "${!1}" -ge "$2" ] && return
  echo "$1=${!1}: expected a whole number from $2" >&2
  exit 64
}
