/*
 * The appliance in QEMU's arm64 "virt" machine: the image's kernel, initramfs and disk, the machine's real GPIO controller without the
 * power button that would take its line 3, user networking with one port of 127.0.0.1 forwarded to the box's HTTPS. Seen and handled
 * from outside only: lines and power through QMP, the enrolment medium as a file. What it prints on its console is in DIR/console.log.
 */
#ifndef TESTS_SUPPORT_VM_H
#define TESTS_SUPPORT_VM_H

#include "tests/support/world.h"

/* Lines of boards/qemu-virt.conf. */
enum vm_line { VM_GREEN = 0, VM_AMBER = 1, VM_RED = 2, VM_TAMPER = 3, VM_LINK = 4, VM_HEARTBEAT = 5 };

struct vm {
	char dir[100];
	char image[200]; /* of the image: vmlinuz, initrd, disk.img */
	char dtb[120], disk[120], medium[120], log[120];
	int api_port;
	bool is_logging; /* writes of the disk also go to `log`, in dm-log-writes' format */
	pid_t pid;
	int qmp;
};

/* False (and the test is skipped) when $XINBIAN_IMAGE names no image or QEMU is missing. */
bool vm_is_there(void);
/* A fresh disk of so many MiB in a directory of its own, and an empty enrolment medium. */
void vm_open(struct vm *v, unsigned disk_mb);
void vm_start(struct vm *v);
/* The power is cut. */
void vm_cut(struct vm *v);
bool vm_is_running(const struct vm *v);
/* Until the machine has ended by itself or been cut. */
bool vm_wait_end(struct vm *v, int timeout_ms);

/* A command of QEMU's monitor; what it says goes to out. */
void vm_monitor(struct vm *v, const char *command, struct buf *out);
/* The eight GPIO lines, as the controller drives or reads them: bit n is line n. */
unsigned vm_lines(struct vm *v);
/* Line 3 goes high for 100 ms. */
void vm_pulse(struct vm *v);

/* What the guest has written to its disk since power on. */
uint64_t vm_written(struct vm *v);

/* Files of the medium; only while the machine is off, or before it has looked. */
void vm_medium_put(struct vm *v, const char *name, const char *text);
bool vm_medium_get(struct vm *v, const char *name, struct buf *out);

/* Prints the end of its console. */
void vm_tail(const struct vm *v);

#endif
