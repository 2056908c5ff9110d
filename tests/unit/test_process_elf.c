/* SPDX-License-Identifier: MIT */
/* Processes: how a program begins, from its ELF file to its first stack. */
#include "process_fake.h"

static struct elf elf;
static struct process_program program;
static const char *problem;
static bool moves;

static int check_size(size_t size)
{
	/* In a block of its own, so that the sanitizer sees what is read behind it. */
	uint8_t *copy = malloc(size ? size : 1);
	const struct hatch_file file = { .data = copy, .size = size };
	int error;

	memcpy(copy, &elf, size);
	problem = NULL;
	error = process_elf_check(&file, &program, &moves, &problem);
	free(copy);
	if (error) {
		assert_int_equal(error, -LINUX_ENOEXEC);
		assert_non_null(problem);
	}
	return error;
}

static int check(void)
{
	return check_size(sizeof(elf));
}

static void refuse(const char *why)
{
	assert_int_equal(check(), -LINUX_ENOEXEC);
	if (!strstr(problem, why))
		fail_msg("the problem is '%s', not '%s'", problem, why);
	elf = elf_sound();
}

static void test_sound(void **state)
{
	(void)state;
	elf = elf_sound();
	assert_int_equal(check(), 0);
	assert_false(moves);
	assert_int_equal(program.end, DATA + 2 * HATCH_PAGE_SIZE);
	assert_string_equal(program.interpreter, "");
	elf.type = 3;
	elf.segment_count = 3;
	strcpy(elf.interpreter, "/lib/ld.so");
	elf.part[2] = (struct elf_part){ .type = 3,
					 .offset = offsetof(struct elf, interpreter),
					 .file_size = 11 };
	assert_int_equal(check(), 0);
	assert_true(moves);
	assert_string_equal(program.interpreter, "/lib/ld.so");
	elf.part[2].file_size = 10; /* without its end */
	refuse("interpreter");
	elf.segment_count = 3;
	elf.part[2] = (struct elf_part){ .type = 3, .offset = UINT64_MAX, .file_size = 11 };
	refuse("interpreter");
	elf.segment_count = 3;
	elf.part[2] = (struct elf_part){ .type = 3, .offset = 0, .file_size = 300 };
	refuse("interpreter");
}

static void test_header(void **state)
{
	(void)state;
	elf = elf_sound();
	elf.identification[0] = 0;
	refuse("no ELF file");
	elf.identification[4] = 1;
	refuse("riscv64");
	elf.identification[5] = 2;
	refuse("riscv64");
	elf.machine = 62;
	refuse("riscv64");
	elf.type = 1;
	refuse("no program");
	elf.segment_size = 32;
	refuse("program headers");
	elf.segment_count = 0;
	refuse("program headers");
	elf.segment_count = 65;
	refuse("program headers");
	elf.segments = sizeof(elf) - 8;
	refuse("beyond the end");
	elf.segments = UINT64_MAX - 8;
	refuse("beyond the end");
	elf.entry = UINT64_MAX;
	refuse("nowhere to begin");
	elf.part[0].type = elf.part[1].type = 4;
	refuse("nothing to load");
}

static void test_segments(void **state)
{
	(void)state;
	elf = elf_sound();
	elf.part[1].offset = sizeof(elf);
	refuse("beyond the end of the file");
	elf.part[1].offset = UINT64_MAX;
	refuse("beyond the end of the file");
	elf.part[1].file_size = UINT64_MAX;
	refuse("beyond the end of the file");
	elf.part[1].memory_size = 1;
	refuse("larger in the file");
	elf.part[1].memory_size = UINT64_MAX;
	refuse("above 4 GiB");
	elf.part[1].address = UINT64_MAX & ~UINT64_C(0xfff);
	refuse("above 4 GiB");
	elf.part[1].address = HATCH_PROCESS_END - 0x1000;
	refuse("above 4 GiB");
	elf.part[1].address++;
	refuse("keep to pages");
	elf.part[1].address = CODE;
	refuse("overlap");
	elf.part[1].address = 0;
	refuse("overlap");
	elf.part[0].flags = 7;
	refuse("written and executed");
}

static void test_truncated(void **state)
{
	(void)state;
	elf = elf_sound();
	for (size_t size = 0; size < sizeof(elf); size++)
		assert_int_equal(check_size(size), -LINUX_ENOEXEC);
}

/* Whatever is in the headers: it is refused or can be mapped, and all pages come home. */
static void test_random_damage(void **state)
{
	unsigned int started = 0;

	for (unsigned int round = 0; round < 3000; round++) {
		static const char *const argv[] = { "x", NULL };
		struct hatch_file *file;
		int error;

		world_setup(state);
		file = &files.file[hatch_files_find(&files, 0, "/bin/prog", true)];
		elf = elf_sound();
		for (uint64_t i = random_below(3) + 1; i--;)
			((uint8_t *)&elf)[random_below(64 + 2 * 56)] = (uint8_t)random_bits();
		file->data = (const uint8_t *)&elf;
		error = hatch_process_start(&process, "/bin/prog", argv, NULL);
		if (error)
			assert_non_null(process.problem);
		started += !error;
		world_teardown(state);
	}
	assert_true(started > 100);
}

