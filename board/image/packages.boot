# The kernel, the boot loader and the initramfs's one tool. KERNEL is arm64 or amd64.
linux-image-KERNEL
systemd-boot-efi
busybox-static
