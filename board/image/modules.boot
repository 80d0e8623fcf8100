# loaded in the initramfs, in this order, before the disk is looked for
virtio_pci
virtio_mmio
virtio_blk
ahci
nvme
sd_mod
mmc_block
sdhci_acpi
sdhci_pci
sdhci_iproc
usb_storage
uas
xhci_pci
squashfs
