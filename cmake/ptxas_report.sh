#!/bin/sh
# Compiler launcher of nvcc: runs the command and writes what ptxas says about each kernel (registers, spills,
# shared memory) to OBJECT.ptxas beside the object, which tools/kernel_resources.py reads. All else that the
# compiler says goes on to stderr. The report is there whenever the object is.
#
# usage: ptxas_report.sh COMMAND... -o OBJECT ... -Xptxas=-v ...
object=""
previous=""
for word in "$@"; do
  [ "$previous" = "-o" ] && object=$word
  previous=$word
done
[ -n "$object" ] || exec "$@"
"$@" 2>"$object.said"
status=$?
if [ "$status" -eq 0 ]; then
  grep -E '^ptxas info|bytes stack frame' "$object.said" >"$object.ptxas"
fi
grep -vE '^ptxas info|bytes stack frame' "$object.said" >&2
rm -f "$object.said"
exit "$status"
