/* SPDX-License-Identifier: MIT */
/* Snapshots: booted once, found again, made again when damaged, removed when there are too many. */
#include "support.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static int told;

static void tell(void *arg, const char *what)
{
	(void)arg, (void)what;
	__atomic_add_fetch(&told, 1, __ATOMIC_RELAXED);
}

static void run_one(uint64_t memory)
{
	struct hatch_command *command = shell("echo hello");
	struct hatch_output output;

	hatch_command_memory(command, memory);
	hatch_command_progress(command, tell, NULL);
	output = expect_output(command, 0);
	assert_string_equal(output.out, "hello\n");
	hatch_output_free(&output);
	hatch_command_free(command);
}

/* The file of the only snapshot there is. */
static const char *guest_file(void)
{
	static char path[600];
	char folder[300];
	struct dirent *entry;
	DIR *list;

	snprintf(folder, sizeof(folder), "%s", world_path("cache/snapshot"));
	list = opendir(folder);
	path[0] = '\0';
	while (list && (entry = readdir(list))) {
		if (entry->d_name[0] != '.')
			snprintf(path, sizeof(path), "%s/%s/guest", folder, entry->d_name);
	}
	if (list)
		closedir(list);
	return path;
}

static int count_in(const char *name)
{
	DIR *list = opendir(world_path(name));
	struct dirent *entry;
	int count = 0;

	while (list && (entry = readdir(list)))
		count += entry->d_name[0] != '.';
	if (list)
		closedir(list);
	return count;
}

static void forget_snapshots(void)
{
	char command[400];

	snprintf(command, sizeof(command), "rm -rf %s", world_path("cache/snapshot"));
	assert_int_equal(system(command), 0);
	world_forget_starts();
	told = 0;
}

static void test_once(void **state)
{
	(void)state;
	forget_snapshots();
	run_one(512 << 20);
	assert_true(told > 0);
	told = 0;
	run_one(512 << 20);
	run_one(512 << 20);
	assert_int_equal(told, 0);
	assert_int_equal(world_starts("template"), 1);
	assert_int_equal(world_starts("loaded"), 3);
	run_one(256 << 20); /* another kind */
	assert_int_equal(world_starts("template"), 2);
	assert_int_equal(count_in("cache/.scratch"), 0);
}

static void *first_boot(void *unused)
{
	(void)unused;
	run_one(512 << 20);
	return NULL;
}

static void test_parallel(void **state)
{
	pthread_t thread[8];

	(void)state;
	forget_snapshots();
	for (int i = 0; i < 8; i++)
		pthread_create(&thread[i], NULL, first_boot, NULL);
	for (int i = 0; i < 8; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(world_starts("template"), 1);
	assert_int_equal(world_starts("loaded"), 8);
}

/* Whoever is killed while it boots the template frees the lock, and leaves nothing that matters. */
static void test_killed_maker(void **state)
{
	pid_t pid;

	(void)state;
	forget_snapshots();
	pid = fork();
	if (!pid) {
		setenv("FAKE", "mute", 1);
		setenv("FAKE_LOG", "/dev/null", 1);
		run_one(512 << 20);
		_exit(0);
	}
	usleep(100000);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	run_one(512 << 20);
	assert_int_equal(world_starts("template"), 1);
	assert_int_equal(count_in("cache/.scratch"), 0);
}

static void test_damaged(void **state)
{
	int fd;

	(void)state;
	forget_snapshots();
	run_one(512 << 20);
	fd = open(guest_file(), O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "garbage!", 8, 0), 8);
	close(fd);
	run_one(512 << 20);
	assert_int_equal(world_starts("template"), 2);
	assert_int_equal(world_starts("loaded"), 3); /* the second one was of no use */
	truncate(guest_file(), 0);
	run_one(512 << 20);
	assert_int_equal(world_starts("template"), 3);
}

static void *run_some(void *unused)
{
	for (int i = 0; i < 5; i++)
		first_boot(unused);
	return NULL;
}

