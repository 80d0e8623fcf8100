#!/bin/sh
# apt_here.sh DIR: this machine's apt sources of Debian's (DIR/sources.list) and its way to them (DIR/apt.conf), for mmdebstrap.
set -eu
origin() { apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Identifier: Packages' 'Origin: Debian' | sort -u; }
[ -n "$(origin)" ] || apt-get -qq update
origin >"$1/sources.list"
[ -s "$1/sources.list" ] || { echo "This machine has no apt source of Debian's." >&2; exit 1; }
apt-config dump --format '%f "%v";%n' Acquire::http Acquire::https >"$1/apt.conf" # a proxy, for one
