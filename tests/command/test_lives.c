/* SPDX-License-Identifier: MIT */
/* How children end: by themselves, by us, in time, by a guest that has gone bad; and what is left. */
#include "support.h"

#include <pthread.h>
#include <poll.h>
#include <signal.h>
#include <time.h>

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static struct hatch_child *spawn(struct hatch_command *command)
{
	struct hatch_child *child;
	int error;

	hatch_command_stdin(command, (struct hatch_stdio){ .kind = HATCH_STDIO_NULL });
	hatch_command_stdout(command, (struct hatch_stdio){ .kind = HATCH_STDIO_NULL });
	error = hatch_command_spawn(command, &child);
	if (error)
		fail_msg("%d: %s", error, hatch_command_problem(command));
	hatch_command_free(command);
	return child;
}

/* The same, and SCRIPT has said a line: it is as far as that, however busy the machine is. */
static struct hatch_child *spawn_ready(const char *script)
{
	struct hatch_command *command = shell(script);
	struct hatch_child *child;
	char byte;
	int fd;

	hatch_command_stdin(command, (struct hatch_stdio){ .kind = HATCH_STDIO_NULL });
	hatch_command_stdout(command, (struct hatch_stdio){ .kind = HATCH_STDIO_PIPE });
	assert_int_equal(hatch_command_spawn(command, &child), 0);
	fd = hatch_child_take_stdout(child);
	assert_int_equal(read(fd, &byte, 1), 1);
	close(fd);
	hatch_command_free(command);
	return child;
}

static void wait_for_end(struct hatch_child *child)
{
	struct pollfd over = { hatch_child_fd(child), POLLIN, 0 };

	assert_int_equal(poll(&over, 1, 60000), 1);
}

static void expect(struct hatch_child *child, enum hatch_exit_kind kind, int value)
{
	struct hatch_exit exit, again;

	hatch_child_wait(child, &exit);
	if (exit.kind != kind || exit.value != value)
		fail_msg("kind %d value %d, not %d and %d: %s", exit.kind, exit.value, kind, value,
			 exit.problem);
	assert_true(hatch_child_try_wait(child, &again)); /* may be repeated */
	assert_memory_equal(&exit, &again, sizeof(exit));
	assert_null(strchr(exit.problem, '\n'));
	assert_null(strchr(exit.problem, '\033'));
	hatch_child_free(child);
}

static void test_codes(void **state)
{
	(void)state;
	expect(spawn(shell("exit 0")), HATCH_EXIT_CODE, 0);
	expect(spawn(shell("exit 255")), HATCH_EXIT_CODE, 255);
	expect(spawn(shell("kill -9 $$")), HATCH_EXIT_SIGNALED, 9);
	expect(spawn(shell("kill -15 $$")), HATCH_EXIT_SIGNALED, 15);
}

static struct hatch_command *named(const char *program)
{
	struct hatch_command *command = hatch_command_new(program);

	hatch_command_qemu(command, getenv("FAKE_QEMU"));
	return command;
}

static void test_no_command(void **state)
{
	(void)state;
	expect(spawn(named("no-such-program")), HATCH_EXIT_NO_COMMAND, 2);
	expect(spawn(named("/etc/passwd")), HATCH_EXIT_NO_EXEC, 13);
	expect(spawn(named("fake:setup")), HATCH_EXIT_NO_MACHINE, 2);
}

static void test_signals(void **state)
{
	struct hatch_child *child =
		spawn_ready("trap 'exit 7' TERM; echo; while :; do sleep 0.1; done");

	(void)state;
	assert_int_equal(hatch_child_kill(child, 0), HATCH_COMMAND_EINVAL);
	assert_int_equal(hatch_child_kill(child, 65), HATCH_COMMAND_EINVAL);
	assert_int_equal(hatch_child_kill(child, SIGTERM), 0);
	expect(child, HATCH_EXIT_CODE, 7);
	child = spawn(shell("exec sleep 100"));
	assert_int_equal(hatch_child_kill(child, SIGTERM), 0); /* before it runs */
	expect(child, HATCH_EXIT_SIGNALED, SIGTERM);
	child = spawn(shell("exec sleep 100"));
	assert_int_equal(hatch_child_kill(child, SIGKILL), 0);
	expect(child, HATCH_EXIT_SIGNALED, SIGKILL);
	child = spawn(shell("exit 1"));
	wait_for_end(child);
	assert_int_equal(hatch_child_kill(child, SIGKILL), 0); /* after it ran */
	expect(child, HATCH_EXIT_CODE, 1);
}

/* A guest that does not obey is switched off. */
static void test_deaf(void **state)
{
	struct hatch_child *child;
	double before;

	(void)state;
	setenv("FAKE_DEAF", "1", 1);
	child = spawn_ready("echo; exec sleep 100");
	before = now();
	assert_int_equal(hatch_child_kill(child, SIGKILL), 0);
	expect(child, HATCH_EXIT_SIGNALED, SIGKILL);
	assert_true(now() - before > 0.5);
	unsetenv("FAKE_DEAF");
}

