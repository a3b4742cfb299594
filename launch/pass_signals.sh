# Sourced by the scripts of this folder that wait for a launcher.
# shellcheck shell=bash
# shellcheck disable=SC2034 # code is for the scripts

# run_passing "SIGNAL..." PROGRAM [WORD...]: runs the program in the background and passes those signals on to it while this
# waits, after a call of `noted SIGNAL`, which the script defines. Sets code to its exit code, and asked to 1 where USR1 came.
run_passing() {
  local signal
  asked=0
  code=0
  new=0
  launcher=""
  for signal in $1; do
    # shellcheck disable=SC2064 # each trap has its own signal
    trap "pass_on $signal" "$signal"
  done
  shift
  "$@" &
  launcher=$!
  [ "$asked" = 0 ] || kill -USR1 "$launcher" # it came before there was one
  wait "$launcher"
  code=$?
  while [ "$new" = 1 ]; do # a signal ends `wait`, not the program
    new=0
    wait "$launcher"
    code=$?
  done
}

# shellcheck disable=SC2317 # the traps call it
pass_on() {
  new=1
  [ "$1" != USR1 ] || asked=1
  noted "$1"
  [ -z "$launcher" ] || kill "-$1" "$launcher"
}