static void test_damaged_parallel(void **state)
{
	pthread_t thread[4];
	int fd;

	(void)state;
	forget_snapshots();
	run_one(512 << 20);
	fd = open(guest_file(), O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "garbage!", 8, 0), 8);
	close(fd);
	for (int i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, run_some, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(world_starts("template"), 2);
}

/* It would never end by itself: made again once, and then it is said. */
static void test_never_loads(void **state)
{
	struct hatch_command *command = shell("true");
	struct hatch_exit exit;

	(void)state;
	forget_snapshots();
	setenv("FAKE", "bad-load", 1);
	assert_int_equal(hatch_command_status(command, &exit), 0);
	assert_int_equal(exit.kind, HATCH_EXIT_NO_MACHINE);
	assert_non_null(strstr(exit.problem, "snapshot"));
	assert_int_equal(world_starts("template"), 2);
	setenv("FAKE", "mute", 1); /* up, but no HELLO */
	world_forget_starts();
	assert_int_equal(hatch_command_status(command, &exit), 0);
	assert_int_equal(exit.kind, HATCH_EXIT_NO_MACHINE);
	unsetenv("FAKE");
	hatch_command_free(command);
}

static void test_bad_template(void **state)
{
	static const char *const bad[] = { "no-template", "bad-template" };
	struct hatch_command *command = shell("true");
	struct hatch_exit exit;

	(void)state;
	for (int i = 0; i < 2; i++) {
		forget_snapshots();
		setenv("FAKE", bad[i], 1);
		assert_int_equal(hatch_command_status(command, &exit), 0);
		assert_int_equal(exit.kind, HATCH_EXIT_NO_MACHINE);
		assert_non_null(strstr(exit.problem, "while it booted"));
		assert_int_equal(count_in("cache/snapshot"), 0);
	}
	unsetenv("FAKE");
	hatch_command_free(command);
}

/* No room for it: the guest boots each time, and that works. */
static void test_full_disk(void **state)
{
	struct rlimit before, little;

	(void)state;
	forget_snapshots();
	getrlimit(RLIMIT_FSIZE, &before);
	little = before;
	little.rlim_cur = 200000;
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &little);
	run_one(512 << 20);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_int_equal(world_starts("booted"), 1);
	assert_int_equal(count_in("cache/snapshot"), 0);
	assert_int_equal(count_in("cache/.scratch"), 0);
	signal(SIGXFSZ, SIG_DFL);
}

static void test_no_cache(void **state)
{
	(void)state;
	forget_snapshots();
	assert_int_equal(rename(world_path("cache/.scratch"), "/dev/null/x"), -1);
	chmod(world_path("cache/.scratch"), 0555);
	if (geteuid()) { /* root may write anywhere */
		run_one(512 << 20);
		assert_int_equal(world_starts("booted"), 1);
	}
	chmod(world_path("cache/.scratch"), 0777);
}

/* Each takes 1 MiB: of many, the last ones used are kept. */
static void test_limit(void **state)
{
	(void)state;
	forget_snapshots();
	setenv("HATCH_CACHE_LIMIT", "3M", 1);
	for (uint64_t i = 0; i < 5; i++)
		run_one((64 + 2 * i) << 20);
	assert_true(count_in("cache/snapshot") <= 3);
	world_forget_starts();
	run_one(72 << 20);
	assert_int_equal(world_starts("template"), 0);
	run_one(64 << 20);
	assert_int_equal(world_starts("template"), 1);
	unsetenv("HATCH_CACHE_LIMIT");
}

int main(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, remember_things, check_things)
	const struct CMUnitTest tests[] = {
		TEST(test_once),
		TEST(test_parallel),
		TEST(test_killed_maker),
		TEST(test_damaged),
		TEST(test_never_loads),
		TEST(test_bad_template),
		TEST(test_damaged_parallel),
		TEST(test_full_disk),
		TEST(test_no_cache),
		TEST(test_limit),
	};
	int failed;

	(void)argc;
	world_make(argv[1]);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	world_remove();
	return failed;
}
