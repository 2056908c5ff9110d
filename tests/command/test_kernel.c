/* SPDX-License-Identifier: MIT */
/* A kernel of one's own: what is none is refused. */
#include "support.h"

/* The fields of an Image's header that are looked at; SIZE bytes of a file, if it is not shorter. */
static const char *make_kernel(size_t size)
{
	const char *path = world_path("Image");
	unsigned char head[64] = { [18] = 0x10, [56] = 'R', 'S', 'C', 5 }; /* 1 MiB in RAM */
	FILE *file = fopen(path, "we");

	assert_int_equal(fwrite(head, 1, size < 64 ? size : 64, file), size < 64 ? size : 64);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(truncate(path, (off_t)size), 0);
	return path;
}

static void refuse_kernel(const char *path, const char *words)
{
	struct hatch_command *command = shell("true");
	struct hatch_child *child;

	hatch_command_kernel(command, path);
	assert_int_equal(hatch_command_spawn(command, &child), HATCH_COMMAND_EIO);
	assert_null(child);
	if (!strstr(hatch_command_problem(command), words) ||
	    !strstr(hatch_command_problem(command), path))
		fail_msg("%s", hatch_command_problem(command));
	hatch_command_free(command);
}

/* What is no kernel is refused before anything is started. */
static void test_bad(void **state)
{
	(void)state;
	refuse_kernel("/etc/passwd", "is not a riscv64 Image: give arch/riscv/boot/Image");
	refuse_kernel(make_kernel(0), "it is empty: copy it again");
	refuse_kernel(make_kernel(50), "is not a riscv64 Image");
	refuse_kernel(make_kernel(4096), "is truncated: 4096 bytes, at least 262144 expected");
	assert_int_equal(world_starts(""), 0);
}

static void test_good(void **state)
{
	struct hatch_command *command = shell("exit 7");
	struct hatch_output output;

	(void)state;
	hatch_command_kernel(command, make_kernel(262144));
	output = expect_output(command, 7);
	hatch_output_free(&output);
	hatch_command_free(command);
}

int main(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, remember_things, check_things)
	const struct CMUnitTest tests[] = { TEST(test_bad), TEST(test_good) };
	int failed;

	(void)argc;
	world_make(argv[1]);
	setenv("FAKE_QEMU", argv[1], 1);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	world_remove();
	return failed;
}
