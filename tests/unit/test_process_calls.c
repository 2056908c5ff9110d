/* SPDX-License-Identifier: MIT */
/* Processes: calls about themselves; and all calls with hostile arguments. */
#include "process_calls.h"

/* ---- Itself ---- */

static void test_exit(void **state)
{
	(void)state;
	assert_int_equal(call_of(EXIT_GROUP, (uint64_t[6]){ 0x107 }), HATCH_UNWIND);
	assert_true(k.finished);
	assert_int_equal(k.status, 7);
	assert_int_equal(process.state.signal, 0);
	assert_int_equal(call_of(KILL, (uint64_t[6]){ PROCESS_ID, 6 }), HATCH_UNWIND);
	assert_int_equal(k.status, 134);
	assert_int_equal(call(KILL, PROCESS_ID, 0), 0);
	assert_int_equal(call(KILL, PROCESS_ID, LINUX_SIGCHLD), 0);
	assert_int_equal(call(KILL, PROCESS_ID, 65), -LINUX_EINVAL);
	assert_int_equal(call(KILL, 1, 9), -LINUX_ESRCH);
	assert_int_equal(call(TGKILL, 1, PROCESS_ID, 9), -LINUX_ESRCH);
	assert_int_equal(call_of(TGKILL, (uint64_t[6]){ PROCESS_ID, PROCESS_ID, 11 }),
			 HATCH_UNWIND);
}

static void test_signals(void **state)
{
	const uint64_t ignore[3] = { 1, 2, 3 };

	(void)state;
	poke(BUFFER, ignore, sizeof(ignore));
	assert_int_equal(call(SIGACTION, 15, BUFFER, BUFFER + 64, 8), 0);
	assert_int_equal(peek64(BUFFER + 64), 0);
	assert_int_equal(call(SIGACTION, 15, 0, BUFFER + 64, 8), 0);
	assert_int_equal(peek64(BUFFER + 64), 1);
	assert_int_equal(call(KILL, PROCESS_ID, 15), 0); /* ignored, as it wished */
	assert_int_equal(call(SIGACTION, 0, 0, 0, 8), -LINUX_EINVAL);
	assert_int_equal(call(SIGACTION, 65, 0, 0, 8), -LINUX_EINVAL);
	assert_int_equal(call(SIGACTION, 15, 0, 0, 4), -LINUX_EINVAL);
	assert_int_equal(call(SIGACTION, 15, NOWHERE, 0, 8), -LINUX_EFAULT);
	assert_int_equal(call(SIGPROCMASK, 0, BUFFER, 0, 8), 0);
	assert_int_equal(call(SIGPROCMASK, 2, 0, BUFFER + 64, 8), 0);
	assert_int_equal(peek64(BUFFER + 64), 1);
	assert_int_equal(call(SIGPROCMASK, 3, BUFFER, 0, 8), -LINUX_EINVAL);
	assert_int_equal(call(SIGPROCMASK, 0, BUFFER, 0, 16), -LINUX_EINVAL);
}

static void test_time(void **state)
{
	const uint64_t two[2] = { 0, 2 }, bad[2] = { 0, 1000000000 };

	(void)state;
	now = UINT64_C(1234567890123456789);
	assert_int_equal(call(CLOCK_GETTIME, 0, BUFFER), 0);
	assert_int_equal(peek64(BUFFER), 1234567890);
	assert_int_equal(peek64(BUFFER + 8), 123456789);
	assert_int_equal(call(CLOCK_GETTIME, 99, BUFFER), -LINUX_EINVAL);
	assert_int_equal(call(CLOCK_GETTIME, 0, NOWHERE), -LINUX_EFAULT);
	/* It makes the call again until its time has come. */
	poke(BUFFER, two, sizeof(two));
	assert_int_equal(call_of(NANOSLEEP, (uint64_t[6]){ BUFFER }), HATCH_RETRY);
	now++;
	assert_int_equal(call_of(NANOSLEEP, (uint64_t[6]){ BUFFER }), HATCH_RETRY);
	now++;
	assert_int_equal(call(NANOSLEEP, BUFFER), 0);
	assert_int_equal(call(CLOCK_NANOSLEEP, 0, 1, BUFFER), 0); /* long ago */
	poke(BUFFER, bad, sizeof(bad));
	assert_int_equal(call(NANOSLEEP, BUFFER), -LINUX_EINVAL);
	assert_int_equal(call(NANOSLEEP, NOWHERE), -LINUX_EFAULT);
}

static void test_identity(void **state)
{
	(void)state;
	assert_int_equal(call(GETPID), PROCESS_ID);
	assert_int_equal(call(UNAME, BUFFER), 0);
	expect_buffer("Linux");
	assert_int_equal(call(PRLIMIT64, 0, 9, 0, BUFFER), 0);
	assert_int_equal(peek64(BUFFER), LIMIT);
	assert_int_equal(call(PRLIMIT64, 0, 9, BUFFER, 0), -LINUX_EPERM);
	assert_int_equal(call(PRLIMIT64, 0, 99, 0, BUFFER), -LINUX_EINVAL);
	assert_int_equal(call(PRLIMIT64, 7, 9, 0, BUFFER), -LINUX_ESRCH);
	assert_int_equal(call(GETRANDOM, BUFFER, 13, 0), 13);
	assert_int_equal(call(GETRANDOM, NOWHERE, 13, 0), -LINUX_EFAULT);
	assert_int_equal(call(SOCKET, 2, 1, 0), -LINUX_EPERM);
	assert_int_equal(call(UINT64_MAX), -LINUX_ENOSYS);
	assert_int_equal(call(18), -LINUX_ENOSYS);
	assert_string_equal(hatch_process_call_name(OPENAT), "openat");
	assert_null(hatch_process_call_name(18));
	assert_null(hatch_process_call_name(UINT64_MAX));
}

