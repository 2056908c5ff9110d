/* SPDX-License-Identifier: MIT */
/* Numbers and places that the tests of a process's system calls share. */
#ifndef PROCESS_CALLS_H
#define PROCESS_CALLS_H

#include "process_fake.h"

enum call_number {
	GETCWD = 17,
	DUP = 23,
	DUP3 = 24,
	FCNTL = 25,
	IOCTL = 29,
	MKDIRAT = 34,
	FACCESSAT = 48,
	CHDIR = 49,
	FCHDIR = 50,
	OPENAT = 56,
	CLOSE = 57,
	GETDENTS64 = 61,
	LSEEK = 62,
	READ = 63,
	WRITE = 64,
	READV = 65,
	WRITEV = 66,
	PREAD64 = 67,
	PPOLL = 73,
	READLINKAT = 78,
	NEWFSTATAT = 79,
	FSTAT = 80,
	EXIT = 93,
	EXIT_GROUP = 94,
	FUTEX = 98,
	NANOSLEEP = 101,
	CLOCK_GETTIME = 113,
	CLOCK_NANOSLEEP = 115,
	KILL = 129,
	TGKILL = 131,
	SIGACTION = 134,
	SIGPROCMASK = 135,
	UNAME = 160,
	GETPID = 172,
	SOCKET = 198,
	BRK = 214,
	EXECVE = 221,
	PRLIMIT64 = 261,
	GETRANDOM = 278,
	STATX = 291,
};

#define HERE	((uint64_t)-100) /* the working folder */
#define NOWHERE UINT64_C(0x5000)
#define BUFFER	(PLACE + 0x1000)
#define STACK	(HATCH_PROCESS_END - HATCH_PROCESS_STACK)

static inline int64_t open_text(const char *path, uint64_t flags)
{
	return call(OPENAT, HERE, text(path), flags);
}

static inline void expect_buffer(const char *expected)
{
	char bytes[64] = { 0 };

	peek(BUFFER, bytes, strlen(expected));
	assert_string_equal(bytes, expected);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

/* Numbers that a malicious program would try. */
static inline uint64_t bait(void)
{
	static const uint64_t baits[] = {
		0,
		1,
		2,
		3,
		7,
		8,
		31,
		32,
		100,
		4095,
		4096,
		CODE,
		DATA,
		ENTRY,
		PLACE,
		BUFFER,
		BUFFER + 1,
		STACK,
		STACK - 1,
		HATCH_PROCESS_END - 1,
		HATCH_PROCESS_END,
		HATCH_PROCESS_END - 8,
		HATCH_PROCESS_FIRST,
		INT32_MAX,
		UINT32_MAX,
		INT64_MAX,
		(uint64_t)1 << 63,
		UINT64_MAX,
		UINT64_MAX - 7,
		UINT64_MAX - 4095,
		HERE,
		0x1000,
		0x32,
		0x12,
		0x2,
		0x100000,
		(uint64_t)1 << 38,
		(uint64_t)1 << 39,
		(uint64_t)1 << 41,
	};

	return random_below(8) ? baits[random_below(COUNT_OF(baits))] : random_number();
}

#endif
