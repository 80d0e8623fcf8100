#!/bin/bash
# image.sh ARCH: the appliance's image for arm64 or amd64, in build/image/ARCH:
#   root.squashfs   one slot: the read-only system, what a signed update replaces
#   vmlinuz, initrd kernel and initramfs; they stay with the disk
#   disk.img        the whole disk: EFI system partition, boot record, two slots (a filled); the state partition is made at first boot
# XINBIAN_BIN: the branch's programs of this architecture; XINBIAN_NATIVE, CROSS: see firmware/debian/build.sh.
#   VERSION=n   of the image, a whole number that rises; the commit's time by default
set -euo pipefail
cd "$(dirname "$0")/../.."
arch=$1
here=$PWD/board/image
out=$PWD/build/image/$arch
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
version=${VERSION:-$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y%m%d%H%M%S)}
ESP_MB=96 SLOT_MB=96
case $arch in
arm64) efi=aa64 EFI=AA64 ;;
amd64) efi=x64 EFI=X64 ;;
*) echo "image.sh: arm64 or amd64, not '$arch'" >&2; exit 2 ;;
esac
umask 022
[ "$(id -u)" -eq 0 ] || { echo "image.sh: needs root, for owners and devices" >&2; exit 1; }
say() { printf '  %-16s %s\n' "$1" "$2"; }

boot=$(board/image/root.sh boot "$arch")
base=$(board/image/root.sh appliance "$arch")
work=$out/tmp
root=$work/root
rm -rf "$work"
mkdir -p "$work"

# The system

