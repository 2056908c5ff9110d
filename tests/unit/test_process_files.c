/* SPDX-License-Identifier: MIT */
/* Processes: files and console, call by call. */
#include "process_calls.h"

static void test_read(void **state)
{
	uint64_t file = (uint64_t)open_text("/data/a", 0);

	(void)state;
	assert_int_equal(file, 3);
	assert_int_equal(call(READ, file, BUFFER, 3), 3);
	expect_buffer("fir");
	assert_int_equal(call(READ, file, BUFFER, UINT64_MAX), 2);
	expect_buffer("st");
	assert_int_equal(call(READ, file, BUFFER, 10), 0);
	assert_int_equal(call(PREAD64, file, BUFFER, 2, 1), 2);
	expect_buffer("ir");
	assert_int_equal(call(PREAD64, file, BUFFER, 2, UINT64_MAX), -LINUX_EINVAL);
	assert_int_equal(call(LSEEK, file, (uint64_t)-2, 2), 3);
	assert_int_equal(call(LSEEK, file, (uint64_t)-1, 1), 2);
	assert_int_equal(call(READ, file, BUFFER, 10), 3);
	assert_int_equal(call(LSEEK, file, (uint64_t)-1, 0), -LINUX_EINVAL);
	assert_int_equal(call(LSEEK, file, INT64_MAX, 2), -LINUX_EINVAL);
	assert_int_equal(call(LSEEK, file, 0, 3), -LINUX_EINVAL);
	assert_int_equal(call(LSEEK, file, INT64_MAX, 0), INT64_MAX);
	assert_int_equal(call(READ, file, BUFFER, 10), 0);
	assert_int_equal(call(LSEEK, 1, 0, 0), -LINUX_ESPIPE);
	assert_int_equal(call(READ, file, NOWHERE, 0), 0);
	assert_int_equal(call(LSEEK, file, 0, 0), 0);
	assert_int_equal(call(READ, file, NOWHERE, 5), -LINUX_EFAULT);
	assert_int_equal(call(READ, file, CODE, 5), -LINUX_EFAULT); /* not to be written */
	assert_int_equal(call(READ, 99, BUFFER, 5), -LINUX_EBADF);
	assert_int_equal(call(READ, 1, BUFFER, 5), -LINUX_EBADF);
	assert_int_equal(call(CLOSE, file), 0);
	assert_int_equal(call(CLOSE, file), -LINUX_EBADF);
}

static void test_open_refused(void **state)
{
	(void)state;
	assert_int_equal(open_text("/data/none", 0), -LINUX_ENOENT);
	assert_int_equal(open_text("/data/a/b", 0), -LINUX_ENOTDIR);
	assert_int_equal(open_text("/data/a", 1), -LINUX_EROFS);
	assert_int_equal(open_text("/data/a", 2), -LINUX_EROFS);
	assert_int_equal(open_text("/data/a", 01000), -LINUX_EROFS);
	assert_int_equal(open_text("/data/new", 0101), -LINUX_EROFS);
	assert_int_equal(open_text("/data/a", 0300), -LINUX_EEXIST);
	assert_int_equal(open_text("/data", 1), -LINUX_EISDIR);
	assert_int_equal(open_text("/data/a", 0200000), -LINUX_ENOTDIR);
	assert_int_equal(open_text("/data/link", 0400000), -LINUX_ELOOP);
	assert_int_equal(call(OPENAT, HERE, NOWHERE, 0), -LINUX_EFAULT);
	assert_int_equal(call(OPENAT, 5, text("a"), 0), -LINUX_EBADF);
	assert_int_equal(call(OPENAT, 1, text("a"), 0), -LINUX_ENOTDIR);
	assert_int_equal(call(MKDIRAT, HERE, text("/data/new"), 0755), -LINUX_EROFS);
	assert_int_equal(process.state.denied, 5);
}

/* A path that reaches the end of what is mapped without an end of its own. */
static void test_path_without_end(void **state)
{
	static char name[8192];
	uint64_t last = HATCH_PROCESS_END - 5;

	(void)state;
	poke(last, "/data", 5);
	assert_int_equal(call(OPENAT, HERE, last, 0), -LINUX_EFAULT);
	memset(name, 'x', sizeof(name) - 1);
	assert_int_equal(open_text(name, 0), -LINUX_ENAMETOOLONG);
}

