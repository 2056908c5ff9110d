/* SPDX-License-Identifier: MIT */
/*
 * A guest: the world that a program sees when it runs inside a try. Memory only; the registers
 * are the vcpu's (vcpu.h).
 */
#ifndef HATCH_GUEST_H
#define HATCH_GUEST_H

#include <hatch/gstage.h>

#define HATCH_GUEST_REGIONS 16

/* One range of guest RAM. Everything outside all regions is I/O: an access is an mmio event. */
struct hatch_region {
	hatch_gpa base;
	uint64_t size; /* bytes, a multiple of 4 KiB */
	void *host;    /* the memory behind it; NULL when its pages come on demand */
	bool owned;    /* host goes back to the memory with the guest */
};

/*
 * Invariants: regions do not overlap; an address is RAM exactly if a region contains it, whether
 * or not a page is mapped there at the moment.
 */
struct hatch_guest {
	struct hatch_gstage stage;
	struct hatch_region region[HATCH_GUEST_REGIONS];
	unsigned int regions;
};

/*
 * Makes a guest without memory. `memory` is borrowed and must outlive the guest.
 * Uses the translation mode of hatch_hart_facts: the smallest that the machine offers.
 * Errors: HATCH_ENOMEM, HATCH_ENOTSUP (no G-stage translation: not a machine with H).
 */
int hatch_guest_init(struct hatch_guest *guest, const struct hatch_memory *memory);

/* Gives back all memory. No vcpu of the guest may run any more. */
void hatch_guest_fini(struct hatch_guest *guest);

/*
 * Adds `size` bytes of zeroed RAM at `base`, allocated and mapped now (no page faults later).
 * Errors: HATCH_EINVAL (alignment to 4 KiB, size), HATCH_EOVERLAP (another region),
 * HATCH_E2BIG (more than HATCH_GUEST_REGIONS), HATCH_ENOMEM. On failure nothing is added.
 */
int hatch_guest_add_ram(struct hatch_guest *guest, hatch_gpa base, uint64_t size);

/* The same, but no page is there until a clause for page events maps it. */
int hatch_guest_add_lazy(struct hatch_guest *guest, hatch_gpa base, uint64_t size);

/*
 * Lends `size` bytes of the caller's own memory at `host` to the guest with rights `prot`.
 * The memory stays the caller's and must outlive the guest. Errors as hatch_guest_add_ram.
 */
int hatch_guest_lend(struct hatch_guest *guest, hatch_gpa base, void *host, uint64_t size,
		     unsigned int prot);

/* The region that contains the address, or NULL: then the address is I/O. */
const struct hatch_region *hatch_guest_region(const struct hatch_guest *guest, hatch_gpa gpa);

/*
 * Copies between host and guest memory, page by page, with the guest's own rights.
 * Errors: HATCH_EFAULT (a page is not mapped, or not readable/writable for the guest). Bytes
 * before the faulting page have been copied.
 */
int hatch_guest_read(const struct hatch_guest *guest, hatch_gpa gpa, void *to, size_t size);
int hatch_guest_write(const struct hatch_guest *guest, hatch_gpa gpa, const void *from,
		      size_t size);

/*
 * The host's pointer to [gpa, gpa + *size): *size is cut to what is contiguous. NULL when the
 * first byte is not mapped with the rights `prot`.
 */
void *hatch_guest_pointer(const struct hatch_guest *guest, hatch_gpa gpa, size_t *size,
			  unsigned int prot);

#endif
