#!/bin/sh
# build.sh FOLDER…: makes the Debian package of each folder (firmware, central) from FOLDER/debian and the programs in $XINBIAN_BIN.
# The packages lie in build/deb. The same commit gives the same bytes: times are the commit's, or $SOURCE_DATE_EPOCH.
# Cross-built programs: XINBIAN_DEB_ARCH is theirs, CROSS the tools' prefix, and XINBIAN_NATIVE has the same programs of this machine's
# architecture, from which dpkg-shlibdeps reads the dependencies: the libraries' packages have the same names everywhere.
set -eu
cd "$(dirname "$0")/../.."
root=$PWD
bin=$(cd "$XINBIAN_BIN" && pwd)
native=$(cd "${XINBIAN_NATIVE:-$XINBIAN_BIN}" && pwd)
arch=${XINBIAN_DEB_ARCH:-$(dpkg --print-architecture)}
out=$root/build/deb
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
release=$(sed -n 's/^#define XINBIAN_VERSION "\(.*\)"$/\1/p' firmware/*.c) # what a branch tells central of itself
version=${XINBIAN_DEB_VERSION:-${release:?}+$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y%m%d.%H%M%S)}
umask 022
export LC_ALL=C.UTF-8

put() { # MODE FROM TO: below $tree, with the directories on the way
	install -D -m "$1" "$2" "$tree/$3"
}
put_packed() { # FROM TO
	mkdir -p "$tree/$(dirname "$2")"
	gzip -9nc "$1" >"$tree/$2.gz"
	chmod 0644 "$tree/$2.gz"
}
# The part that is the same for all units comes from firmware/debian/units.NAME.
put_script() { # NAME
	sed -e "/^#UNITS#\$/{r $root/firmware/debian/units.$1
d}" "$debian/$1" >"$tree/DEBIAN/$1"
	chmod 0755 "$tree/DEBIAN/$1"
}
put_common() {
	put 0644 "$debian/copyright" "usr/share/doc/$package/copyright"
	put_packed "$work/debian/changelog" "usr/share/doc/$package/changelog"
	for page in "$debian"/man/*; do
		put_packed "$page" "usr/share/man/man${page##*.}/${page##*/}"
	done
	for unit in "$debian"/*.service; do
		put 0644 "$unit" "lib/systemd/system/${unit##*/}"
	done
	mkdir -p "$tree/DEBIAN"
	for script in postinst prerm postrm; do put_script $script; done
}
put_program() { # NAME FOLDER
	put 0755 "$bin/$1" "usr/$2/$1"
	[ "$native" = "$bin" ] && programs="$programs $tree/usr/$2/$1" || programs="$programs $native/$1"
	"${CROSS:-}strip" --strip-all --remove-section=.comment --remove-section=.note "$tree/usr/$2/$1"
}
put_firmware() {
	put_program branchd sbin
	put_program branchctl bin
	for rule in firmware/udev/*.rules; do put 0644 "$rule" "lib/udev/rules.d/${rule##*/}"; done
	put 0644 firmware/openapi.json "usr/share/doc/$package/openapi.json"
	# How a box is wired is its owner's to say: board files are configuration.
	for file in board/boards/*.conf; do
		[ -f "$file" ] || continue
		put 0644 "$file" "etc/$package/boards/${file##*/}"
		printf '/etc/%s/boards/%s\n' "$package" "${file##*/}" >>"$tree/DEBIAN/conffiles"
	done
}
put_central() {
	put_program centrald sbin
	put_program centralctl bin
	for sample in central/sample/*; do put 0644 "$sample" "usr/share/doc/$package/examples/${sample##*/}"; done
}
control_make() {
	cp "$debian/control" "$work/debian/control"
	printf 'xinbian (%s) stable; urgency=medium\n\n  * Built from its source of %s.\n\n -- %s  %s\n' "$version" \
		"$(date -u -d "@$SOURCE_DATE_EPOCH" +%F)" "$(sed -n 's/^Maintainer: //p' "$debian/control")" \
		"$(date -u -R -d "@$SOURCE_DATE_EPOCH")" >"$work/debian/changelog"
}
finish() {
	(cd "$tree" && find . -type f ! -path './DEBIAN/*' -printf '%P\0' | sort -z | xargs -0 md5sum >DEBIAN/md5sums)
	(
		cd "$work"
		# shellcheck disable=SC2086 ; several
		dpkg-shlibdeps -Tsubstvars $programs
		DEB_HOST_ARCH=$arch dpkg-gencontrol -p"$package" -Ptree -Tsubstvars -ffiles -ldebian/changelog -cdebian/control
	)
	find "$tree" -exec touch -hd "@$SOURCE_DATE_EPOCH" {} +
	dpkg-deb --root-owner-group -Zxz --build "$tree" "$out" >/dev/null
}

mkdir -p "$out"
for folder in "$@"; do
	debian=$root/$folder/debian
	package=$(sed -n 's/^Package: //p' "$debian/control")
	work=$root/build/deb/tmp/$package
	tree=$work/tree
	rm -rf "$work"
	programs=""
	rm -f "$out/$package"_*_"$arch.deb"
	mkdir -p "$work/debian" "$tree"
	control_make
	put_common
	"put_$folder"
	finish
	ls "$out/$package"_*_"$arch.deb"
done