static void test_allowed_folders(void **state)
{
	struct hatch_process_config config = config_of();

	world_teardown(state);
	config.allow[0] = "/data";
	world_open(&config);
	assert_int_equal(open_text("/data/a", 0), 3);
	assert_int_equal(open_text("/secret/key", 0), -LINUX_EACCES);
	assert_int_equal(open_text("/data/../secret/key", 0), -LINUX_EACCES);
	assert_int_equal(open_text("/", 0200000), -LINUX_EACCES);
	assert_int_equal(call(FACCESSAT, HERE, text("/secret/key"), 4), -LINUX_EACCES);
	assert_int_equal(call(EXECVE, text("/bin/prog"), 0, 0), -LINUX_EACCES);
	/* From a folder that is open, the way out is closed as well. */
	assert_int_equal(open_text("/data", 0200000), 4);
	assert_int_equal(call(OPENAT, 4, text("../secret/key"), 0), -LINUX_EACCES);
	world_teardown(state);
	config.allow[1] = "/nowhere";
	begin(&guest.stage, HATCH_SV39X4);
	fill_archive();
	assert_int_equal(hatch_files_init(&files, &arena.memory, archive.bytes, archive.size), 0);
	assert_int_equal(hatch_process_init(&process, &vcpu, &config), HATCH_ENOENT);
	process.state.maps = process.saved_maps = 0;
}

static void test_numbers(void **state)
{
	uint64_t file = (uint64_t)open_text("/data/a", 0), other;

	(void)state;
	other = (uint64_t)call(DUP, file);
	assert_int_equal(other, 4);
	assert_int_equal(call(READ, file, BUFFER, 2), 2);
	assert_int_equal(call(READ, other, BUFFER, 9), 3); /* they share their place */
	expect_buffer("rst");
	assert_int_equal(call(CLOSE, file), 0);
	assert_int_equal(call(LSEEK, other, 0, 0), 0);
	assert_int_equal(call(DUP3, other, 10, 02000000), 10);
	assert_int_equal(call(FCNTL, 10, 1), 1);
	assert_int_equal(call(FCNTL, 10, 2, 0), 0);
	assert_int_equal(call(FCNTL, 10, 1), 0);
	assert_int_equal(call(DUP3, 10, 10, 0), -LINUX_EINVAL);
	assert_int_equal(call(DUP3, 10, HATCH_PROCESS_OPEN, 0), -LINUX_EBADF);
	assert_int_equal(call(DUP3, 9, 10, 0), -LINUX_EBADF);
	assert_int_equal(call(FCNTL, 10, 0, 20), 20);
	assert_int_equal(call(FCNTL, 10, 0, HATCH_PROCESS_OPEN), -LINUX_EINVAL);
	assert_int_equal(call(FCNTL, 10, 77), -LINUX_EINVAL);
	assert_int_equal(call(IOCTL, 1, 0x5401), -LINUX_ENOTTY);
	assert_int_equal(call(IOCTL, 9, 0x5401), -LINUX_EBADF);
	for (unsigned int i = 0; i < HATCH_PROCESS_OPEN - 6; i++)
		assert_true(call(DUP, 10) > 0);
	assert_int_equal(call(DUP, 10), -LINUX_EMFILE);
	assert_int_equal(open_text("/data/a", 0), -LINUX_EMFILE);
	assert_int_equal(call(CLOSE, 0), 0);
	assert_int_equal(open_text("/data/b", 0), 0);
}