# What nobody reads on a box without a login, and what would change it.
leave_out() {
	cd "$root"
	rm -rf usr/share/{doc,man,locale,info,lintian,bash-completion,zsh,bug,doc-base,common-licenses,perl5,menu,pixmaps,polkit-1,fonts,icons,mime,ghostscript,X11}
	rm -rf usr/lib/{apt,dpkg,modules,gcc,udev/hwdb.d,udev/hwdb.bin} usr/lib/aarch64-linux-gnu/perl* usr/lib/x86_64-linux-gnu/perl* usr/share/perl* usr/bin/perl*
	rm -rf usr/bin/{apt*,dpkg*,bash,rbash,login,su,newgrp,sg,passwd,chsh,chfn,gpasswd,chage,expiry,deb-systemd*,debconf*} usr/sbin/{adduser,addgroup,deluser,delgroup,useradd,usermod,userdel,groupadd,groupmod,groupdel,chpasswd,sulogin,agetty,getty}
	rm -rf var/* etc/{apt,dpkg,cron.*,init.d,rc?.d,logrotate.d,adduser.conf,deluser.conf,debconf.conf,alternatives}
	# devices that no branch has, and generators for what the image does not do: each costs time at every boot
	rm -f usr/lib/udev/rules.d/*-{firmware,dm,autosuspend,cdrom_id,drm,fido-id,infiniband,persistent-alsa,persistent-storage-dm,persistent-storage-tape,persistent-v4l,sensor,btrfs,camera,joystick,memory,mouse,touchpad,uaccess,seat,seat-late,probe_mtd,sound-card,debian-compat,dm-notify,hwclock,e2scrub,net-dhcp}.rules
	rm -f usr/lib/systemd/system-generators/systemd-{cryptsetup,debug,getty,gpt-auto,hibernate-resume,integritysetup,rc-local,run,system-update,sysv,veritysetup}-generator
	rm -f usr/lib/tmpfiles.d/{home,provision,systemd-nologin,systemd-pstore,x11,legacy,debian,passwd,journal-nocow}.conf
	mkdir -p usr/lib/modules var
	cd - >/dev/null
}
set_up() {
	local units=$root/etc/systemd/system unit
	cp -a "$here/tree/." "$root/"
	chown -R 0:0 "$root/etc" "$root/usr/lib/xinbian" "$root/usr/lib/systemd"
	printf 'version = %s\narch = %s\n' "$version" "$arch" >"$root/etc/xinbian-image"
	: >"$root/etc/machine-id"
	sed 's/^\([^:]*\):.*/\1:!*:0:0:99999:7:::/' "$root/etc/passwd" >"$root/etc/shadow" # nobody logs in
	chmod 0600 "$root/etc/shadow"
	mkdir -p "$units/multi-user.target.wants" "$units/sysinit.target.wants"
	for unit in xinbian-branch.service systemd-networkd.service xinbian-resolv.path xinbian-network.service xinbian-reboot.path xinbian-trial.timer; do
		ln -sf "/lib/systemd/system/$unit" "$units/multi-user.target.wants/$unit"
	done
	ln -sf /lib/systemd/system/multi-user.target "$units/default.target"
	ln -sf /lib/systemd/system/systemd-repart.service "$units/sysinit.target.wants/systemd-repart.service"
	# no login anywhere, and nothing that wants to write to the root
	for unit in getty.target getty@.service serial-getty@.service console-getty.service container-getty@.service autovt@.service emergency.service \
		rescue.service debug-shell.service systemd-firstboot.service systemd-update-utmp.service systemd-update-utmp-runlevel.service systemd-logind.service dbus.service dbus.socket systemd-update-done.service \
		ldconfig.service systemd-hwdb-update.service systemd-journal-catalog-update.service systemd-homed.service e2scrub_reap.service \
		systemd-pstore.service systemd-ask-password-console.path systemd-ask-password-wall.path \
		systemd-random-seed.service systemd-user-sessions.service systemd-binfmt.service dev-hugepages.mount dev-mqueue.mount \
		sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount sys-fs-fuse-connections.mount \
		proc-sys-fs-binfmt_misc.automount modprobe@drm.service modprobe@fuse.service modprobe@configfs.service \
		modprobe@efi_pstore.service systemd-modules-load.service systemd-pcrphase.service systemd-pcrphase-sysinit.service \
		systemd-machine-id-commit.service systemd-sysusers.service kmod-static-nodes.service systemd-fsckd.socket systemd-fsckd.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer; do
		ln -sf /dev/null "$units/$unit"
	done
	ln -sfn ../run/resolvconf/resolv.conf "$root/etc/resolv.conf"
	mkdir -p "$root"/{proc,sys,dev,run,tmp,mnt,home,srv,root}
	ln -sfn ../proc/self/mounts "$root/etc/mtab"
}
cp -a "$base" "$root"
deb=$(firmware/debian/build.sh firmware | tail -n 1)
install -D -m 0755 "$XINBIAN_BIN/xinbian-slot" "$root/usr/lib/xinbian/xinbian-slot"
"${CROSS:-}strip" "$root/usr/lib/xinbian/xinbian-slot"
dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink -C "$root"
leave_out
set_up
find "$root" -newermt "@$SOURCE_DATE_EPOCH" -exec touch -hd "@$SOURCE_DATE_EPOCH" {} +
mksquashfs "$root" "$out/root.squashfs.part" -noappend -comp lz4 -Xhc -b 128K -no-xattrs -quiet -no-progress
mv "$out/root.squashfs.part" "$out/root.squashfs"

# Kernel and initramfs