static void test_start_refused(void **state)
{
	static const char *const argv[] = { "x", NULL };
	static const char *many[PROCESS_ARGS_MOST + 2];
	static char big[PROCESS_ARGS + 1];
	const char *const long_argv[] = { big, NULL };

	(void)state;
	assert_int_equal(hatch_process_start(&process, "/none", argv, NULL), HATCH_ENOENT);
	assert_non_null(process.problem);
	assert_int_equal(hatch_process_start(&process, "/data/a", argv, NULL), HATCH_EFORMAT);
	assert_int_equal(hatch_process_start(&process, "/data", argv, NULL), HATCH_EFORMAT);
	assert_int_equal(hatch_process_start(&process, NULL, argv, NULL), HATCH_EINVAL);
	assert_int_equal(hatch_process_start(&process, "/bin/prog", NULL, NULL), HATCH_EINVAL);
	memset(big, 'b', sizeof(big) - 1);
	assert_int_equal(hatch_process_start(&process, "/bin/prog", long_argv, NULL), HATCH_E2BIG);
	for (size_t i = 0; i < COUNT_OF(many) - 1; i++)
		many[i] = "";
	assert_int_equal(hatch_process_start(&process, "/bin/prog", many, NULL), HATCH_E2BIG);
	process.config.memory = HATCH_PROCESS_STACK;
	assert_int_equal(hatch_process_start(&process, "/bin/prog", argv, NULL), HATCH_ENOMEM);
	process.config.memory = LIMIT;
	assert_int_equal(hatch_process_start(&process, "/bin/prog", argv, NULL), 0);
}

static void test_no_memory(void **state)
{
	static const char *const argv[] = { "x", NULL };
	int left = 0;

	(void)state;
	for (;; left++) {
		arena.fail_after = left;
		if (!hatch_process_start(&process, "/bin/prog", argv, NULL))
			break;
		assert_true(left < 100);
	}
	arena.fail_after = NEVER;
	assert_true(left > 3);
}

/* ---- The stack ---- */

static uint64_t auxiliary(uint64_t at, uint64_t kind)
{
	for (unsigned int i = 0; i < 40; i++, at += 16) {
		uint64_t found = peek64(at);

		if (found == kind)
			return peek64(at + 8);
		if (!found)
			break;
	}
	fail_msg("no auxiliary entry %u", (unsigned int)kind);
	return 0;
}

static void expect_text(uint64_t at, const char *expected)
{
	char bytes[64];

	assert_int_equal(process_copy_text(&process, at, bytes, sizeof(bytes)), strlen(expected));
	assert_string_equal(bytes, expected);
}

/* As RISC-V's psABI has it: count, arguments, NULL, environment, NULL, auxiliary vector. */
static void test_stack(void **state)
{
	uint64_t sp = vcpu.frame.x[2];

	(void)state;
	assert_int_equal(sp % 16, 0);
	assert_true(sp < HATCH_PROCESS_END);
	assert_int_equal(peek64(sp), 2);
	expect_text(peek64(sp + 8), "prog");
	expect_text(peek64(sp + 16), "word");
	assert_int_equal(peek64(sp + 24), 0);
	expect_text(peek64(sp + 32), "A=b");
	assert_int_equal(peek64(sp + 40), 0);
	assert_int_equal(auxiliary(sp + 48, 3), CODE + 64); /* program headers */
	assert_int_equal(auxiliary(sp + 48, 4), 56);
	assert_int_equal(auxiliary(sp + 48, 5), 2);
	assert_int_equal(auxiliary(sp + 48, 6), HATCH_PAGE_SIZE);
	assert_int_equal(auxiliary(sp + 48, 7), 0);
	assert_int_equal(auxiliary(sp + 48, 9), ENTRY);
	assert_int_equal(auxiliary(sp + 48, 16), 0x112d); /* rv64gc */
	assert_int_not_equal(peek64(auxiliary(sp + 48, 25)), 0);
	expect_text(auxiliary(sp + 48, 31), "/bin/prog");
}

static void test_stack_limits(void **state)
{
	static struct process_args args;
	static uint8_t image[PROCESS_IMAGE];
	const uint64_t random[2] = { 1, 2 };
	int64_t size;

	(void)state;
	memset(&args, 0, sizeof(args));
	size = process_stack_build(&args, &program, NULL, "/x", random, 0x10000, image, 16);
	assert_int_equal(size, -LINUX_E2BIG);
	for (unsigned int i = 0; i < PROCESS_ARGS_MOST; i++)
		assert_int_equal(process_args_add(&args, i >= 500, "text"), 0);
	assert_int_equal(process_args_add(&args, true, ""), -LINUX_E2BIG);
	assert_int_equal(args.argc, 500);
	size = process_stack_build(&args, &program, NULL, "/x", random, 0x100000, image,
				   sizeof(image));
	assert_true(size > 1024 * 8 && size % 16 == 0);
	assert_int_equal(process_stack_build(&args, &program, NULL, "/x", random, 0x100000, image,
					     (size_t)size - 1),
			 -LINUX_E2BIG);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sound),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_segments),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_random_damage),
		TEST(test_start_refused),
		TEST(test_no_memory),
		TEST(test_stack),
		TEST(test_stack_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
