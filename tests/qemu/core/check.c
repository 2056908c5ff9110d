/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include <hatch/board.h>

#include "check.h"

#define CANARIES (HATCH_PAGE_SIZE / sizeof(uint64_t))

static _Alignas(4096) uint64_t canary[CANARIES];
static char reason[240];
static uint64_t random_state;

static void reason_set(int line, const char *format, va_list args)
{
	int n = snprintf(reason, sizeof(reason), "line %d: ", line);

	vsnprintf(reason + n, sizeof(reason) - (size_t)n, format, args);
}

bool check_that(bool good, int line, const char *format, ...)
{
	va_list args;

	if (good || reason[0])
		return good;
	va_start(args, format);
	reason_set(line, format, args);
	va_end(args);
	return false;
}

bool check_equal(uint64_t actual, uint64_t expected, int line, const char *what)
{
	return check_that(actual == expected, line, "%s is 0x%" PRIx64 ", expected 0x%" PRIx64,
			  what, actual, expected);
}

void check_say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("# ");
	vprintf(format, args);
	printf("\n");
	va_end(args);
}

const uint64_t *check_canary(void)
{
	return canary;
}

static void canary_inspect(void)
{
	for (size_t i = 0; i < CANARIES; i++)
		check_equal(canary[i], CHECK_CANARY, __LINE__, "the host's canary");
}

static bool check_one(const struct check *check, size_t number)
{
	uint64_t before = hatch_board_memory_free();

	reason[0] = '\0';
	check->run();
	check_equal(hatch_board_memory_free(), before, __LINE__, "free memory afterwards");
	canary_inspect();
	if (reason[0])
		printf("not ok %zu %s: %s\n", number, check->name, reason);
	else
		printf("ok %zu %s\n", number, check->name);
	return !reason[0];
}

int check_all(const struct check *checks, size_t count)
{
	size_t failed = 0;

	for (size_t i = 0; i < CANARIES; i++)
		canary[i] = CHECK_CANARY;
	for (size_t i = 0; i < count; i++)
		failed += !check_one(&checks[i], i + 1);
	printf("1..%zu\n", count);
	return failed ? 1 : 0;
}

void check_seed(uint64_t seed)
{
	random_state = seed ? seed : 1;
}

uint64_t check_random(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * UINT64_C(0x2545f4914f6cdd1d);
}