static void test_console(void **state)
{
	const uint64_t vector[] = { BUFFER, 2, NOWHERE, 0, BUFFER + 2, 3 };
	static char much[2 * PROCESS_CHUNK];

	(void)state;
	poke(BUFFER, "hello", 5);
	poke(PLACE, vector, sizeof(vector));
	assert_int_equal(call(WRITE, 1, BUFFER, 5), 5);
	assert_int_equal(call(WRITEV, 2, PLACE, 3), 5);
	assert_int_equal(printed_size, 10);
	assert_memory_equal(printed, "hellohello", 10);
	assert_int_equal(call(WRITE, 0, BUFFER, 5), -LINUX_EBADF);
	assert_int_equal(call(WRITE, 1, NOWHERE, 5), -LINUX_EFAULT);
	assert_int_equal(call(WRITE, 1, HATCH_PROCESS_END - 2, 5), -LINUX_EFAULT);
	/* What could be written was. */
	assert_int_equal(call(WRITE, 1, HATCH_PROCESS_END - PROCESS_CHUNK, UINT64_MAX),
			 PROCESS_CHUNK);
	assert_int_equal(call(WRITEV, 1, PLACE, 1025), -LINUX_EINVAL);
	assert_int_equal(call(WRITEV, 1, NOWHERE, 1), -LINUX_EFAULT);
	assert_int_equal(call(READ, 0, BUFFER, 5), 0);
	memset(much, 'm', sizeof(much) - 1);
	typed = much;
	assert_int_equal(call(READ, 0, NOWHERE, 5), -LINUX_EFAULT);
	assert_int_equal(call(READ, 0, BUFFER, UINT64_MAX), PROCESS_CHUNK);
	assert_int_equal(call(READ, 0, BUFFER, PROCESS_CHUNK), PROCESS_CHUNK - 1);
	assert_int_equal(call(READ, 0, BUFFER, 5), 0);
	assert_int_equal(call(READV, 0, PLACE, 1), 0);
}

/* However much it writes, the handler is soon done: a deadline cannot interrupt it. */
static void test_much_for_the_console(void **state)
{
	const uint64_t stack = HATCH_PROCESS_END - HATCH_PROCESS_STACK;
	uint64_t vector[64][2];

	(void)state;
	assert_int_equal(call(WRITE, 1, stack, HATCH_PROCESS_STACK), PROCESS_CONSOLE);
	for (size_t i = 0; i < COUNT_OF(vector); i++) {
		vector[i][0] = stack;
		vector[i][1] = PROCESS_CONSOLE - 1;
	}
	poke(PLACE, vector, sizeof(vector));
	assert_int_equal(call(WRITEV, 1, PLACE, COUNT_OF(vector)), 2 * (PROCESS_CONSOLE - 1));
}

static void test_poll(void **state)
{
	struct {
		int32_t number;
		int16_t wanted, found;
	} polls[3] = { { 0, 1, 0 }, { -1, 1, 7 }, { 9, 1, 0 } };

	(void)state;
	poke(BUFFER, polls, sizeof(polls));
	assert_int_equal(call(PPOLL, BUFFER, 3, 0, 0), 2);
	peek(BUFFER, polls, sizeof(polls));
	assert_int_equal(polls[0].found, 1);
	assert_int_equal(polls[1].found, 0);
	assert_int_equal(polls[2].found, 0x20);
	assert_int_equal(call(PPOLL, BUFFER, UINT64_MAX, 0, 0), -LINUX_EINVAL);
	assert_int_equal(call(PPOLL, NOWHERE, 1, 0, 0), -LINUX_EFAULT);
}

static void test_folders(void **state)
{
	char bytes[64];

	(void)state;
	assert_int_equal(call(GETCWD, BUFFER, 64), 2);
	expect_buffer("/");
	assert_int_equal(call(CHDIR, text("/data/../data")), 0);
	assert_int_equal(call(GETCWD, BUFFER, 64), 6);
	expect_buffer("/data");
	assert_int_equal(call(GETCWD, BUFFER, 5), -LINUX_ERANGE);
	assert_int_equal(call(GETCWD, NOWHERE, 64), -LINUX_EFAULT);
	assert_int_equal(open_text("a", 0), 3);
	assert_int_equal(call(CHDIR, text("a")), -LINUX_ENOTDIR);
	assert_int_equal(call(FCHDIR, 3), -LINUX_ENOTDIR);
	assert_int_equal(call(FCHDIR, 0), -LINUX_ENOTDIR);
	assert_int_equal(call(FCHDIR, 9), -LINUX_EBADF);
	assert_int_equal(call(READLINKAT, HERE, text("link"), BUFFER, 64), 1);
	peek(BUFFER, bytes, 1);
	assert_int_equal(bytes[0], 'a');
	assert_int_equal(call(READLINKAT, HERE, text("a"), BUFFER, 64), -LINUX_EINVAL);
	assert_int_equal(call(READLINKAT, HERE, text("link"), BUFFER, 0), -LINUX_EINVAL);
	assert_int_equal(call(FACCESSAT, HERE, text("a"), 4), 0);
	assert_int_equal(call(FACCESSAT, HERE, text("a"), 2), -LINUX_EROFS);
	assert_int_equal(call(FACCESSAT, HERE, text("a"), 1), -LINUX_EACCES);
	assert_int_equal(call(FACCESSAT, HERE, text("/bin/prog"), 1), 0);
}

