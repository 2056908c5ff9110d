/* SPDX-License-Identifier: MIT */
/* The layout of a snapshot: docs/snapshots.md. All numbers are little-endian, all aligned. */
#ifndef HATCH_CORE_SNAPSHOT_H
#define HATCH_CORE_SNAPSHOT_H

#include <hatch/snapshot.h>

#define SNAPSHOT_MAGIC UINT64_C(0x50414e5348435448) /* "HTCHSNAP" */
#define SNAPSHOT_NAME  32			    /* bytes, its end included */

/* What comes next. `size` counts the bytes behind this header, a multiple of 8. */
struct snapshot_section {
	uint32_t kind; /* enum snapshot_kind */
	uint32_t version;
	uint64_t size;
};

/* They come in this order; of regions, states and pages any number. */
enum snapshot_kind {
	SNAPSHOT_CPU = 1,
	SNAPSHOT_EVENT,
	SNAPSHOT_REGION,
	SNAPSHOT_STATE,
	SNAPSHOT_PAGES,
	SNAPSHOT_END,
};

struct snapshot_start {
	uint64_t magic;
	uint32_t version, reserved;
};

struct snapshot_cpu {
	uint64_t x[32], f[32];
	uint64_t pc, sstatus, fcsr;
	uint64_t vsstatus, vsie, vstvec, vsscratch, vsepc, vscause, vstval, vsatp, vstimecmp;
	uint64_t scounteren, senvcfg, hvip, hart_id;
	uint64_t henvcfg; /* what the guest was given of the hart: this hart must have it too */
	uint64_t time;	  /* guest ticks */
};

struct snapshot_event {
	uint64_t kind, length, tval;
	uint64_t word[6]; /* by kind */
};

struct snapshot_region {
	uint64_t base, size;
	uint64_t lent; /* 1: the caller's own memory, whose bytes are not here */
};

struct snapshot_state {
	char name[SNAPSHOT_NAME];
	uint64_t size; /* bytes of the state; filled up to a multiple of 8 */
};

/* `count` pages from gpa on; their bytes follow unless `prot` is 0: then nothing is mapped. */
struct snapshot_pages {
	uint64_t gpa, count, prot;
};

/* Each word changes it, in whatever order damage comes: every step can be undone. */
static inline uint64_t snapshot_sum(uint64_t sum, const void *bytes, size_t size)
{
	const uint64_t *word = bytes;

	for (size_t i = 0; i < size / 8; i++) {
		sum = (sum ^ word[i]) * UINT64_C(0x9e3779b97f4a7c15);
		sum = sum << 29 | sum >> 35;
	}
	return sum;
}

/* A loading in progress. */
struct snapshot_load {
	struct hatch_try *t;
	struct hatch_guest *guest;
	hatch_snapshot_read *read;
	void *arg;
	uint64_t sum;
	struct snapshot_cpu cpu;
	struct hatch_event event;
	uint64_t tval;
	uint32_t regions_seen; /* a bit each */
	unsigned int states_seen;
	uint8_t *states; /* as the snapshot has them; behind that, as they were */
	size_t states_size;
	uint32_t state_seen; /* a bit each, in the order of hatch_states_save */
};

/* The next bytes, which count for the checksum. */
int hatch_snapshot_get(struct snapshot_load *load, void *bytes, size_t size);
/* The part of fixed size. With `exact` there is nothing else in the section. */
int hatch_snapshot_get_fixed(struct snapshot_load *load, const struct snapshot_section *section,
			     void *to, size_t size, bool exact);

/* snapshot_memory.c */
int hatch_snapshot_get_region(struct snapshot_load *load, const struct snapshot_section *section);
int hatch_snapshot_get_pages(struct snapshot_load *load, const struct snapshot_section *section);

/* snapshot_event.c: an event without its pointers, and back. */
void hatch_snapshot_pack(struct snapshot_event *to, const struct hatch_event *from, uint64_t tval);
/* Errors: HATCH_EFORMAT (no event could be so). */
int hatch_snapshot_unpack(struct hatch_event *to, const struct snapshot_event *from,
			  const struct hatch_vcpu *vcpu);

#endif
