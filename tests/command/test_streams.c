/* SPDX-License-Identifier: MIT */
/* The kinds of streams, their ends, and who waits for whom. */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

static const struct hatch_stdio a_pipe = { .kind = HATCH_STDIO_PIPE };
static const struct hatch_stdio a_null = { .kind = HATCH_STDIO_NULL };

static struct hatch_child *start(struct hatch_command *command)
{
	struct hatch_child *child;
	int error = hatch_command_spawn(command, &child);

	if (error)
		fail_msg("%d: %s", error, hatch_command_problem(command));
	hatch_command_free(command); /* not needed any more */
	return child;
}

static void expect_end(struct hatch_child *child, int code)
{
	struct hatch_exit exit;

	hatch_child_wait(child, &exit);
	if (hatch_exit_code(&exit) != code)
		fail_msg("exit code %d, not %d: %s", hatch_exit_code(&exit), code, exit.problem);
	hatch_child_free(child);
}

static size_t read_to_end(int fd, char *data, size_t size)
{
	size_t at = 0;
	ssize_t done;

	while ((done = read(fd, data + at, size - at)) > 0)
		at += (size_t)done;
	close(fd);
	return at;
}

static void test_output(void **state)
{
	struct hatch_command *command = shell("echo out; echo err >&2; cat; exit 3");
	struct hatch_output output = expect_output(command, 3);

	(void)state;
	assert_string_equal(output.out, "out\n");
	assert_string_equal(output.err, "err\n");
	hatch_output_free(&output);
	output = expect_output(command, 3); /* as often as one likes */
	assert_int_equal(output.out_size, 4);
	hatch_output_free(&output);
	hatch_command_free(command);
}

static void test_bytes(void **state)
{
	static char much[300000];
	struct hatch_command *command = shell("cat");
	struct hatch_stdio stdio = { HATCH_STDIO_BYTES, -1, much, sizeof(much) };
	struct hatch_output output;

	(void)state;
	for (size_t i = 0; i < sizeof(much); i++)
		much[i] = (char)(i * 7 + i / 251);
	hatch_command_stdin(command, stdio);
	output = expect_output(command, 0);
	assert_int_equal(output.out_size, sizeof(much));
	assert_memory_equal(output.out, much, sizeof(much));
	hatch_output_free(&output);
	stdio.size = 0;
	hatch_command_stdin(command, stdio);
	output = expect_output(command, 0);
	assert_int_equal(output.out_size, 0);
	hatch_output_free(&output);
	hatch_command_free(command);
}

static void test_pipes(void **state)
{
	struct hatch_command *command = shell("cat; cat >&2; exit 4");
	struct hatch_child *child;
	char data[100];
	int in, out, err;

	(void)state;
	hatch_command_stdin(command, a_pipe);
	hatch_command_stdout(command, a_pipe);
	hatch_command_stderr(command, a_pipe);
	child = start(command);
	in = hatch_child_take_stdin(child);
	out = hatch_child_take_stdout(child);
	err = hatch_child_take_stderr(child);
	assert_int_equal(hatch_child_take_stdin(child), HATCH_COMMAND_ESTALE);
	assert_int_equal(write(in, "hello", 5), 5);
	assert_int_equal(read(out, data, sizeof(data)), 5); /* while it runs */
	close(in);
	assert_int_equal(read_to_end(out, data, sizeof(data)), 0);
	assert_int_equal(read_to_end(err, data, sizeof(data)), 0);
	expect_end(child, 4);
}

/* hatch_child_wait closes our end, so that a command which reads to the end has one. */
static void test_wait_closes(void **state)
{
	struct hatch_command *command = shell("cat");

	(void)state;
	hatch_command_stdin(command, a_pipe);
	hatch_command_stdout(command, a_null);
	expect_end(start(command), 0);
}

