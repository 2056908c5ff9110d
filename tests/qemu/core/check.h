/* SPDX-License-Identifier: MIT */
/*
 * Checks that run in the machine: one line each, in the manner of TAP.
 *
 *	ok 1 NAME
 *	not ok 2 NAME: the first thing that was wrong
 *
 * Beside what a check expects itself, none may leak the board's memory or write where the host
 * keeps its canary.
 */
#ifndef TEST_CHECK_H
#define TEST_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct check {
	const char *name;
	void (*run)(void);
};

#define CHECK(function)                                                                            \
	{                                                                                          \
#function, function                                                                \
	}

/* Runs them all and prints the plan last. Returns the program's status: 1 when one failed. */
int check_all(const struct check *checks, size_t count);

/* A line for whoever reads the log: "# ...". */
__attribute__((format(printf, 1, 2))) void check_say(const char *format, ...);

/* Fails the running check unless `good`; only the first reason is kept. Returns good. */
__attribute__((format(printf, 3, 4))) bool check_that(bool good, int line, const char *format, ...);

bool check_equal(uint64_t actual, uint64_t expected, int line, const char *what);

#define expect(condition) check_that(condition, __LINE__, "%s", #condition)
#define expect_equal(actual, expected)                                                             \
	check_equal((uint64_t)(actual), (uint64_t)(expected), __LINE__, #actual)

/* The canary's bytes: what a guest must never see. */
#define CHECK_CANARY UINT64_C(0x5afe5ec2e7c0ffee)

/* The page of the host that is filled with the canary. */
const uint64_t *check_canary(void);

/* Pseudo-random numbers, the same ones after the same seed (xorshift64*). */
void check_seed(uint64_t seed);
uint64_t check_random(void);

#endif
