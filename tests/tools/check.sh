#!/bin/sh
# check.sh MAKE…: builds and runs the kinds of tests in $KINDS, and sums their counts in one last line.
set -u
out=$(mktemp)
trap 'rm -f "$out"' EXIT
bad=0
for kind in $KINDS; do
	{ "$@" --no-print-directory -s "$kind" 2>&1 || echo "CHECK_FAILED"; } | tee -a "$out" | grep -v '^CHECK_FAILED$'
done
grep -q '^CHECK_FAILED$' "$out" && bad=1
awk '/^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$/ { p += $1; f += $3; s += $5 }
     END { printf "\n%d passed, %d failed, %d skipped\n", p, f, s; exit p == 0 || f > 0 }' "$out" || bad=1
exit $bad
