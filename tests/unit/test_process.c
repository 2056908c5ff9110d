/* SPDX-License-Identifier: MIT */
/* Processes: their memory, and what becomes of their faults. */
#include "process_fake.h"

enum call {
	BRK = 214,
	MUNMAP = 215,
	MMAP = 222,
	MPROTECT = 226,
	MADVISE = 233,
	OPENAT = 56,
	CLOSE = 57,
};

enum {
	READ = HATCH_PROT_READ,
	WRITE = HATCH_PROT_READ | HATCH_PROT_WRITE,
	EXEC = HATCH_PROT_READ | HATCH_PROT_EXEC,
	PRIVATE = 0x02,
	FIXED = 0x10,
	ANONYMOUS = 0x20,
	NO_REPLACE = 0x100000,
	HERE = -100, /* the working folder */
};

#define PAGE HATCH_PAGE_SIZE

static int64_t map_new(uint64_t hint, uint64_t size, uint64_t prot, uint64_t flags)
{
	return call(MMAP, hint, size, prot, flags | PRIVATE | ANONYMOUS, (uint64_t)-1, 0);
}

/* ---- The program that was loaded ---- */

static void test_segments(void **state)
{
	uint8_t bytes[2 * DATA_SIZE];

	(void)state;
	assert_int_equal(vcpu.frame.pc, ENTRY);
	assert_int_equal(leaf(CODE), 0); /* nothing before it is touched */
	assert_int_equal(touch(CODE, HATCH_FETCH), HATCH_RETRY);
	assert_int_equal(leaf(CODE), EXEC);
	assert_int_equal(touch(DATA + 1, HATCH_STORE), HATCH_RETRY);
	assert_int_equal(leaf(DATA), WRITE);
	peek(DATA, bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		assert_int_equal(bytes[i], i < DATA_SIZE ? 'd' : 0);
	peek(DATA + DATA_ZEROS - 1, bytes, 1);
	assert_int_equal(bytes[0], 0);
}

static void die_of(enum hatch_verdict verdict, int signal)
{
	assert_int_equal(verdict, HATCH_UNWIND);
	assert_true(k.finished);
	assert_int_equal(k.status, 128 + signal);
	assert_int_equal(process.state.signal, signal);
}

static void test_page_faults(void **state)
{
	(void)state;
	die_of(touch(0x5000, HATCH_LOAD), LINUX_SIGSEGV);
	die_of(touch(CODE, HATCH_STORE), LINUX_SIGSEGV);
	die_of(touch(DATA, HATCH_FETCH), LINUX_SIGSEGV);
	die_of(touch(HATCH_PROCESS_END - 1, HATCH_FETCH), LINUX_SIGSEGV);
	die_of(touch(HATCH_PROCESS_END - HATCH_PROCESS_STACK - 1, HATCH_LOAD), LINUX_SIGSEGV);
	assert_int_equal(touch(HATCH_PROCESS_END - HATCH_PROCESS_STACK, HATCH_STORE), HATCH_RETRY);
}

static enum hatch_verdict fault(uint64_t cause)
{
	struct hatch_event ev = { .kind = HATCH_FAULT, .fault.cause = cause };

	return trap(&process.faults, &ev);
}

static enum hatch_verdict rest(enum hatch_kind kind)
{
	struct hatch_event ev = { .kind = kind };

	return trap(&process.rest, &ev);
}

static void test_other_faults(void **state)
{
	struct hatch_event ev = { .kind = HATCH_ILLEGAL };

	(void)state;
	die_of(fault(CAUSE_FETCH_GUEST_PAGE_FAULT), LINUX_SIGSEGV);
	die_of(fault(CAUSE_LOAD_ACCESS), LINUX_SIGSEGV);
	die_of(fault(CAUSE_STORE_MISALIGNED), LINUX_SIGBUS);
	die_of(fault(CAUSE_VIRTUAL_INSTRUCTION), LINUX_SIGILL);
	die_of(trap(&process.illegal, &ev), LINUX_SIGILL);
	die_of(trap(&process.breakpoint, &ev), LINUX_SIGTRAP);
	die_of(rest(HATCH_MMIO), LINUX_SIGSEGV);
	die_of(rest(HATCH_CSR), LINUX_SIGILL);
	die_of(rest(HATCH_WFI), LINUX_SIGILL);
	assert_int_equal(rest(HATCH_INTERRUPT), HATCH_PASS);
}

/* ---- Memory ---- */

static void test_heap(void **state)
{
	uint64_t start = (uint64_t)call(BRK, 0), value = 7;

	(void)state;
	assert_int_equal(start, DATA + 2 * PAGE);
	assert_int_equal(call(BRK, start + 100), start + 100);
	poke(start + 92, &value, 8);
	die_of(touch(start + PAGE, HATCH_STORE), LINUX_SIGSEGV);
	assert_int_equal(call(BRK, start + 3 * PAGE), start + 3 * PAGE);
	assert_int_equal(peek64(start + 92), 7);
	/* What it cannot have changes nothing. */
	assert_int_equal(call(BRK, start - 1), start + 3 * PAGE);
	assert_int_equal(call(BRK, start + LIMIT), start + 3 * PAGE);
	assert_int_equal(call(BRK, UINT64_MAX), start + 3 * PAGE);
	assert_int_equal(call(BRK, HATCH_PROCESS_END), start + 3 * PAGE);
	/* Given back and taken again, it is empty. */
	assert_int_equal(call(BRK, start), start);
	assert_int_equal(leaf(start), 0);
	assert_int_equal(call(BRK, start + PAGE), start + PAGE);
	assert_int_equal(peek64(start + 92), 0);
}

static void test_heap_meets_mapping(void **state)
{
	uint64_t start = (uint64_t)call(BRK, 0);

	(void)state;
	assert_int_equal(map_new(start + PAGE, PAGE, WRITE, FIXED), start + PAGE);
	assert_int_equal(call(BRK, start + PAGE), start + PAGE);
	assert_int_equal(call(BRK, start + PAGE + 1), start + PAGE);
}

static void test_map(void **state)
{
	int64_t a = map_new(0, 2 * PAGE, WRITE, 0), b = map_new(0, 1, READ, 0);
	uint64_t before = process.state.mapped, value = 1;

	(void)state;
	assert_true(a > 0 && b > 0 && b + (int64_t)PAGE <= a);
	poke((uint64_t)a + PAGE, &value, 8);
	assert_int_equal(peek64((uint64_t)b), 0);
	assert_int_equal(process_copy_out(&process, (uint64_t)b, &value, 8), -LINUX_EFAULT);
	assert_int_equal(call(MUNMAP, (uint64_t)a + PAGE, PAGE), 0);
	assert_int_equal(process.state.mapped, before - PAGE);
	assert_int_equal(process_copy_in(&process, (uint64_t)a + PAGE, &value, 8), -LINUX_EFAULT);
	assert_int_equal(call(MUNMAP, (uint64_t)a, 2 * PAGE), 0);
	assert_int_equal(call(MUNMAP, (uint64_t)a, 2 * PAGE), 0); /* nothing there is no error */
	assert_int_equal(process.state.mapped, before - 2 * PAGE);
}

static void test_map_refused(void **state)
{
	uint64_t far = HATCH_PROCESS_END;

	(void)state;
	assert_int_equal(map_new(0, 0, READ, 0), -LINUX_EINVAL);
	assert_int_equal(map_new(0, UINT64_MAX, READ, 0), -LINUX_ENOMEM);
	assert_int_equal(map_new(0, LIMIT, READ, 0), -LINUX_ENOMEM);
	assert_int_equal(map_new(0, PAGE, 8, 0), -LINUX_EINVAL);
	assert_int_equal(map_new(0, PAGE, HATCH_PROT_ALL, 0), -LINUX_EACCES);
	assert_int_equal(map_new(0x50001, PAGE, READ, FIXED), -LINUX_EINVAL);
	assert_int_equal(map_new(0, PAGE, READ, FIXED), -LINUX_ENOMEM);
	assert_int_equal(map_new(far, PAGE, READ, FIXED), -LINUX_ENOMEM);
	assert_int_equal(map_new(far - PAGE, 2 * PAGE, READ, FIXED), -LINUX_ENOMEM);
	assert_int_equal(map_new((uint64_t)-PAGE, 2 * PAGE, READ, FIXED), -LINUX_ENOMEM);
	assert_int_equal(map_new(CODE, PAGE, READ, NO_REPLACE), -LINUX_EEXIST);
	assert_int_equal(call(MMAP, 0, PAGE, READ, ANONYMOUS, 0, 0), -LINUX_EINVAL);
	assert_int_equal(call(MUNMAP, 1, PAGE), -LINUX_EINVAL);
	assert_int_equal(call(MUNMAP, CODE, 0), -LINUX_EINVAL);
	assert_int_equal(call(MUNMAP, far - PAGE, 2 * PAGE), -LINUX_EINVAL);
	assert_int_equal(call(MUNMAP, CODE, UINT64_MAX), -LINUX_EINVAL);
}

/* Every second page taken out of one mapping: the list is full at some time, and says so. */
static void test_many_mappings(void **state)
{
	uint64_t at = (uint64_t)map_new(0, LIMIT / 2, WRITE, 0), pages = LIMIT / 2 / PAGE;
	unsigned int refused = 0;

	(void)state;
	for (uint64_t i = 0; i < pages; i += 2)
		refused += call(MUNMAP, at + i * PAGE, PAGE) == -LINUX_ENOMEM;
	assert_true(refused > 0);
	assert_int_equal(process.state.maps, HATCH_PROCESS_MAPS - 1); /* two borders at a time */
	assert_int_equal(call(MPROTECT, at + LIMIT / 2 - 2 * PAGE, PAGE, READ), -LINUX_ENOMEM);
	/* Whole mappings need no new entry. */
	assert_int_equal(call(MUNMAP, at + PAGE, PAGE), 0);
	assert_int_equal(process.state.maps, HATCH_PROCESS_MAPS - 2);
	assert_int_equal(call(MUNMAP, at, LIMIT / 2), 0);
	assert_true(process.state.maps < 8);
}

static void test_protect(void **state)
{
	uint64_t at = (uint64_t)map_new(0, 4 * PAGE, WRITE, 0), value = 5;

	(void)state;
	poke(at + PAGE, &value, 8);
	assert_int_equal(call(MPROTECT, at + PAGE, PAGE, READ), 0);
	assert_int_equal(leaf(at + PAGE), READ);
	assert_int_equal(process_copy_out(&process, at + PAGE, &value, 8), -LINUX_EFAULT);
	assert_int_equal(peek64(at + PAGE), 5);
	assert_int_equal(call(MPROTECT, at + PAGE, PAGE, EXEC), 0);
	assert_int_equal(leaf(at + PAGE), EXEC);
	assert_int_equal(call(MPROTECT, at, PAGE, HATCH_PROT_ALL), -LINUX_EACCES);
	assert_int_equal(call(MPROTECT, at + 1, PAGE, READ), -LINUX_EINVAL);
	assert_int_equal(call(MPROTECT, at, PAGE, 64), -LINUX_EINVAL);
	assert_int_equal(call(MPROTECT, at, 5 * PAGE, READ), -LINUX_ENOMEM);
	assert_int_equal(call(MPROTECT, 0, PAGE, READ), -LINUX_ENOMEM);
	assert_int_equal(call(MPROTECT, at, 0, READ), 0);
}

/* A page without rights keeps what it holds, and comes back with it. */
static void test_no_rights(void **state)
{
	uint64_t at = (uint64_t)map_new(0, PAGE, WRITE, 0), value = 5;

	(void)state;
	poke(at, &value, 8);
	assert_int_equal(call(MPROTECT, at, PAGE, 0), 0);
	assert_int_equal(leaf(at), 0);
	assert_int_equal(process_copy_in(&process, at, &value, 8), -LINUX_EFAULT);
	die_of(touch(at, HATCH_LOAD), LINUX_SIGSEGV);
	assert_int_equal(call(MPROTECT, at, PAGE, READ), 0);
	assert_int_equal(peek64(at), 5);
	assert_int_equal(call(MADVISE, at, PAGE, 4), 0);
	assert_int_equal(peek64(at), 0);
	assert_int_equal(call(MADVISE, at, PAGE, 3), 0);
	assert_int_equal(call(MADVISE, at + 1, PAGE, 4), -LINUX_EINVAL);
	assert_int_equal(call(MADVISE, at - PAGE, PAGE, 4), -LINUX_ENOMEM);
	assert_int_equal(call(MADVISE, at, UINT64_MAX, 4), -LINUX_ENOMEM);
}

static void test_map_file(void **state)
{
	int64_t file = call(OPENAT, (uint64_t)HERE, text("/data/a"), 0), at;
	int64_t folder = call(OPENAT, (uint64_t)HERE, text("/data"), 0);
	char bytes[8] = "xxxxxxx";

	(void)state;
	at = call(MMAP, 0, 2 * PAGE, WRITE, PRIVATE, (uint64_t)file, 0);
	assert_int_equal(call(CLOSE, (uint64_t)file), 0); /* the mapping stays */
	peek((uint64_t)at, bytes, 7);
	assert_string_equal(bytes, "first");
	poke((uint64_t)at, "F", 1);
	assert_memory_equal(files.file[hatch_files_find(&files, 0, "/data/a", true)].data, "f", 1);
	assert_int_equal(peek64((uint64_t)at + PAGE), 0); /* behind its end: zeros */
	assert_int_equal(call(MMAP, 0, PAGE, READ, PRIVATE, (uint64_t)file, 0), -LINUX_EBADF);
	assert_int_equal(call(MMAP, 0, PAGE, READ, PRIVATE, (uint64_t)folder, 0), -LINUX_EACCES);
	assert_int_equal(call(MMAP, 0, PAGE, READ, PRIVATE, 1, 0), -LINUX_EACCES);
	file = call(OPENAT, (uint64_t)HERE, text("/data/a"), 0);
	assert_int_equal(call(MMAP, 0, PAGE, READ, PRIVATE, (uint64_t)file, 1), -LINUX_EINVAL);
	assert_int_equal(call(MMAP, 0, PAGE, WRITE, 1, (uint64_t)file, 0), -LINUX_EACCES);
	at = call(MMAP, 0, PAGE, READ, PRIVATE, (uint64_t)file, (uint64_t)1 << 62);
	assert_int_equal(peek64((uint64_t)at), 0);
}

static void test_no_memory(void **state)
{
	uint64_t at = (uint64_t)map_new(0, PAGE, WRITE, 0);
	size_t before = arena.bytes;

	(void)state;
	for (int left = 0; left < 3; left++) {
		arena.fail_after = left;
		if (touch(at, HATCH_STORE) == HATCH_RETRY)
			break;
		assert_int_equal(k.verdict, HATCH_UNWIND);
		assert_false(k.finished);
		assert_int_equal(k.status, HATCH_ENOMEM);
		assert_int_equal(arena.bytes, before);
	}
	arena.fail_after = NEVER;
	assert_int_equal(touch(at, HATCH_STORE), HATCH_RETRY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_segments, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_page_faults, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_other_faults, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_heap, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_heap_meets_mapping, world_setup,
						world_teardown),
		cmocka_unit_test_setup_teardown(test_map, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_map_refused, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_many_mappings, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_protect, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_no_rights, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_map_file, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_no_memory, world_setup, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
