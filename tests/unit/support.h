/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the core share: cmocka with the headers that it wants before itself, numbers
 * that look random and are the same in every run, and a vcpu without a machine.
 */
#ifndef SUPPORT_H
#define SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <hatch/hatch.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#define BIT(n)		((uint64_t)1 << (n))

/* ---- Numbers ---- */

static uint64_t random_state = 0x9e3779b97f4a7c15;

/* Xorshift with shifts of full period; the multiplication hides the linear steps. */
static inline uint64_t random_bits(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * 0x2545f4914f6cdd1d;
}

static inline uint64_t random_below(uint64_t n)
{
	return random_bits() % n;
}

/* A number of random length: small ones come as often as large ones. */
static inline uint64_t random_number(void)
{
	return random_bits() >> random_below(64);
}

/* ---- Worlds ---- */

#define RAM_BASE 0x80000000ULL
#define RAM_SIZE 0x10000ULL

/* A guest whose RAM is only a claim, for what looks at addresses and not at memory. */
struct world {
	struct hatch_guest guest;
	struct hatch_vcpu vcpu;
	struct hatch_cont cont;
};

static inline void world_init(struct world *world)
{
	*world = (struct world){ .vcpu.guest = &world->guest, .cont.vcpu = &world->vcpu };
	assert_int_equal(hatch_guest_add_lazy(&world->guest, hatch_gpa_of(RAM_BASE), RAM_SIZE),
			 HATCH_OK);
	for (unsigned int i = 0; i < 32; i++) {
		world->vcpu.frame.x[i] = i ? 0xa5a5000000000000 | i << 8 | i : 0;
		world->vcpu.fp[i] = 0xf0f0000000000000 | i << 8 | i;
	}
	world->vcpu.frame.pc = RAM_BASE + 0x1000;
	world->vcpu.frame.sstatus = BIT(8); /* SPP: from VS-mode */
	world->vcpu.full = true;
}

#endif