/* A file, its offset, both at once with the order kept. */
static void test_files(void **state)
{
	struct hatch_command *command = shell("echo 1; echo 2 >&2; echo 3; cat");
	int fd = open(world_path("stream"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	int in = open(world_path("input"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	char data[100];

	(void)state;
	assert_int_equal(write(fd, "0\n", 2), 2);
	assert_int_equal(write(in, "skip4\n", 6), 6);
	lseek(in, 4, SEEK_SET);
	hatch_command_stdin(command, (struct hatch_stdio){ .kind = HATCH_STDIO_FD, .fd = in });
	hatch_command_stdout(command, (struct hatch_stdio){ .kind = HATCH_STDIO_FD, .fd = fd });
	hatch_command_stderr(command, (struct hatch_stdio){ .kind = HATCH_STDIO_FD, .fd = fd });
	expect_end(start(command), 0);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 10); /* it is the caller's own */
	assert_int_equal(pread(fd, data, sizeof(data), 0), 10);
	assert_memory_equal(data, "0\n1\n2\n3\n4\n", 10);
	close(fd);
	close(in);
}

/* The flags of what we share with others stay as they are. */
static void test_flags(void **state)
{
	int ends[2], pair[2];
	struct hatch_command *command = shell("head -c 200000 /dev/zero; head -c 7 >&2");
	struct hatch_child *child;
	static char data[300000];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	hatch_command_stdin(command, (struct hatch_stdio){ .kind = HATCH_STDIO_FD, .fd = pair[0] });
	hatch_command_stdout(command,
			     (struct hatch_stdio){ .kind = HATCH_STDIO_FD, .fd = ends[1] });
	hatch_command_stderr(command,
			     (struct hatch_stdio){ .kind = HATCH_STDIO_FD, .fd = pair[0] });
	child = start(command);
	assert_int_equal(write(pair[1], "7 bytes", 7), 7);
	assert_false(fcntl(ends[1], F_GETFL) & O_NONBLOCK);
	assert_false(fcntl(pair[0], F_GETFL) & O_NONBLOCK);
	close(ends[1]);
	assert_int_equal(read_to_end(ends[0], data, sizeof(data)), 200000);
	assert_int_equal(read(pair[1], data, 100), 7);
	expect_end(child, 0);
	close(pair[0]);
	close(pair[1]);
}

static void test_inherit(void **state)
{
	struct hatch_command *command = shell("cat");
	int kept = fcntl(0, F_DUPFD_CLOEXEC, 10), null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	dup2(null, 0);
	close(null);
	hatch_command_stdin(command, (struct hatch_stdio){ .kind = HATCH_STDIO_INHERIT });
	expect_end(start(command), 0);
	dup2(kept, 0);
	close(kept);
}

/* The command writes to a pipe whose reader has gone: it dies of that. */
static void test_broken_pipe(void **state)
{
	struct hatch_command *command = shell("exec yes");
	struct hatch_child *child;
	struct hatch_exit exit;
	char data[100];
	int out;

	(void)state;
	hatch_command_stdin(command, a_null);
	hatch_command_stdout(command, a_pipe);
	child = start(command);
	out = hatch_child_take_stdout(child);
	assert_true(read(out, data, sizeof(data)) > 0);
	close(out);
	hatch_child_wait(child, &exit);
	assert_int_equal(exit.kind, HATCH_EXIT_SIGNALED);
	assert_int_equal(exit.value, SIGPIPE);
	hatch_child_free(child);
}

/* The command reads no more: whoever writes to it finds that out. */
static void test_input_closed(void **state)
{
	static char data[100000];
	struct hatch_command *command = shell("exec <&-; sleep 0.5; echo done");
	struct hatch_child *child;
	void (*before)(int) = signal(SIGPIPE, SIG_IGN);
	int in, out;

	(void)state;
	hatch_command_stdin(command, a_pipe);
	hatch_command_stdout(command, a_pipe);
	child = start(command);
	in = hatch_child_take_stdin(child);
	out = hatch_child_take_stdout(child);
	while (write(in, data, sizeof(data)) > 0)
		;
	assert_int_equal(errno, EPIPE);
	close(in);
	assert_int_equal(read_to_end(out, data, sizeof(data)), 5);
	expect_end(child, 0);
	signal(SIGPIPE, before);
}

/* A full disk ends the command, and the message says so. */
static void test_full_disk(void **state)
{
	struct hatch_command *command = shell("exec yes");
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct hatch_exit exit;

	(void)state;
	hatch_command_stdin(command, a_null);
	hatch_command_stdout(command, (struct hatch_stdio){ .kind = HATCH_STDIO_FD, .fd = full });
	assert_int_equal(hatch_command_status(command, &exit), 0);
	assert_int_equal(exit.kind, HATCH_EXIT_NO_MACHINE);
	assert_non_null(strstr(exit.problem, "No space left"));
	hatch_command_free(command);
	close(full);
}

/* ---- Much, and slowly ---- */

struct writer {
	int fd;
	size_t size;
};

static void *write_much(void *arg)
{
	static char data[1 << 16];
	struct writer *writer = arg;
	size_t left = writer->size;

	while (left) {
		ssize_t done = write(writer->fd, data, left < sizeof(data) ? left : sizeof(data));

		assert_true(done > 0);
		left -= (size_t)done;
	}
	close(writer->fd);
	return NULL;
}

/* There and back. The memory must not grow with it. */
static void test_throughput(void **state)
{
	const size_t size = (size_t)MEGABYTES << 20;
	struct hatch_command *command = shell("exec cat");
	static char data[1 << 16];
	struct hatch_child *child;
	struct writer writer = { -1, size };
	pthread_t thread;
	size_t came = 0;
	long before;
	ssize_t done;
	int out;

	(void)state;
	hatch_command_stdin(command, a_pipe);
	hatch_command_stdout(command, a_pipe);
	child = start(command);
	before = resident_kib();
	writer.fd = hatch_child_take_stdin(child);
	out = hatch_child_take_stdout(child);
	pthread_create(&thread, NULL, write_much, &writer);
	while ((done = read(out, data, sizeof(data))) > 0)
		came += (size_t)done;
	pthread_join(thread, NULL);
	close(out);
	assert_int_equal(came, size);
	assert_true(resident_kib() - before < 8192 * SLACK);
	expect_end(child, 0);
}

/* Whoever does not read makes the command wait, and it alone: its other stream goes on. */
static void test_slow_reader(void **state)
{
	struct hatch_command *command = shell("head -c 3000000 /dev/zero & "
					      "head -c 3000000 /dev/zero >&2; echo end >&2; wait");
	struct hatch_child *child;
	static char data[4000000];
	struct hatch_exit exit;
	int out, err;

	(void)state;
	hatch_command_stdin(command, a_null);
	hatch_command_stdout(command, a_pipe);
	hatch_command_stderr(command, a_pipe);
	child = start(command);
	out = hatch_child_take_stdout(child);
	err = hatch_child_take_stderr(child);
	for (size_t came = 0; came < 3000004;)
		came += (size_t)read(err, data, sizeof(data));
	assert_false(hatch_child_try_wait(child, &exit));
	assert_int_equal(read_to_end(out, data, sizeof(data)), 3000000);
	close(err);
	expect_end(child, 0);
}

/* A pipe that nobody reads is waited for; to destroy the child, or its time, ends that. */
static void test_no_reader(void **state)
{
	struct hatch_command *command = shell("head -c 3000000 /dev/zero");
	struct hatch_child *child;
	struct hatch_exit exit;

	(void)state;
	hatch_command_stdin(command, a_null);
	hatch_command_stdout(command, a_pipe);
	child = start(command);
	usleep(300000);
	assert_false(hatch_child_try_wait(child, &exit));
	hatch_child_destroy(child);
	hatch_child_wait(child, &exit);
	assert_int_equal(exit.kind, HATCH_EXIT_SIGNALED);
	assert_int_equal(exit.value, SIGKILL);
	hatch_child_free(child);
}

int main(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, remember_things, check_things)
	const struct CMUnitTest tests[] = {
		TEST(test_output),	TEST(test_bytes),	TEST(test_pipes),
		TEST(test_wait_closes), TEST(test_files),	TEST(test_flags),
		TEST(test_inherit),	TEST(test_broken_pipe), TEST(test_input_closed),
		TEST(test_full_disk),	TEST(test_slow_reader), TEST(test_no_reader),
		TEST(test_throughput),
	};
	int failed;

	(void)argc;
	world_make(argv[1]);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	world_remove();
	return failed;
}