kernel=$(basename "$(echo "$boot"/usr/lib/modules/*)")
initrd=$work/initrd
copy_modules() { # those of the lists and what they need
	local name file
	sed -e 's/#.*//' "$here/modules.boot" "$here/modules.more" | while read -r name; do
		[ -n "$name" ] || continue
		modprobe -d "$boot" -S "$kernel" --show-depends "$name" 2>/dev/null || true
	done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | sort -u | while read -r file; do
		install -D -m 0644 "$file" "$initrd/lib/modules/$kernel/${file#*/modules/"$kernel"/}"
	done
	cp "$boot/usr/lib/modules/$kernel"/modules.{order,builtin,builtin.modinfo} "$initrd/lib/modules/$kernel/"
	depmod -b "$initrd" "$kernel"
}
mkdir -p "$initrd"/{bin,etc,proc,sys,dev,run,root}
[ -f "$boot/usr/lib/modules/$kernel/modules.dep" ] || depmod -b "$boot" "$kernel"
copy_modules
install -m 0755 "$boot/usr/bin/busybox" "$initrd/bin/busybox"
for name in sh mount mkdir cp cat grep usleep sleep modprobe reboot switch_root echo; do ln -s busybox "$initrd/bin/$name"; done
cp "$root/usr/lib/xinbian/xinbian-slot" "$initrd/bin/xinbian-slot"
install -m 0755 "$here/init" "$initrd/init"
sed -e 's/#.*//' -e '/^$/d' "$here/modules.boot" >"$initrd/etc/modules"
find "$initrd" -exec touch -hd "@$SOURCE_DATE_EPOCH" {} +
(cd "$initrd" && find . -print0 | sort -z | cpio --quiet -0oH newc --reproducible -R 0:0) | zstd -q -19 -T2 >"$out/initrd"
install -m 0644 "$boot/boot/vmlinuz-$kernel" "$out/vmlinuz"
cp "$here/cmdline" "$out/cmdline"

# The disk

esp=$work/esp.img
truncate -s "${ESP_MB}M" "$esp"
mformat -i "$esp" -F -v XINBIAN -N 58494e42 ::
mmd -i "$esp" ::/EFI ::/EFI/BOOT ::/loader ::/loader/entries ::/xinbian
printf 'timeout 0\neditor no\ndefault xinbian.conf\n' >"$work/loader.conf"
cat >"$work/xinbian.conf" <<-END
	title 信边 Xinbian
	linux /xinbian/vmlinuz
	initrd /xinbian/initrd
	options $(cat "$here/cmdline")
END
mcopy -m -i "$esp" "$boot/usr/lib/systemd/boot/efi/systemd-boot$efi.efi" "::/EFI/BOOT/BOOT$EFI.EFI"
mcopy -m -i "$esp" "$work/loader.conf" ::/loader/loader.conf
mcopy -m -i "$esp" "$work/xinbian.conf" ::/loader/entries/xinbian.conf
mcopy -m -i "$esp" "$out/vmlinuz" "$out/initrd" ::/xinbian/
"$XINBIAN_NATIVE/xinbian-slot" init "$work/boot.img"
disk=$out/disk.img.part
rm -f "$disk"
truncate -s $((1 + ESP_MB + 1 + 2 * SLOT_MB + 1))M "$disk"
sfdisk -q "$disk" <<-END
	label: gpt
	size=${ESP_MB}MiB, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, name=xinbian-esp
	size=1MiB, name=xinbian-boot
	size=${SLOT_MB}MiB, name=xinbian-a
	size=${SLOT_MB}MiB, name=xinbian-b
END
put() { dd if="$1" of="$disk" bs=1M seek="$2" conv=notrunc,sparse status=none; }
[ "$(stat -c %s "$out/root.squashfs")" -le $((SLOT_MB << 20)) ] || { echo "image.sh: the system is larger than a slot" >&2; exit 1; }
put "$esp" 1
put "$work/boot.img" $((1 + ESP_MB))
put "$out/root.squashfs" $((2 + ESP_MB))
mv "$disk" "$out/disk.img"
size=$(($(stat -c '%s + ' "$out/root.squashfs" "$out/vmlinuz" "$out/initrd") 0))
{
	printf 'version=%s\nbytes=%s\nkernel=%s\n' "$version" "$size" "$kernel"
} >"$out/facts"
rm -rf "$work"
say "映像 image" "$arch, version $version, Linux $kernel"
say "系统 system" "$(stat -c %s "$out/root.squashfs") B"
say "启动 boot" "$(stat -c %s "$out/vmlinuz") + $(stat -c %s "$out/initrd") B"
say "合计 total" "$size B: ${out#"$PWD/"}"
