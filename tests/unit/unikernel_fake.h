/* SPDX-License-Identifier: MIT */
/* A guest in memory for the tests of the unikernel's calls: RAM, a page of ROM behind it, a disk. */
#ifndef UNIKERNEL_FAKE_H
#define UNIKERNEL_FAKE_H

#include "gstage_arena.h"

#include <hatch/handlers/unikernel.h>

#define RAM	    0x80000000ULL
#define RAM_SIZE    (128 * KIB)
#define ROM	    (RAM + RAM_SIZE) /* touches the RAM; not writable */
#define ROM_SIZE    (4 * KIB)
#define END	    (ROM + ROM_SIZE)
#define SECTOR	    512
#define SECTORS	    200
#define DISK_SIZE   (SECTOR * SECTORS)
#define GUARD	    64 /* bytes before and behind the disk that nothing may change */
#define GUARD_BYTE  0xee
#define UNANSWERED  0xaaaaaaaaaaaaaaaaULL
#define OPERATIONS  200000
#define OWN_ADDRESS 0x020000000001ULL

static _Alignas(4096) uint8_t ram[RAM_SIZE], rom[ROM_SIZE];
static uint8_t guarded[DISK_SIZE + 2 * GUARD], *const disk = guarded + GUARD;
static struct hatch_guest guest;
static struct hatch_vcpu vcpu;
static struct hatch_unikernel u;
static struct hatch_cont k;
static uint64_t now, seed;

/* What came out. */
static uint8_t text[2 * HATCH_UNIKERNEL_PUTS_MAX], sent[HATCH_UNIKERNEL_FRAME_MAX];
static size_t text_size, sent_size;
static bool full;

static inline uint64_t random_bits(void)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return seed ^ seed >> 29;
}

static uint64_t wall_ns(void *arg)
{
	assert_ptr_equal(arg, &u);
	return now;
}

static void write(void *arg, const void *bytes, size_t size)
{
	assert_ptr_equal(arg, &u);
	assert_true(size <= sizeof(text) - text_size);
	memcpy(text + text_size, bytes, size);
	text_size += size;
}

static bool send(void *arg, const void *frame, size_t size)
{
	assert_ptr_equal(arg, sent);
	if (full)
		return false;
	memcpy(sent, frame, size);
	sent_size = size;
	return true;
}

static void fill(uint8_t *to, size_t size)
{
	while (size--)
		*to++ = (uint8_t)(random_bits() >> 40);
}

static int setup(void **state)
{
	(void)state;
	seed = 7;
	now = 1000;
	text_size = sent_size = 0;
	full = false;
	guest = (struct hatch_guest){ .regions = 0 };
	begin(&guest.stage, HATCH_SV39X4);
	assert_int_equal(hatch_guest_lend(&guest, hatch_gpa_of(RAM), ram, RAM_SIZE, HATCH_PROT_ALL),
			 0);
	assert_int_equal(
		hatch_guest_lend(&guest, hatch_gpa_of(ROM), rom, ROM_SIZE, HATCH_PROT_READ), 0);
	fill(ram, RAM_SIZE);
	fill(rom, ROM_SIZE);
	memset(guarded, GUARD_BYTE, sizeof(guarded));
	fill(disk, DISK_SIZE);
	vcpu = (struct hatch_vcpu){ .guest = &guest };
	hatch_unikernel_init(&u, wall_ns, &u);
	u.write = write;
	u.net.send = send;
	u.net.arg = sent;
	u.net.address = OWN_ADDRESS;
	assert_int_equal(hatch_unikernel_disk(&u, disk, SECTOR, SECTORS), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < GUARD; i++) {
		assert_int_equal(guarded[i], GUARD_BYTE);
		assert_int_equal(disk[DISK_SIZE + i], GUARD_BYTE);
	}
	hatch_guest_fini(&guest);
	return 0;
}

/* Makes the call. Its verdict is among those declared. */
static enum hatch_verdict call(uint64_t function, uint64_t a0, uint64_t a1, uint64_t a2)
{
	const uint64_t arg[8] = { a0, a1, a2, 0, 0, 0, function, HATCH_UNIKERNEL_EID };
	struct hatch_event ev = { .kind = HATCH_HYPERCALL, .length = 4 };
	enum hatch_verdict verdict;

	ev.hypercall.extension = HATCH_UNIKERNEL_EID;
	ev.hypercall.function = function;
	ev.hypercall.arg = arg;
	k = (struct hatch_cont){ .vcpu = &vcpu, .value = UNANSWERED };
	verdict = u.clause.handler(u.clause.arg, &ev, &k);
	assert_int_equal(verdict, k.verdict);
	assert_true(u.clause.may & HATCH_MAY(verdict));
	return verdict;
}

/* The call is answered with this error, and the value is a1. */
#define expect(function, a0, a1, a2, error)                                                        \
	do {                                                                                       \
		assert_int_equal(call(function, a0, a1, a2), HATCH_RESUME);                        \
		assert_true(k.pair);                                                               \
		assert_int_equal((int64_t)k.value, error);                                         \
	} while (0)

#endif
