#!/bin/sh
# need.sh GROUP…: installs the Debian packages of these groups that are missing, as root or through sudo.
set -eu
packages=""
for group in "$@"; do
	case $group in
	build) packages="$packages gcc libc6-dev make libsqlite3-dev libmbedtls-dev libmosquitto-dev libgpiod-dev libevent-dev libjansson-dev libinih-dev libseccomp-dev zlib1g-dev libzbar-dev libpng-dev libjpeg62-turbo-dev libqrencode-dev libexpat1-dev libhpdf-dev" ;;
	demo) packages="$packages mosquitto curl jq python3" ;;
	test) packages="$packages libcunit1-dev mosquitto curl hledger openssl procps python3 python3-stdnum sqlite3 util-linux fonts-wqy-zenhei poppler-utils" ;;
	lint) packages="$packages clang clang-tidy cppcheck pmccabe clang-format libcunit1-dev liblmdb-dev" ;;
	deb) packages="$packages dpkg-dev lintian man-db curl jq python3 mmdebstrap" ;;
	image) packages="$packages mmdebstrap squashfs-tools dosfstools mtools fdisk cpio zstd kmod gcc-aarch64-linux-gnu" ;;
	board) packages="$packages qemu-system-arm device-tree-compiler mtools e2fsprogs squashfs-tools" ;;
	fuzz) packages="$packages clang libclang-rt-14-dev python3" ;;
	bench) packages="$packages liblmdb-dev libcunit1-dev mosquitto wrk jq sqlite3 postgresql-15" ;;
	*) echo "need.sh: no group named '$group'" >&2; exit 2 ;;
	esac
done
missing=""
for p in $packages; do
	dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
done
[ -z "$missing" ] && exit 0
as_root=""
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null || { echo "These packages are missing:$missing. Install them as root, or install sudo." >&2; exit 1; }
	as_root=sudo
fi
echo "Installing:$missing"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086
$as_root apt-get update -q >/dev/null && $as_root apt-get install -y -q --no-install-recommends $missing >/dev/null
