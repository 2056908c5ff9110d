/* SPDX-License-Identifier: MIT */
/*
 * For tests of device clauses: a guest's loads and stores, made by hand and given to the handler.
 */
#ifndef DEVICE_BUS_H
#define DEVICE_BUS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <hatch/catch.h>

#define BUS_TVAL UINT64_C(0xffffffff80001234) /* the guest-virtual address of every access */

/* The last answer. */
static struct hatch_cont bus_k;

/* Asks the clause. The verdict must be one that it declares. */
static inline enum hatch_verdict bus_ask(const struct hatch_catch *clause,
					 const struct hatch_event *ev)
{
	enum hatch_verdict verdict;

	bus_k = (struct hatch_cont){ .tval = BUS_TVAL };
	verdict = clause->handler(clause->arg, ev, &bus_k);
	assert_int_equal(verdict, bus_k.verdict);
	assert_true(clause->may & HATCH_MAY(verdict));
	return verdict;
}

static inline enum hatch_verdict bus_access(const struct hatch_catch *clause, uint64_t offset,
					    unsigned int width, bool write, uint64_t value)
{
	struct hatch_event ev = { .kind = HATCH_MMIO, .length = 4 };

	ev.mmio.gpa = hatch_gpa_of(clause->first + offset);
	ev.mmio.offset = offset;
	ev.mmio.width = (uint8_t)width;
	ev.mmio.write = write;
	ev.mmio.value = width == 8 ? value : value & ((UINT64_C(1) << (8 * width)) - 1);
	return bus_ask(clause, &ev);
}

static inline uint64_t bus_load(const struct hatch_catch *clause, uint64_t offset,
				unsigned int width)
{
	assert_int_equal(bus_access(clause, offset, width, false, 0), HATCH_RESUME);
	if (width < 8)
		assert_int_equal(bus_k.value >> (8 * width), 0);
	return bus_k.value;
}

static inline void bus_store(const struct hatch_catch *clause, uint64_t offset, unsigned int width,
			     uint64_t value)
{
	assert_int_equal(bus_access(clause, offset, width, true, value), HATCH_RESUME);
}

static inline void bus_expect_fault(const struct hatch_catch *clause, uint64_t offset,
				    unsigned int width, bool write)
{
	assert_int_equal(bus_access(clause, offset, width, write, UINT64_MAX), HATCH_INJECT);
	assert_int_equal(bus_k.value, write ? CAUSE_STORE_ACCESS : CAUSE_LOAD_ACCESS);
	assert_int_equal(bus_k.second, BUS_TVAL);
}

/* Every access of a width other than `good`, and every misaligned one, is a fault. */
static inline void bus_expect_width(const struct hatch_catch *clause, uint64_t size,
				    unsigned int good)
{
	for (uint64_t offset = 0; offset < size; offset++) {
		for (unsigned int width = 1; width <= 8; width *= 2) {
			if (width == good && offset % width == 0)
				continue;
			bus_expect_fault(clause, offset, width, false);
			bus_expect_fault(clause, offset, width, true);
		}
	}
}

static inline uint32_t bus_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(*seed >> 32);
}

#endif
