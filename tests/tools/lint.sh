#!/bin/sh
# Layers, format, compiler warnings as errors (gcc with its analyzer, clang), clang-tidy, cppcheck, complexity. Prints what it ran.
set -u
bad=0
say() { printf '%s\n' "lint: $*"; }
fail() { printf '%s\n' "lint: FAILED: $*"; bad=1; }
forbid() { # FOLDER REGEX ALLOWED-FILES-REGEX WHY
	hits=$(grep -rnE --include='*.[ch]' "$2" "$1" 2>/dev/null | grep -vE "^($3):" || true)
	[ -z "$hits" ] || { printf '%s\n' "$hits"; fail "$4"; }
}
say layers
none='-'
forbid protocol '#include "(firmware|central|board|tests)/' "$none" "protocol includes what stands above it"
forbid board '#include "(firmware|central|tests)/' "$none" "board includes what stands above it"
forbid firmware '#include "(central|tests)/' "$none" "firmware includes central or tests"
forbid central '#include "(firmware|board|tests)/' "$none" "central includes firmware, board or tests"
all='protocol firmware central board'
for folder in $all; do
	forbid $folder '#include <sqlite3' 'protocol/base/db\.c' "only db.c sees sqlite3.h"
	forbid $folder '#include <zlib' 'protocol/zip\.c' "only zip.c sees zlib.h"
	forbid $folder '#include <(zbar|jpeglib)' 'firmware/picture\.c' "only picture.c sees libzbar and libjpeg"
	forbid $folder '#include <png' '(firmware/picture|central/registry/qr)\.c' "only picture.c and qr.c see libpng"
	forbid $folder '#include <qrencode' 'central/registry/qr\.c' "only qr.c sees libqrencode"
	forbid $folder '#include <expat' 'central/score/xml\.c' "only xml.c sees expat.h"
	forbid $folder '#include <hpdf' 'central/report/pdf\.c' "only pdf.c sees hpdf.h"
	forbid $folder '#include <mosquitto' 'protocol/base/mqtt\.c' "only mqtt.c sees mosquitto.h"
	forbid $folder '#include <event2?/' 'protocol/base/(loop|http|dns)\.c' "only loop.c, http.c and dns.c see libevent"
	forbid $folder '#include <mbedtls/' 'protocol/(crypto|public_key)\.c|protocol/base/(pki|tls)\.c' "only crypto.c, public_key.c, pki.c and tls.c see mbedTLS"
	forbid $folder '#include <jansson' 'protocol/base/json\.c' "only json.c sees jansson.h"
	forbid $folder '#include <ini' 'protocol/base/config\.c' "only config.c sees ini.h"
	forbid $folder '#include <gpiod' 'board/gpiod\.c' "only gpiod.c sees gpiod.h"
	forbid $folder '#include <seccomp' 'protocol/base/sandbox\.c' "only sandbox.c sees seccomp.h"
	forbid $folder '\b(strcpy|strcat|sprintf|gets|strtok|atoi|atol|alloca|system|popen|localtime|gmtime|rand)\(' "$none" "a banned function"
done
say format
find protocol firmware central board tests -name '*.[ch]' -print0 | xargs -0 clang-format --dry-run -Werror || fail "clang-format -i sets it right"
say "tests named in tests/README.md"
absent=$(sed -n 's/^| [0-9]* | .* | \(.*\) |$/\1/p' tests/README.md | sed 's/ · /\n/g; s/\(^\|\n\)[a-z_]*: /\1/g' | while read -r name; do
	grep -rqF --include='*.c' "\"$name\"" tests || printf '%s\n' "$name"
done)
[ -z "$absent" ] || { printf '%s\n' "$absent"; fail "these tests are named and not there"; }
jobs=$(nproc)
say "gcc with -fanalyzer"
make --no-print-directory -s -j"$jobs" MODE=analyze all tests build/analyze/tests/board_run || fail gcc
say clang
make --no-print-directory -s -j"$jobs" MODE=clang all tests build/clang/tests/board_run || fail clang
say clang-tidy
find protocol firmware central board -name '*.c' -print0 |
	xargs -0 -n1 -P"$jobs" sh -c 'clang-tidy --quiet "$0" -- -std=c11 -D_GNU_SOURCE -I. 2>/dev/null' || fail clang-tidy
# With one job it also guesses across files, wrongly.
say cppcheck
cppcheck -q -j$((jobs > 1 ? jobs : 2)) --error-exitcode=1 --enable=warning,performance,portability --std=c11 --library=posix --inline-suppr \
	-D_GNU_SOURCE -I. protocol firmware central board || fail cppcheck
say complexity
find protocol firmware central board -name '*.c' -print0 | xargs -0 -r pmccabe |
	awk '$1 > 15 || $5 > 70 { print "complexity " $1 ", " $5 " lines: " $6 " " $7; bad = 1 } END { exit bad }' || fail complexity
[ $bad -eq 0 ] && say clean
exit $bad
