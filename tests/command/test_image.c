/* SPDX-License-Identifier: MIT */
/* Images are unpacked as they should be, once; damaged and hostile ones are refused. File systems are kept. */
#include "support.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

static char images[300];

/* The folder of what has been unpacked; only one. */
static const char *root_path(const char *name)
{
	static char path[700];
	char folder[300];
	struct dirent *entry;
	DIR *list;

	snprintf(folder, sizeof(folder), "%s", world_path("cache/image-root"));
	list = opendir(folder);
	path[0] = '\0';
	while (list && (entry = readdir(list))) {
		if (entry->d_name[0] != '.')
			snprintf(path, sizeof(path), "%s/%s/root/%s", folder, entry->d_name, name);
	}
	if (list)
		closedir(list);
	return path;
}

static void expect_file(const char *name, const char *content)
{
	FILE *file = fopen(root_path(name), "re");
	char line[100] = "";

	if (!file || !fgets(line, sizeof(line), file))
		line[0] = '\0';
	if (file)
		fclose(file);
	assert_string_equal(line, content);
}

static struct hatch_command *of_image(const char *name, const char *program)
{
	struct hatch_command *command = hatch_command_new(program);
	char path[400];

	snprintf(path, sizeof(path), "%s/%s", images, name);
	hatch_command_qemu(command, getenv("FAKE_QEMU"));
	hatch_command_image(command, path);
	return command;
}

static void forget_images(void)
{
	char line[400];

	snprintf(line, sizeof(line), "rm -rf %s", world_path("cache/image-root"));
	assert_int_equal(system(line), 0);
}

static void test_archive(void **state)
{
	struct hatch_command *command = of_image("one.tar.gz", "true");
	struct hatch_output output;
	struct stat status;

	(void)state;
	output = expect_output(command, 0);
	hatch_output_free(&output);
	expect_file("etc/base", "base\n");
	expect_file("opt/gone", "gone\n"); /* its owner could not read it */
	expect_file("ro/locked", "locked\n");
	assert_int_equal(stat(root_path("../"), &status), 0);
	assert_int_equal(status.st_mode & 0777, 0700);
	hatch_command_free(command);
	forget_images();
}

/* Of before POSIX, and without a word of what it is. */
static void test_old(void **state)
{
	struct hatch_command *command = of_image("old.tar", "true");
	struct hatch_output output = expect_output(command, 0);

	(void)state;
	hatch_output_free(&output);
	expect_file("locked", "locked\n");
	hatch_command_free(command);
	forget_images();
}

/* Whiteouts, an opaque folder, a folder in place of a link and a file in place of a folder. */
static void test_layers(void **state)
{
	struct hatch_command *command = of_image("good", NULL);
	struct hatch_output output = expect_output(command, 0);
	struct stat status;

	(void)state;
	assert_string_equal(output.out, "image image /usr\n");
	hatch_output_free(&output);
	expect_file("etc/base", "base\n");
	expect_file("opt/gone", "");
	expect_file("opt/a/lower", "");
	expect_file("opt/a/upper", "upper\n");
	expect_file("ro/locked", "locked\n");
	expect_file("ro/more", "more\n");
	expect_file("link/mine", "mine\n");
	expect_file("file", "file\n");
	assert_int_equal(lstat(root_path("link"), &status), 0);
	assert_true(S_ISDIR(status.st_mode));
	assert_int_equal(lstat(root_path("opt/.wh.gone"), &status), -1);
	hatch_command_free(command);
}

/* What the command says goes before what the image says. */
static void test_defaults(void **state)
{
	struct hatch_command *command = of_image("good", NULL);
	struct hatch_output output;

	(void)state;
	hatch_command_arg(command, "echo $A $B $PWD mine");
	hatch_command_env(command, "A", "own");
	hatch_command_cwd(command, "/");
	output = expect_output(command, 0);
	assert_string_equal(output.out, "own image / mine\n");
	hatch_output_free(&output);
	hatch_command_free(command);
	command = of_image("good", "echo");
	hatch_command_arg(command, "other");
	output = expect_output(command, 0);
	assert_string_equal(output.out, "other\n");
	hatch_output_free(&output);
	hatch_command_free(command);
	forget_images();
}

