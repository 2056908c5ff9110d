/* SPDX-License-Identifier: MIT */
/* Guests that call the SBI with everything that it does not expect. */
#include "arena.h"

static struct arena arena;

/* All registers but t0 are the host's choice. Ends with 0 behind the call. */
GUEST(one_call, "	la t0, 1f\n"
		"	csrw stvec, t0\n"
		"	ecall\n"
		"	.balign 4\n"
		"1:	li a0, 0\n"
		"	quit\n");

static const uint64_t extensions[] = {
	SBI_EXT_BASE, SBI_EXT_TIME, SBI_EXT_IPI,  SBI_EXT_RFENCE, SBI_EXT_HSM,
	SBI_EXT_SRST, SBI_EXT_DBCN, SBI_EXT_SUSP, HATCH_EID,	  HATCH_DEMO_EID,
};

#define EXTENSIONS (sizeof(extensions) / sizeof(extensions[0]))

static void call(uint64_t extension, uint64_t function)
{
	arena_again(&arena, 0, 0);
	for (unsigned int n = 0; n < 6; n++)
		*arena_x(&arena, 10 + n) = arena_bait();
	*arena_x(&arena, 16) = function;
	*arena_x(&arena, 17) = extension;
	arena_run(&arena, ARENA_SHORT);
}

static void small_ids(void)
{
	arena_of(&arena, one_call);
	check_seed(11);
	for (uint64_t id = 0; id <= 0x100; id++)
		for (unsigned int i = 0; i < 12; i++)
			call(id, check_random() % 8);
	arena_end(&arena);
}

static void every_function(void)
{
	arena_of(&arena, one_call);
	check_seed(13);
	for (size_t i = 0; i < EXTENSIONS; i++)
		for (uint64_t function = 0; function < 32; function++)
			for (unsigned int n = 0; n < (function < 8 ? 16 : 4); n++)
				call(extensions[i], function);
	arena_end(&arena);
}

static void random_functions(void)
{
	arena_of(&arena, one_call);
	check_seed(17);
	for (size_t i = 0; i < EXTENSIONS; i++)
		for (unsigned int n = 0; n < 64; n++)
			call(extensions[i], check_random());
	arena_end(&arena);
}

static void random_extensions(void)
{
	arena_of(&arena, one_call);
	check_seed(19);
	for (unsigned int n = 0; n < 1000; n++) {
		call(check_random() >> check_random() % 64, check_random() >> check_random() % 64);
	}
	arena_end(&arena);
}

/* ---- the debug console -------------------------------------------------------------------- */

/* One call; ends with the answer of it: a0 in s0, a1 in s1, status 0. */
GUEST(console_call, "	ecall\n"
		    "	mv s0, a0\n"
		    "	mv s1, a1\n"
		    "	li a0, 0\n"
		    "	quit\n");

/* The answer's a0. What the guest owns and [address, address + size) share is all that may pass. */
static void console(uint64_t function, uint64_t size, uint64_t low, uint64_t high)
{
	uint64_t before, left = WORLD_RAM + WORLD_RAM_SIZE - low;
	bool inside = low >= WORLD_RAM && low <= WORLD_RAM + WORLD_RAM_SIZE && size <= left &&
		      !high;
	uint64_t error, count;

	arena_again(&arena, size, low);
	*arena_x(&arena, 12) = high;
	*arena_x(&arena, 16) = function;
	*arena_x(&arena, 17) = SBI_EXT_DBCN;
	before = arena.console_bytes;
	arena_run(&arena, ARENA_LONG);
	expect(arena.quit);
	error = *arena_x(&arena, 8);
	count = *arena_x(&arena, 9);
	if (inside || (size == 0 && !high))
		check_that(!error && count <= size, __LINE__, "%llu bytes at 0x%llx were refused",
			   (unsigned long long)size, (unsigned long long)low);
	else
		check_that(error == (uint64_t)SBI_ERR_INVALID_PARAM, __LINE__,
			   "%llu bytes at 0x%llx%016llx gave 0x%llx", (unsigned long long)size,
			   (unsigned long long)high, (unsigned long long)low,
			   (unsigned long long)error);
	if (error)
		expect_equal(arena.console_bytes, before);
}

static void console_addresses(void)
{
	const uint64_t end = WORLD_RAM + WORLD_RAM_SIZE;
	const uint64_t lows[] = { 0,
				  WORLD_RAM - 1,
				  WORLD_DATA,
				  WORLD_DATA + 1,
				  end - 4096,
				  end - 1,
				  end,
				  HATCH_MACHINE_UART,
				  (uintptr_t)check_canary(),
				  UINT64_C(1) << 41,
				  UINT64_C(1) << 63,
				  UINT64_MAX };
	static const uint64_t sizes[] = { 0,
					  1,
					  2,
					  4095,
					  4096,
					  4097,
					  0x80000,
					  WORLD_RAM_SIZE,
					  UINT64_C(1) << 32,
					  UINT64_C(1) << 63,
					  UINT64_MAX - 0x80000000,
					  UINT64_MAX - 1,
					  UINT64_MAX };

	arena_of(&arena, console_call);
	for (size_t i = 0; i < sizeof(lows) / sizeof(lows[0]); i++)
		for (size_t n = 0; n < sizeof(sizes) / sizeof(sizes[0]); n++)
			for (uint64_t function = 0; function < 2; function++) {
				console(function, sizes[n], lows[i], 0);
				console(function, sizes[n], lows[i], 1);
				console(function, sizes[n], lows[i], UINT64_MAX);
			}
	arena_end(&arena);
}

int main(void)
{
	static const struct check checks[] = {
		CHECK(small_ids),	  CHECK(every_function),    CHECK(random_functions),
		CHECK(random_extensions), CHECK(console_addresses),
	};

	return check_all(checks, sizeof(checks) / sizeof(checks[0]));
}