static void test_timeout(void **state)
{
	struct hatch_command *command = shell("exec sleep 100");
	double before = now();

	(void)state;
	hatch_command_timeout(command, 0.4);
	expect(spawn(command), HATCH_EXIT_TIMED_OUT, 0);
	assert_true(now() - before > 0.39 && now() - before < 5);
	command = shell("exit 2");
	hatch_command_timeout(command, 100);
	expect(spawn(command), HATCH_EXIT_CODE, 2);
}

/* What came before its time was up is there. */
static void test_timeout_output(void **state)
{
	struct hatch_command *command = shell("echo early; exec sleep 100");
	struct hatch_output output;

	(void)state;
	hatch_command_timeout(command, 1);
	output = expect_output(command, 124);
	assert_string_equal(output.out, "early\n");
	hatch_output_free(&output);
	hatch_command_free(command);
}

/* At any moment: in the template's boot, in the machine's, while it runs, when it has ended. */
static void test_destroy(void **state)
{
	(void)state;
	for (int ms = 0; ms < 600; ms += 23) {
		struct hatch_command *command = shell("sleep 0.3");
		struct hatch_child *child;

		hatch_command_memory(command, (uint64_t)(64 + ms % 3 * 2) << 20);
		child = spawn(command);
		usleep((unsigned int)ms * 1000);
		if (ms & 1)
			hatch_child_destroy(child);
		hatch_child_free(child);
	}
}

static void *destroy_later(void *child)
{
	usleep(100000);
	hatch_child_kill(child, SIGKILL);
	return NULL;
}

static void test_kill_from_another_thread(void **state)
{
	struct hatch_child *child = spawn(shell("exec sleep 100"));
	pthread_t thread;

	(void)state;
	pthread_create(&thread, NULL, destroy_later, child);
	expect(child, HATCH_EXIT_SIGNALED, SIGKILL);
	pthread_join(thread, NULL);
}

static void test_descriptor(void **state)
{
	struct hatch_child *child = spawn(shell("sleep 0.3"));
	struct pollfd place = { hatch_child_fd(child), POLLIN, 0 };
	struct hatch_exit exit;

	(void)state;
	assert_true(hatch_child_id(child) > 0);
	assert_int_equal(kill(hatch_child_id(child), 0), 0);
	assert_int_equal(poll(&place, 1, 0), 0);
	assert_false(hatch_child_try_wait(child, &exit));
	assert_int_equal(poll(&place, 1, 10000), 1);
	assert_true(hatch_child_try_wait(child, &exit));
	expect(child, HATCH_EXIT_CODE, 0);
}

/* ---- QEMU and the guest go bad ---- */

static void expect_problem(struct hatch_child *child, const char *words)
{
	struct hatch_exit exit;

	hatch_child_wait(child, &exit);
	if (exit.kind != HATCH_EXIT_NO_MACHINE || !strstr(exit.problem, words))
		fail_msg("kind %d: %s", exit.kind, exit.problem);
	assert_int_equal(hatch_exit_code(&exit), 125);
	hatch_child_free(child);
}

