/* SPDX-License-Identifier: MIT */
/* What canaries are, and the account of where they were looked for. */
#ifndef CANARY_HOST_H
#define CANARY_HOST_H

#include <hatch/guest.h>

#include "canary_world.h"
#include "check.h"

/*
 * The canaries, each repeated over the memory that it is for. No byte occurs twice in all of them:
 * four bytes in a row tell where they are from. Each of their words is an instruction that no CPU
 * has, but in CHECK_CANARY.
 */
#define CANARY_OF_HEAP	    UINT64_C(0x9695942b9392910b)
#define CANARY_OF_NEIGHBOUR UINT64_C(0xa6a5a47ba3a2a15b)
#define CANARY_OF_OLD	    UINT64_C(0xb6b5b4abb3b2b18b) /* a guest that was there before */
#define CANARY_OF_PROOF	    UINT64_C(0xd6d5d4fbd3d2d1db) /* is mapped: it must be found */

struct canary_count {
	uint64_t tries, found; /* found: bytes of a canary */
	uint64_t foreign;      /* tries that got something where nothing is */
};
extern struct canary_count canary_count[CANARY_PATHS];

void canary_count_clear(void);
void canary_count_print(void); /* one line for each path, and the sum */

/* Fills memory with a canary, and tells whether it is still there. */
void canary_fill(void *at, uint64_t size, uint64_t canary);
bool canary_is_whole(const void *at, uint64_t size, uint64_t canary);

/* A stream of bytes, as far as it came. */
struct canary_search {
	uint8_t last;
	uint64_t run; /* bytes that follow each other in a canary */
};

/* Looks at the next bytes of a stream, and counts those of a canary, four in a row at least. */
uint64_t canary_look(struct canary_search *search, const void *bytes, uint64_t size);

/* The same for bytes that stand alone; they count for the path. */
void canary_look_at(enum canary_path path, const void *bytes, uint64_t size);

/*
 * canary_neighbour.c: memory for the guest's RAM (returned), with a page of a canary ahead of it and
 * that of another guest right behind, which is full of one; run, it leaves one in all registers.
 */
uint8_t *canary_neighbour_make(void);
void canary_neighbour_run(void);
void canary_neighbour_end(void); /* and nothing of it was changed */

void canary_lend(struct hatch_guest *to, uint64_t gpa, void *at, uint64_t size);

/* Where there is something to look for: memory, the tables of a G-stage, the neighbour's. */
void canary_add_bait(struct canary_orders *orders, const void *at, uint64_t size);
void canary_add_tables(struct canary_orders *orders, const struct hatch_gstage *stage);
void canary_add_neighbours(struct canary_orders *orders);

/* canary_after.c: guests that come after others, so often. */
void canary_freed(void);
void canary_clones(void);
void canary_undone(void);
void canary_loaded(void);

#ifndef CANARY_TRIES
#define CANARY_TRIES  50000 /* of one guest that is alive */
#define CANARY_ROUNDS 4	    /* of canary_after.c */
#endif

#endif
