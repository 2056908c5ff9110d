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
	uint64_t size;	/* bytes, a multiple of 4 KiB */
	void *host;	/* the memory behind it; NULL when its pages come on demand */
	bool owned;	/* host goes back to the memory with the last guest that has it */
	uint16_t block; /* the family's count of these guests; 0: there is but this one */
};

struct hatch_family;
struct hatch_pool_page;

/*
 * Several harts may run vcpus of the guest at once, and use the functions below meanwhile, except
 * where they say that none may run. `stage` has the lock for the tables, and, when pages are shared,
 * their pool; the list of regions is not changed while another hart runs the guest.
 * Invariants: regions do not overlap; an address is RAM exactly if a region contains it, whether
 * or not a page is mapped there at the moment. A guest that was cloned, is a clone, or had a
 * transaction must not be moved to another address.
 */
struct hatch_guest {
	struct hatch_gstage stage;
	struct hatch_region region[HATCH_GUEST_REGIONS];
	unsigned int regions;
	/* What follows belongs to guest_share.c and guest_undo.c. */
	struct hatch_family *family; /* with whom it may share pages; NULL: with nobody ever */
	struct hatch_pool_page *log; /* what the open transaction replaced, newest first */
	uint32_t transaction;	     /* the number of the open one; 0: none */
	uint32_t freed_before;	     /* stage.freed when it was begun */
	uint32_t freed_leaves;	     /* stage.freed when the next was found */
	uint64_t *leaves;	     /* the last table of 4 KiB leaves that a write fault met */
	uint64_t leaves_at;	     /* gpa >> 21 of what it translates, and 1; 0: none */
	bool marked;	/* no leaf that may be shared is writable, but those in the log */
	uint64_t harts; /* that may have cached translations, by their ids; all ones: all. Atomic */
	struct hatch_lock entry; /* guards the next two */
	unsigned int entered;	 /* tries of its vcpus that are in the middle of a run */
	bool exclusive;		 /* one of them is transactional: the others are of its hart */
};

/*
 * Makes a guest without memory. `memory` is borrowed and must outlive the guest.
 * Uses the translation mode of hatch_hart_facts: the smallest that the machine offers.
 * Errors: HATCH_ENOMEM, HATCH_ENOTSUP (no G-stage translation: not a machine with H).
 */
int hatch_guest_init(struct hatch_guest *guest, const struct hatch_memory *memory);

/*
 * Gives back all memory, but what guests of the same family still have. No vcpu of the guest may
 * run any more. An open transaction ends with it.
 */
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
 * Whether all of [gpa, gpa+size) is mapped with the rights `prot`. Size 0 is. Changes nothing.
 * Errors: HATCH_EFAULT.
 */
int hatch_guest_check(const struct hatch_guest *guest, hatch_gpa gpa, size_t size,
		      unsigned int prot);

/*
 * Copies between host and guest memory, page by page, with the guest's own rights. Writing gives
 * the guest pages of its own where it shares them (hatch_guest_unshare).
 * Errors: HATCH_EFAULT (a page is not mapped, or not readable/writable for the guest),
 * HATCH_ENOMEM (no memory for a page of its own). Bytes before the faulting page have been copied.
 */
int hatch_guest_read(const struct hatch_guest *guest, hatch_gpa gpa, void *to, size_t size);
int hatch_guest_write(struct hatch_guest *guest, hatch_gpa gpa, const void *from, size_t size);

/*
 * The host's pointer to [gpa, gpa + *size): *size is cut to what is contiguous. NULL when the
 * first byte is not mapped with the rights `prot`, or when there is no memory for a page of the
 * guest's own. Good until the guest runs, is cloned, begins or ends a transaction, or its
 * mappings change. Write through it only when `prot` has WRITE: the page may be shared otherwise.
 */
void *hatch_guest_pointer(struct hatch_guest *guest, hatch_gpa gpa, size_t *size,
			  unsigned int prot);

/* ---- Sharing ---- */

/*
 * Makes `clone` a guest with the same regions, mappings, rights and contents as `guest`. Nothing
 * is copied but the tables: each page is shared until one of the two writes to it (the write
 * faults, and hatch_guest_unshare mends it). Guests that come from each other by cloning are a
 * family: any may be cloned again, and any may end first; what several have goes back to the
 * memory with the last of them.
 *
 * Shared and written by both as before: regions that were lent (the caller's own memory), and
 * what is mapped outside of all regions. Pages that a clause mapped into a lazy region are copied
 * before they are written to, and stay whose they are: they must outlive the clones as well, and
 * whoever gives them back must have kept a record of them, since a look-up finds the guest's copy
 * (hatch_mapping's `pooled`).
 *
 * No vcpu of `guest` may run on another hart; afterwards each of the two is on its own.
 *
 * A hart that sets the bits A and D of the guest's own page tables without asking the G-stage for
 * W, as QEMU 7.2 does (and later ones where henvcfg.ADUE is set), sets them for the whole family,
 * and no rollback takes them back. Everything else is private.
 *
 * `clone` is uninitialized; its vmid is 0. A transaction that is open in `guest` is not open in
 * the clone, which begins with the contents of now.
 * Errors: HATCH_EINVAL (NULL, both the same, or a guest that has ended), HATCH_ENOMEM (also when
 * the family has more than 1,000 regions of RAM that it owns). On failure there is no clone and
 * `guest` is as it was, but for writes that may fault once more.
 */
int hatch_guest_clone(struct hatch_guest *clone, struct hatch_guest *guest);

/*
 * Mends a write fault: gives the guest a page of its own at gpa, or the right to write to the one
 * that nobody else has. Costs a copy of 4 KiB, or nothing. The fence has been told.
 * Errors: HATCH_ENOENT (the leaf is not shared: the fault has another cause), HATCH_EFAULT (nothing
 * is mapped there), HATCH_ENOMEM (nothing is changed: give the memory more and run the guest
 * again).
 */
int hatch_guest_unshare(struct hatch_guest *guest, hatch_gpa gpa);

/*
 * Pages that this guest alone takes: tables, and copies that no other guest has. RAM that it was
 * given as regions is not counted. Walks all tables: for tests and accounts.
 */
size_t hatch_guest_private_pages(const struct hatch_guest *guest);

/* ---- Transactions ---- */

/*
 * From now on the contents of the guest's RAM can be put back to what they are: whatever writes
 * to a page first, guest or host, writes to a copy.
 *
 * Contents only: what is mapped, unmapped or protected within a transaction stays so, and so does
 * a region that is added. Pages that are mapped into a lazy region within it are put back to what
 * they held when they were mapped. Lent memory is the caller's own and is not put back. Neither
 * is what was written through a pointer of hatch_guest_pointer from before. One vcpu of the guest
 * runs at most, from now to the end.
 * Errors: HATCH_EINVAL, HATCH_EBUSY (one is open: commit it or roll it back), HATCH_ENOMEM.
 */
int hatch_guest_begin(struct hatch_guest *guest);

/*
 * Ends the transaction and keeps what was written. Costs nothing for a page that was not written.
 * Does nothing when none is open.
 */
void hatch_guest_commit(struct hatch_guest *guest);

/*
 * Ends the transaction and puts back what was written since hatch_guest_begin, by exchanging
 * table entries: no page is copied. Clones that were made in between keep what they have.
 * Does nothing when none is open.
 */
void hatch_guest_rollback(struct hatch_guest *guest);

#endif
