/* SPDX-License-Identifier: MIT */
/*
 * What the guest and its host have agreed on: calls about updates, and a device of four dials.
 */
#ifndef UPDATE_H
#define UPDATE_H

#include <stdint.h>

#define UPDATE_EID 0x08555044

enum update_call {
	UPDATE_NEXT = 0, /* a0: address of the guest's settings -> a0: version of the update */
	UPDATE_PART = 1, /* a0: number of a dial -> a0: its new value, a1: the part's checksum */
	UPDATE_FAIL = 2, /* a0: number of the dial whose part was bad. Does not return. */
};

#define DIALS	 4
#define DIALS_AT 0x10000000 /* guest-physical: a register of 4 bytes for each dial */

struct settings {
	uint32_t version;
	uint32_t value[DIALS];
};

/* What a part's checksum has to be. */
static inline uint32_t update_checksum(uint32_t dial, uint32_t value)
{
	return (value ^ dial) * 0x9e3779b1U;
}

#endif
