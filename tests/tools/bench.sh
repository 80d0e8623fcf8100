#!/bin/sh
# bench.sh GROUP…: runs bench_GROUP of $XINBIAN_BIN for each and puts their rows into build/bench.json, where the rows of
# groups not run now stay as they are.
set -eu
mkdir -p build
rows=$(mktemp)
trap 'rm -f "$rows"' EXIT
export XINBIAN_BENCH_ROWS="$rows"
model=$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)
echo "machine: ${model:-$(uname -m)}, $(nproc) cores, $(awk '/^MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo), Linux $(uname -r), load $(cut -d' ' -f1 /proc/loadavg)"
for group in "$@"; do
	echo
	echo "== $group"
	"$XINBIAN_BIN/bench_$group"
done
[ -f build/bench.json ] || echo '[]' >build/bench.json
jq -s --slurpfile old build/bench.json \
	'. as $new | ($new | map(.name | split(".")[0]) | unique) as $groups
	 | [$old[0][] | select((.name | split(".")[0]) as $g | $groups | index($g) | not)] + $new' "$rows" >"$rows.json"
mv "$rows.json" build/bench.json
echo
echo "build/bench.json: $(jq length build/bench.json) rows"
