/* SPDX-License-Identifier: MIT */
/*
 * Loads a guest's program into its RAM: a Linux kernel (RISC-V Image) with its initrd, an ELF
 * file or a flat binary. Everything in the files is untrusted: each number is checked before it
 * is used, and what is wrong is said in one line.
 */
#ifndef HATCH_HANDLERS_LINUX_H
#define HATCH_HANDLERS_LINUX_H

#include <hatch/guest.h>

/*
 * Where a file comes from. `read` copies [offset, offset + size) to `to` and returns 0 or an
 * error. A kernel, an initrd and a flat binary are read whole from offset 0, straight into guest
 * RAM, once their first bytes have been looked at; an ELF file is read here and there.
 */
struct hatch_source {
	int (*read)(void *arg, uint64_t offset, void *to, size_t size);
	void *arg;
	uint64_t size;	  /* bytes */
	const char *name; /* for messages: "the kernel" */
};

/* A source over `size` bytes in memory, which stay the caller's. */
struct hatch_source hatch_source_memory(const void *bytes, size_t size, const char *name);

/* Longest message, bytes. */
#define HATCH_LOAD_PROBLEM 240

/*
 * What has been loaded where in guest RAM [ram, ram + ram_size).
 * Invariant: [ram, low) holds the program with its zeroed data, [high, end of RAM) what was
 * placed from the top: the tree, the initrd. low <= high.
 */
struct hatch_load {
	struct hatch_guest *guest;
	hatch_gpa ram;
	uint64_t ram_size;
	hatch_gpa low, high;
	hatch_gpa entry;
	char problem[HATCH_LOAD_PROBLEM]; /* why the last call failed, one line without newline */
};

/*
 * Begins to load into the region of RAM at `ram`. The guest is borrowed.
 * Errors: HATCH_EFAULT (no RAM there: hatch_guest_add_ram first).
 */
int hatch_load_init(struct hatch_load *load, struct hatch_guest *guest, hatch_gpa ram);

/* Takes `size` bytes from the top of what is free, page aligned. Errors: HATCH_E2BIG. */
int hatch_load_reserve(struct hatch_load *load, uint64_t size, const char *name, hatch_gpa *at);

/* Notes in load->problem that `what` failed with an error that needs no more words. */
void hatch_load_explain(struct hatch_load *load, const char *what, int error);

/*
 * Loads a kernel Image (Linux, Documentation/arch/riscv/boot-image-header.rst).
 * Errors: HATCH_EFORMAT (not an Image, or a damaged one), HATCH_E2BIG (RAM too small), or what
 * the source's read gave. In each case load->problem says more.
 */
int hatch_linux_load(struct hatch_load *load, const struct hatch_source *source);

/*
 * Loads any other S-mode program: an ELF file to its own physical addresses, anything else as a
 * flat binary to 2 MiB above the start of RAM, entered at its first byte. Errors as above.
 */
int hatch_payload_load(struct hatch_load *load, const struct hatch_source *source);

/* Loads an initrd high in RAM: *at. Errors as above. Load the program first. */
int hatch_initrd_load(struct hatch_load *load, const struct hatch_source *source, hatch_gpa *at);

#endif
