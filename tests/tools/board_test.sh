#!/bin/bash
# The board test on two boxes at once: updates on the second, since each waits long for its own. What that one said comes last.
#   XINBIAN_BIN: the programs and board_run    XINBIAN_IMAGE    suites…: these alone, on one box
set -euo pipefail
[ $# -eq 0 ] || exec "$XINBIAN_BIN/tests/board_run" "$@"
said=$(mktemp)
"$XINBIAN_BIN/tests/board_run" image_update >"$said" 2>&1 &
updates=$!
trap 'kill "$updates" 2>/dev/null || true; rm -f "$said"' EXIT
trap 'exit 130' INT TERM
status=0
"$XINBIAN_BIN/tests/board_run" -image_update || status=$?
wait "$updates" || status=$?
cat "$said"
exit "$status"
