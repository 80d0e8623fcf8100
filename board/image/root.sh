#!/bin/sh
# root.sh NAME ARCH: the packages of packages.NAME and what they depend on, unpacked but not configured, in build/root/ARCH-NAME;
# made once and kept. Nothing of it is run, so that any machine makes a root of any architecture. Prints the directory.
set -eu
cd "$(dirname "$0")/../.."
name=$1
arch=$2
dir=$PWD/build/root/$arch-$name
packages=$(sed -e 's/#.*//' -e "s/KERNEL/$arch/" "board/image/packages.$name" | tr -s '\n' ' ')
if [ "$(cat "$dir.list" 2>/dev/null)" != "$packages" ]; then
	[ "$(id -u)" -eq 0 ] || { echo "root.sh: needs root, for owners and devices" >&2; exit 1; }
	rm -rf "$dir" "$dir.list" "$dir.part"
	mkdir -p "$dir.apt"
	tests/tools/apt_here.sh "$dir.apt"
	# shellcheck source=/dev/null
	. /etc/os-release
	mmdebstrap --quiet --mode=root --variant=extract --architectures="$arch" --aptopt="$dir.apt/apt.conf" \
		--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr --include="$packages" "$VERSION_CODENAME" "$dir.part" \
		"$dir.apt/sources.list" >"$dir.log" 2>&1 || { cat "$dir.log" >&2; exit 1; }
	# An absolute link leads out of here, and a linker that finds no libz.so takes libz.a.
	find "$dir.part/usr" -type l -lname '/*' | while read -r link; do
		ln -sfnr "$dir.part$(readlink "$link")" "$link"
	done
	mv "$dir.part" "$dir"
	echo "$packages" | tr -d '\n' >"$dir.list"
fi
echo "$dir"