static void test_futex(void **state)
{
	const uint64_t value = 3;

	(void)state;
	poke(BUFFER, &value, 8);
	assert_int_equal(call(FUTEX, BUFFER, 1, 1), 0);
	assert_int_equal(call(FUTEX, BUFFER, 128, 4), -LINUX_EAGAIN);
	assert_int_equal(call(FUTEX, BUFFER, 128, 3), -LINUX_EDEADLK);
	assert_int_equal(call(FUTEX, BUFFER, 0, 3, BUFFER), -LINUX_ETIMEDOUT);
	assert_int_equal(call(FUTEX, NOWHERE, 0, 3), -LINUX_EFAULT);
	assert_int_equal(call(FUTEX, BUFFER, 3, 3), -LINUX_ENOSYS);
}

/* ---- Another program in its place ---- */

static void test_execve(void **state)
{
	uint64_t list[3] = { BUFFER, 0, 0 }, file = (uint64_t)open_text("/data/a", 02000000);

	(void)state;
	text_at(BUFFER, "name");
	poke(BUFFER + 64, list, sizeof(list));
	assert_int_equal(call_of(EXECVE, (uint64_t[6]){ text("/bin/prog"), BUFFER + 64, 0 }),
			 HATCH_RETRY);
	assert_int_equal(vcpu.frame.pc, ENTRY);
	assert_int_equal(peek64(vcpu.frame.x[2]), 1);
	assert_int_equal(call(READ, file, BUFFER, 1), -LINUX_EBADF); /* closed on the way */
	assert_int_equal(call(EXECVE, text("/data/a"), 0, 0), -LINUX_EACCES);
	assert_int_equal(call(EXECVE, text("/bin/none"), 0, 0), -LINUX_ENOENT);
	assert_int_equal(call(EXECVE, text("/bin"), 0, 0), -LINUX_EACCES);
	assert_int_equal(call(EXECVE, NOWHERE, 0, 0), -LINUX_EFAULT);
	assert_int_equal(call(EXECVE, text("/bin/prog"), NOWHERE, 0), -LINUX_EFAULT);
	/* A list that never ends, and texts of more than 32 KiB. */
	list[0] = CODE;
	for (uint64_t at = STACK + 0x4000; at < STACK + 0x4000 + 1100 * 8; at += 8)
		poke(at, list, 8);
	assert_int_equal(call(EXECVE, text("/bin/prog"), STACK + 0x4000, 0), -LINUX_E2BIG);
}

/* ---- Hostile ---- */

static void check_maps(void)
{
	const struct hatch_process_state *s = &process.state;
	uint64_t end = HATCH_PROCESS_FIRST, mapped = 0;

	assert_true(s->maps <= HATCH_PROCESS_MAPS);
	for (unsigned int i = 0; i < s->maps; i++) {
		const struct hatch_process_map *map = &s->map[i];

		assert_true(map->start >= end && map->start < map->end);
		assert_true((map->prot & 6) != 6); /* never write and execute */
		mapped += map->end - map->start;
		end = map->end;
	}
	assert_true(end <= HATCH_PROCESS_END);
	assert_int_equal(mapped, s->mapped);
	assert_true(mapped <= LIMIT);
}

static void check_streams(void)
{
	unsigned int users = 0, numbers = 0;

	for (unsigned int i = 0; i < HATCH_PROCESS_OPEN; i++) {
		users += process.state.stream[i].users;
		numbers += process.state.number[i].stream != 0;
	}
	assert_int_equal(users, numbers);
}

/* Every call, with arguments from everywhere: it is answered or ends the program, no more. */
static void test_hostile_calls(void **state)
{
	unsigned int ended = 0;

	for (unsigned int round = 0; round < 60000; round++) {
		uint64_t number = random_below(460), a[6];
		enum hatch_verdict verdict;

		for (unsigned int i = 0; i < 6; i++)
			a[i] = bait();
		if (!random_below(3))
			text_at(PLACE, random_below(2) ? "/data/../data/link" : "/bin/prog");
		verdict = call_of(number, a);
		if (verdict == HATCH_UNWIND)
			ended++;
		else
			assert_true(verdict == HATCH_RESUME || verdict == HATCH_RETRY);
		check_streams();
		if (!(round % 64))
			check_maps();
		/* Until the next program it may have mapped, closed and changed what it liked. */
		if (!(round % 500) || process_page_in(&process, PLACE, HATCH_PROT_WRITE) ||
		    process_page_in(&process, BUFFER, HATCH_PROT_WRITE)) {
			world_teardown(state);
			world_setup(state);
		}
	}
	assert_true(ended > 50);
}

/* The same while memory runs out at any moment. */
static void test_hostile_without_memory(void **state)
{
	for (unsigned int round = 0; round < 5000; round++) {
		uint64_t a[6];

		for (unsigned int i = 0; i < 6; i++)
			a[i] = bait();
		arena.fail_after = (int)random_below(6);
		call_of(random_below(300), a);
		touch(bait(), (enum hatch_access)random_below(3));
		arena.fail_after = NEVER;
		check_streams();
		if (!(round % 100)) {
			check_maps();
			world_teardown(state);
			world_setup(state);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_exit),	  TEST(test_signals),
		TEST(test_time),	  TEST(test_identity),
		TEST(test_futex),	  TEST(test_execve),
		TEST(test_hostile_calls), TEST(test_hostile_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