static void expect_refusal(const char *name, int error, const char *words)
{
	struct hatch_command *command = of_image(name, "true");
	struct hatch_exit exit = { HATCH_EXIT_CODE, 0, "" };

	assert_int_equal(hatch_command_status(command, &exit), error);
	if (!error) {
		assert_int_equal(exit.kind, HATCH_EXIT_NO_MACHINE);
		if (!strstr(exit.problem, words))
			fail_msg("%s: %s", name, exit.problem);
	} else if (!strstr(hatch_command_problem(command), words)) {
		fail_msg("%s: %s", name, hatch_command_problem(command));
	}
	hatch_command_free(command);
	assert_string_equal(root_path(""), ""); /* nothing half done is there */
}

static void test_bad(void **state)
{
	(void)state;
	expect_refusal("no-such", HATCH_COMMAND_ENOENT, "no-such");
	expect_refusal("foreign", HATCH_COMMAND_ENOENT, "riscv64");
	expect_refusal("evil", HATCH_COMMAND_EIO, "SHA-256");
	expect_refusal("noise", HATCH_COMMAND_EIO, "JSON");
	expect_refusal("damaged", 0, "damaged");
	expect_refusal("lacks", 0, "is missing; fetch it again");
	expect_refusal("headless", HATCH_COMMAND_EIO, "headless/index.json: No such file");
	expect_refusal("cut.tar.gz", 0, "cut.tar.gz failed: ");
	expect_refusal("cut.tar.gz", 0, "make the image again");
	expect_refusal("text.gz", 0, "does not look like a tar archive; ");
	expect_refusal("dotdot.tar", 0, "contains '..'");
	expect_refusal("outside", HATCH_COMMAND_EIO, "outside is no tar archive: give one");
	expect_refusal("text", HATCH_COMMAND_EIO, "text is no tar archive: give one");
	expect_refusal("empty", HATCH_COMMAND_EIO, "empty is empty: fetch");
	expect_refusal("zeros.tar", 0, "zeros.tar has no files: give");
	expect_refusal("layout.tar", 0, "is an OCI layout in an archive: unpack it");
}

/* Names that lead elsewhere lead into the image all the same. */
static void test_outside(void **state)
{
	struct hatch_command *command = of_image("absolute.tar", "true");
	struct hatch_output output;
	char path[400], line[20] = "";
	FILE *file;

	(void)state;
	snprintf(path, sizeof(path), "%s/outside", images);
	file = fopen(path, "we");
	fputs("untouched\n", file);
	fclose(file);
	output = expect_output(command, 0);
	hatch_output_free(&output);
	assert_string_not_equal(root_path(""), "");
	file = fopen(path, "re");
	assert_non_null(fgets(line, sizeof(line), file));
	assert_string_equal(line, "untouched\n");
	fclose(file);
	hatch_command_free(command);
	forget_images();
}

/* It is made once, and belongs to one machine at a time. */
static void test_persist(void **state)
{
	struct hatch_command *command = shell("exec sleep 100"), *other = shell("true");
	struct hatch_child *child, *second;
	struct stat status;

	(void)state;
	hatch_command_persist(command, "mine");
	hatch_command_persist(other, "mine");
	hatch_command_stdout(command, (struct hatch_stdio){ .kind = HATCH_STDIO_NULL });
	assert_int_equal(hatch_command_spawn(command, &child), 0);
	assert_int_equal(hatch_command_spawn(other, &second), HATCH_COMMAND_EIO);
	assert_non_null(strstr(hatch_command_problem(other), "in use"));
	usleep(500000);
	hatch_child_free(child);
	assert_int_equal(stat(world_path("home/hatch/persist/mine.img"), &status), 0);
	assert_true(status.st_size == (off_t)8 << 30);
	assert_int_equal(hatch_command_spawn(other, &second), 0);
	hatch_child_free(second);
	hatch_command_free(command);
	hatch_command_free(other);
	command = shell("true");
	hatch_command_persist(command, "../x");
	assert_int_equal(hatch_command_spawn(command, &child), HATCH_COMMAND_EINVAL);
	hatch_command_free(command);
}

int main(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, remember_things, check_things)
	const struct CMUnitTest tests[] = {
		TEST(test_archive), TEST(test_old),	TEST(test_layers),  TEST(test_defaults),
		TEST(test_bad),	    TEST(test_outside), TEST(test_persist),
	};
	char line[800];
	int failed;

	(void)argc;
	world_make(argv[1]);
	setenv("FAKE_QEMU", argv[1], 1);
	snprintf(images, sizeof(images), "%s", world_path("images"));
	snprintf(line, sizeof(line), "mkdir %s && %s %s", images, argv[2], images);
	if (system(line))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	world_remove();
	return failed;
}
