/* SPDX-License-Identifier: MIT */
/*
 * G-stage translation: guest-physical to host-physical, Sv39x4 or Sv48x4.
 *
 * Privileged ISA 20240411, 18.5.1. Pure C over a memory callback: it compiles and is tested
 * natively; the only contact with the hardware is the `fence` callback.
 */
#ifndef HATCH_GSTAGE_H
#define HATCH_GSTAGE_H

#include <hatch/lock.h>

/*
 * Where the framework takes memory from. The caller owns the struct; it outlives every user.
 * The framework itself never calls malloc.
 */
struct hatch_memory {
	/* `size` zeroed bytes, aligned to `align` (a power of two); NULL when used up. */
	void *(*alloc)(void *arg, size_t size, size_t align);
	/* Gives back what alloc returned, with the same size. */
	void (*free)(void *arg, void *p, size_t size);
	/* Host-physical address of memory that alloc returned, and back. */
	hatch_hpa (*physical)(void *arg, const void *p);
	void *(*pointer)(void *arg, hatch_hpa hpa);
	void *arg;
};

/* Rights of a mapping, a bit mask. */
enum hatch_prot {
	HATCH_PROT_NONE = 0,
	HATCH_PROT_READ = 1,
	HATCH_PROT_WRITE = 2,
	HATCH_PROT_EXEC = 4,
	HATCH_PROT_ALL = 7,
};

enum hatch_gstage_mode {
	HATCH_SV39X4 = 8, /* 41-bit guest-physical addresses */
	HATCH_SV48X4 = 9, /* 50-bit */
};

struct hatch_gstage;

/*
 * What a guest that shares memory with others has to do with the changes of its tables. Set by
 * guest.h's hatch_guest_clone and hatch_guest_begin, not by callers.
 */
struct hatch_gstage_hooks {
	/*
	 * The leaf at gpa becomes writable (`fresh`: it is mapped only now). True: not yet, its
	 * first store shall fault first.
	 */
	bool (*withholds)(struct hatch_gstage *stage, hatch_gpa gpa, bool fresh);
	/* The leaf with this entry led to a page with a count of owners, and is gone. */
	void (*drop)(struct hatch_gstage *stage, uint64_t pte);
	/* The fence has been told: what nobody owns any more may go back to the memory. */
	void (*settle)(struct hatch_gstage *stage);
};

/*
 * One guest's translation tables.
 * Invariants: the root is 16 KiB, aligned to 16 KiB; every other table is one page and holds at
 * least one valid entry; `pages` counts all of them in units of HATCH_PAGE_SIZE; the root's
 * entries outside of [root_first, root_end) are empty.
 */
struct hatch_gstage {
	const struct hatch_memory *memory;
	/*
	 * Told of every change that a cached translation could contradict, a missing one included;
	 * NULL for none. Called at most once for each call below, with the smallest range that
	 * covers the entries that changed, and before a table of theirs is freed. In a range below
	 * 2 MiB only last-level leaves changed, and an HFENCE.GVMA for each page is enough; above,
	 * tables may have come or gone, which takes one without an address (18.3.2).
	 */
	void (*fence)(struct hatch_gstage *stage, hatch_gpa gpa, uint64_t size);
	const struct hatch_gstage_hooks *hooks; /* NULL: the guest never shared anything */
	uint64_t *root;
	size_t pages;
	uint32_t
		freed; /* tables that went back: what pointed into the tables before may be stale */
	enum hatch_gstage_mode mode;
	uint16_t root_first, root_end;
	uint16_t vmid;
	/*
	 * Guards the tables, and with `common` (of all guests that share memory with this one, in
	 * place of `own`) the pages that they share: from the look at an entry to the fence.
	 */
	struct hatch_lock own, *common;
};

/* What one guest-physical address translates to. */
struct hatch_mapping {
	hatch_gpa gpa;	   /* start of the leaf */
	hatch_hpa hpa;	   /* its host-physical start */
	uint64_t size;	   /* of the leaf: 4 KiB, 2 MiB, 1 GiB, 512 GiB */
	unsigned int prot; /* enum hatch_prot, or-ed; WRITE also where a store faults first */
	bool cow;	   /* a store faults until hatch_guest_unshare has given the page out */
	bool pooled;	   /* the page belongs to the guest and its clones: never free it */
};

/*
 * Makes an empty translation. Takes 16 KiB from `memory`, given back by hatch_gstage_fini.
 * Errors: HATCH_EINVAL (mode), HATCH_ENOMEM.
 */
int hatch_gstage_init(struct hatch_gstage *stage, const struct hatch_memory *memory,
		      enum hatch_gstage_mode mode, uint16_t vmid);

/* Gives every table back to the memory. Leaves the mapped memory itself alone. One fence. */
void hatch_gstage_fini(struct hatch_gstage *stage);

/*
 * Maps [gpa, gpa+size) to [hpa, hpa+size) with the biggest leaves that fit.
 * gpa, hpa and size are multiples of 4 KiB; `prot` must include READ when it includes WRITE.
 * Errors: HATCH_EINVAL (alignment, size 0, prot, beyond the address space of the mode),
 * HATCH_EOVERLAP (a page of the range is mapped: unmap it first), HATCH_ENOMEM.
 * On failure nothing stays mapped.
 */
int hatch_gstage_map(struct hatch_gstage *stage, hatch_gpa gpa, hatch_hpa hpa, uint64_t size,
		     unsigned int prot);

/*
 * Unmaps [gpa, gpa+size); parts that are not mapped are passed over. A larger leaf that sticks
 * out is split. Tables that become empty are freed.
 * Errors: HATCH_EINVAL, HATCH_ENOMEM (for a split; nothing is changed then).
 */
int hatch_gstage_unmap(struct hatch_gstage *stage, hatch_gpa gpa, uint64_t size);

/*
 * Changes the rights of [gpa, gpa+size), splitting larger leaves that stick out.
 * HATCH_PROT_NONE is refused (unmap instead). In a guest that shares memory, a leaf that gets
 * WRITE gets it at its first store, which hatch_guest_unshare mends.
 * Errors: HATCH_EINVAL, HATCH_EFAULT (a page of the range is not mapped; nothing is changed),
 * HATCH_ENOMEM.
 */
int hatch_gstage_protect(struct hatch_gstage *stage, hatch_gpa gpa, uint64_t size,
			 unsigned int prot);

/* Looks one address up. Errors: HATCH_EFAULT (not mapped). */
int hatch_gstage_lookup(const struct hatch_gstage *stage, hatch_gpa gpa, struct hatch_mapping *out);

/* The value for the hgatp register (18.2.10). */
uint64_t hatch_gstage_hgatp(const struct hatch_gstage *stage);

#endif
