/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "canary_host.h"

#define ENOUGH 4 /* bytes in a row are no accident */

struct canary_count canary_count[CANARY_PATHS];

static const uint64_t canaries[] = { CHECK_CANARY, CANARY_OF_HEAP, CANARY_OF_NEIGHBOUR,
				     CANARY_OF_OLD, CANARY_OF_PROOF };

/* The byte that follows in a canary; 0 behind a byte that is in none. None has a 0. */
static uint8_t follows(uint8_t byte)
{
	static uint8_t table[256];
	static bool made;

	for (size_t i = 0; !made && i < sizeof(canaries) / sizeof(canaries[0]); i++)
		for (unsigned int n = 0; n < 64; n += 8)
			table[canaries[i] >> n & 0xff] = (uint8_t)(canaries[i] >> (n + 8) % 64);
	made = true;
	return table[byte];
}

uint64_t canary_look(struct canary_search *search, const void *bytes, uint64_t size)
{
	const uint8_t *byte = bytes;
	uint64_t found = 0;

	for (uint64_t i = 0; i < size; i++) {
		bool goes_on = search->run && byte[i] && follows(search->last) == byte[i];

		search->run = goes_on ? search->run + 1 : follows(byte[i]) != 0;
		search->last = byte[i];
		found += search->run == ENOUGH ? ENOUGH : search->run > ENOUGH;
	}
	return found;
}

void canary_look_at(enum canary_path path, const void *bytes, uint64_t size)
{
	struct canary_search search = { 0 };

	canary_count[path].found += canary_look(&search, bytes, size);
}

void canary_fill(void *at, uint64_t size, uint64_t canary)
{
	for (uint64_t i = 0; i < size / 8; i++)
		((volatile uint64_t *)at)[i] = canary;
}

bool canary_is_whole(const void *at, uint64_t size, uint64_t canary)
{
	for (uint64_t i = 0; i < size / 8; i++)
		if (((const volatile uint64_t *)at)[i] != canary)
			return false;
	return true;
}

/* ---- The account ---- */

static const char *const names[CANARY_PATHS] = {
	[CANARY_LOADS] = "loads",
	[CANARY_ATOMICS] = "atomics, LR and SC",
	[CANARY_FETCHES] = "instruction fetches",
	[CANARY_HYPERVISOR] = "HLV, HLVX and HSV",
	[CANARY_LEAVES] = "leaves of its own page tables",
	[CANARY_WALKS] = "page tables of its own that are there",
	[CANARY_ROOTS] = "roots in satp",
	[CANARY_CONSOLE] = "debug console calls",
	[CANARY_CALLS] = "other SBI calls",
	[CANARY_DISK] = "virtio, a disk",
	[CANARY_SERIAL] = "virtio, a console",
	[CANARY_REGISTERS] = "registers behind another guest's run",
	[CANARY_FREED] = "pages of an ended guest",
	[CANARY_CLONES] = "pages that clones shared",
	[CANARY_UNDONE] = "pages of an undone transaction",
	[CANARY_LOADED] = "pages of a loaded snapshot",
};

void canary_count_clear(void)
{
	memset(canary_count, 0, sizeof(canary_count));
}

void canary_count_print(void)
{
	uint64_t tries = 0, found = 0;

	for (unsigned int i = 0; i < CANARY_PATHS; i++) {
		if (!canary_count[i].tries)
			continue;
		check_say("%10" PRIu64 " tries, %" PRIu64 " bytes: %s", canary_count[i].tries,
			  canary_count[i].found, names[i]);
		tries += canary_count[i].tries;
		found += canary_count[i].found;
	}
	check_say("%" PRIu64 " tries, %" PRIu64 " bytes of a canary", tries, found);
}
