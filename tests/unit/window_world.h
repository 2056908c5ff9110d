/* SPDX-License-Identifier: MIT */
/* For tests of windows: a load as the guest's hart does it, by the tables or else by the clause. */
#ifndef WINDOW_WORLD_H
#define WINDOW_WORLD_H

#include "device_bus.h"
#include "gstage_arena.h"

#include <hatch/guest.h>

/* Whether the guest's load at gpa is answered by memory, and with what. */
static inline bool window_read(const struct hatch_guest *g, uint64_t gpa, uint32_t *value)
{
	unsigned int prot;
	uint64_t hpa;

	if (!walk(&g->stage, gpa, &hpa, &prot))
		return false;
	assert_int_equal(prot, HATCH_PROT_READ);
	*value = *(uint32_t *)arena_pointer(&arena, hatch_hpa_of(hpa));
	return true;
}

/*
 * Every register that the clause has in [first, end), bytes from its start, reads through the window
 * as the clause says. Returns whether there is a window.
 */
static inline bool window_agrees(const struct hatch_guest *g, const struct hatch_catch *clause,
				 uint64_t first, uint64_t end)
{
	uint32_t value;

	if (!window_read(g, clause->first + first, &value))
		return false;
	for (uint64_t at = first; at < end; at += 4) {
		assert_true(window_read(g, clause->first + at, &value));
		assert_int_equal(value, bus_load(clause, at, 4));
	}
	return true;
}

#endif