static void test_nonsense(void **state)
{
	static const char *const bad[] = { "fake:huge",	       "fake:odd",	"fake:empty",
					   "fake:stdin",       "fake:control",	"fake:short",
					   "fake:hello-again", "fake:after-end" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect_problem(spawn(named(bad[i])), "makes no sense");
	expect_problem(spawn(named("fake:cut")), "ended");
	expect_problem(spawn(named("fake:dies")), "an event that nobody caught");
	expect(spawn(named("fake:no-end")), HATCH_EXIT_CODE, 5); /* after a while */
	setenv("FAKE_VERSION", "1", 1);
	expect_problem(spawn(shell("true")), "of version 2");
	unsetenv("FAKE_VERSION");
}

static void test_dying(void **state)
{
	(void)state;
	setenv("FAKE", "dead", 1);
	expect_problem(spawn(shell("true")), "no such property");
	setenv("FAKE", "killed", 1);
	expect_problem(spawn(shell("true")), "killed by signal 9");
	setenv("FAKE", "panic", 1);
	expect_problem(spawn(shell("true")), "No working init");
	unsetenv("FAKE");
}

/* A console that prints without end is read, and kept short. */
static void test_floods(void **state)
{
	struct hatch_command *command = shell("exec sleep 100");

	(void)state;
	setenv("FAKE", "floods", 1);
	hatch_command_timeout(command, 1);
	expect(spawn(command), HATCH_EXIT_TIMED_OUT, 0);
}

static void test_no_qemu(void **state)
{
	struct hatch_command *command = hatch_command_new("true");
	struct hatch_child *child = (struct hatch_child *)&child;

	(void)state;
	hatch_command_qemu(command, "/no/such/qemu");
	assert_int_equal(hatch_command_spawn(command, &child), HATCH_COMMAND_ENOENT);
	assert_null(child);
	assert_non_null(strstr(hatch_command_problem(command), "/no/such/qemu"));
	hatch_command_qemu(command, world_path("data/agent")); /* "agent": no program at all */
	assert_int_equal(hatch_command_spawn(command, &child), 0);
	expect_problem(child, "cannot run");
	hatch_command_free(command);
}

/* ---- Many ---- */

static void *spawn_many(void *arg)
{
	for (int i = 0; i < MANY; i++) {
		struct hatch_command *command = shell("cat; echo $1; exit 3");
		struct hatch_stdio stdio = { HATCH_STDIO_BYTES, -1, "in", 2 };
		char number[20], want[30];
		struct hatch_output output;

		snprintf(number, sizeof(number), "%d", i * 100 + *(int *)arg);
		snprintf(want, sizeof(want), "in%s\n", number);
		hatch_command_arg(command, "sh");
		hatch_command_arg(command, number);
		hatch_command_stdin(command, stdio);
		output = expect_output(command, 3);
		assert_string_equal(output.out, want);
		hatch_output_free(&output);
		hatch_command_free(command);
	}
	return NULL;
}

static void test_many(void **state)
{
	pthread_t thread[8];
	int number[8];

	(void)state;
	for (int i = 0; i < 8; i++) {
		number[i] = i;
		pthread_create(&thread[i], NULL, spawn_many, &number[i]);
	}
	for (int i = 0; i < 8; i++)
		pthread_join(thread[i], NULL);
}

/* ---- What it is told ---- */

static void test_arguments(void **state)
{
	static char odd[300], large[131000];
	struct hatch_command *command = shell("printf '%s|' \"$@\"; echo $# $A $PWD");
	struct hatch_output output;

	(void)state;
	for (int i = 1; i < 256; i++)
		odd[i - 1] = (char)i;
	memset(large, 'x', sizeof(large) - 1);
	hatch_command_arg(command, "sh");
	hatch_command_arg(command, odd);
	hatch_command_arg(command, "");
	hatch_command_arg(command, "a\nb c");
	for (int i = 0; i < 8; i++) /* 1 MiB */
		hatch_command_arg(command, large);
	hatch_command_env(command, "A", "b c");
	hatch_command_cwd(command, "/usr");
	output = expect_output(command, 0);
	assert_memory_equal(output.out, odd, 255);
	assert_memory_equal(output.out + 255, "||a\nb c|xxx", 11);
	assert_non_null(strstr(output.out, "|11 b c /usr\n"));
	hatch_output_free(&output);
	hatch_command_free(command);
}

/* The first complaint is what the spawn says, and whoever only asks for the words. */
static void test_complaints(void **state)
{
	struct hatch_command *command = shell("true");
	struct hatch_exit exit;
	char *long_one = calloc(1, 200000);

	(void)state;
	memset(long_one, 'y', 199999);
	hatch_command_arg(command, long_one);
	assert_int_equal(hatch_command_status(command, &exit), HATCH_COMMAND_EINVAL);
	assert_non_null(strstr(hatch_command_problem(command), "128 KiB"));
	hatch_command_port(command, HATCH_TCP, 70000, 1);
	hatch_command_cpus(command, 9);
	assert_int_equal(hatch_command_status(command, &exit), HATCH_COMMAND_EINVAL);
	assert_non_null(strstr(hatch_command_problem(command), "70000"));
	assert_null(hatch_command_words(command));
	assert_int_equal(hatch_command_error(command), HATCH_COMMAND_EINVAL);
	hatch_command_free(command);
	assert_int_equal(hatch_command_error(NULL), HATCH_COMMAND_ERESOURCE);
	command = shell("true");
	free(hatch_command_words(command));
	assert_int_equal(hatch_command_error(command), 0);
	hatch_command_free(command);
	free(long_one);
}

int main(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, remember_things, check_things)
	const struct CMUnitTest tests[] = {
		TEST(test_codes),      TEST(test_no_command),
		TEST(test_signals),    TEST(test_deaf),
		TEST(test_timeout),    TEST(test_timeout_output),
		TEST(test_destroy),    TEST(test_kill_from_another_thread),
		TEST(test_descriptor), TEST(test_nonsense),
		TEST(test_dying),      TEST(test_floods),
		TEST(test_no_qemu),    TEST(test_many),
		TEST(test_arguments),  TEST(test_complaints),
	};
	int failed;

	(void)argc;
	world_make(argv[1]);
	setenv("FAKE_QEMU", argv[1], 1);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	world_remove();
	return failed;
}