/* Names of /data in the order of the archive, each once, whatever the buffer's size. */
static void test_entries(void **state)
{
	static const char *const names[] = { ".", "..", "a", "b", "link" };

	(void)state;
	for (uint64_t size = 32; size < 256; size += 8) {
		uint64_t folder = (uint64_t)open_text("/data", 0200000);
		unsigned int found = 0;
		int64_t got;

		while ((got = call(GETDENTS64, folder, BUFFER, size)) > 0) {
			for (uint64_t at = 0; at < (uint64_t)got; found++) {
				uint8_t entry[280];

				peek(BUFFER + at, entry, 32);
				assert_true(found < COUNT_OF(names));
				assert_string_equal((char *)entry + 19, names[found]);
				at += (uint64_t)(entry[16] | entry[17] << 8);
			}
		}
		assert_int_equal(got, 0);
		assert_int_equal(found, COUNT_OF(names));
		assert_int_equal(call(CLOSE, folder), 0);
	}
}

static void test_entries_refused(void **state)
{
	uint64_t folder = (uint64_t)open_text("/data", 0200000);

	(void)state;
	assert_int_equal(call(GETDENTS64, folder, BUFFER, 16), -LINUX_EINVAL);
	assert_int_equal(call(GETDENTS64, folder, NOWHERE, 64), -LINUX_EFAULT);
	assert_int_equal(call(GETDENTS64, 1, BUFFER, 64), -LINUX_ENOTDIR);
	assert_int_equal(call(GETDENTS64, 9, BUFFER, 64), -LINUX_EBADF);
	assert_int_equal(call(READ, folder, BUFFER, 64), -LINUX_EISDIR);
	/* A place of the program's own making: another folder's file, and no file at all. */
	for (uint64_t at = 2; at < 40; at++) {
		assert_int_equal(call(LSEEK, folder, at, 0), at);
		assert_true(call(GETDENTS64, folder, BUFFER, 256) >= 0);
	}
	assert_int_equal(call(LSEEK, folder, INT64_MAX, 0), INT64_MAX);
	assert_int_equal(call(GETDENTS64, folder, BUFFER, 256), 0);
}

static void test_stat(void **state)
{
	uint32_t mode;

	(void)state;
	assert_int_equal(call(NEWFSTATAT, HERE, text("/data/b"), BUFFER, 0), 0);
	peek(BUFFER + 16, &mode, 4);
	assert_int_equal(mode, HATCH_FILE_REGULAR | 0644);
	assert_int_equal(peek64(BUFFER + 48), 6);     /* size */
	assert_int_equal(peek64(BUFFER + 88), 86400); /* change */
	assert_int_equal(call(NEWFSTATAT, HERE, text("/data/link"), BUFFER, 0), 0);
	assert_int_equal(peek64(BUFFER + 48), 5);
	assert_int_equal(call(NEWFSTATAT, HERE, text("/data/link"), BUFFER, 0x100), 0);
	assert_int_equal(peek64(BUFFER + 48), 1);
	assert_int_equal(call(NEWFSTATAT, 1, text(""), BUFFER, 0x1000), 0);
	peek(BUFFER + 16, &mode, 4);
	assert_int_equal(mode & HATCH_FILE_KIND, 0020000);
	assert_int_equal(call(NEWFSTATAT, HERE, text(""), BUFFER, 0), -LINUX_ENOENT);
	assert_int_equal(call(NEWFSTATAT, 9, text(""), BUFFER, 0x1000), -LINUX_EBADF);
	assert_int_equal(call(FSTAT, 0, BUFFER), 0);
	assert_int_equal(call(FSTAT, 9, BUFFER), -LINUX_EBADF);
	assert_int_equal(call(FSTAT, 0, NOWHERE), -LINUX_EFAULT);
	assert_int_equal(call(STATX, HERE, text("/data/b"), 0, 0x7ff, BUFFER), 0);
	assert_int_equal(peek64(BUFFER + 40), 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_read),
		TEST(test_open_refused),
		TEST(test_path_without_end),
		TEST(test_allowed_folders),
		TEST(test_numbers),
		TEST(test_console),
		TEST(test_much_for_the_console),
		TEST(test_poll),
		TEST(test_folders),
		TEST(test_entries),
		TEST(test_entries_refused),
		TEST(test_stat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
