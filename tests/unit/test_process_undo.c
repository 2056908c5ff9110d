/* SPDX-License-Identifier: MIT */
/* Processes in transactions: whatever a program does, it comes back to where it was. */
#include "process_calls.h"

enum {
	MUNMAP = 215,
	MMAP = 222,
	MPROTECT = 226,
	MADVISE = 233,
	WRITABLE = HATCH_PROT_READ | HATCH_PROT_WRITE,
	FIXED = 0x10,
	PRIVATE_ANONYMOUS = 0x22,
};

#define PAGE HATCH_PAGE_SIZE

static int64_t map_new(uint64_t hint, uint64_t size, uint64_t prot, uint64_t flags)
{
	return call(MMAP, hint, size, prot, flags | PRIVATE_ANONYMOUS, (uint64_t)-1, 0);
}

static struct hatch_process_state saved;

static void keep(void)
{
	process_page_save(&process);
	saved = process.state;
}

/* What hatch_guest_rollback does for us, done by hand: contents of old pages are put back. */
static void test_restore_mappings(void **state)
{
	uint64_t at = (uint64_t)map_new(0, 4 * PAGE, WRITABLE, 0), value = 1, fresh;
	size_t before;

	(void)state;
	poke(at, &value, 8);
	poke(at + PAGE, &value, 8);
	keep();
	before = arena.bytes;
	/* Gone, replaced, protected, new: all of it is undone. */
	assert_int_equal(call(MUNMAP, at, PAGE), 0);
	assert_int_equal(map_new(at + PAGE, PAGE, WRITABLE, FIXED), at + PAGE);
	assert_int_equal(peek64(at + PAGE), 0);
	value = 2;
	poke(at + PAGE, &value, 8);
	poke(at + 2 * PAGE, &value, 8);
	assert_int_equal(call(MPROTECT, CODE, PAGE, HATCH_PROT_READ), 0);
	fresh = (uint64_t)map_new(0, 8 * PAGE, WRITABLE, 0);
	poke(fresh, &value, 8);
	process_page_restore(&process, &saved);
	assert_int_equal(arena.bytes > before, 0);
	assert_int_equal(peek64(at), 1);
	assert_int_equal(peek64(at + PAGE), 1);
	assert_int_equal(peek64(at + 2 * PAGE), 0);
	assert_int_equal(touch(CODE, HATCH_FETCH), HATCH_RETRY);
	assert_int_equal(process_copy_in(&process, fresh, &value, 8), -LINUX_EFAULT);
	assert_memory_equal(&process.state, &saved, sizeof(saved));
}

/* The same with the framework's transaction, which copies what is written to. */
static void test_transaction(void **state)
{
	uint64_t at = (uint64_t)map_new(0, 2 * PAGE, WRITABLE, 0), value;

	(void)state;
	for (uint64_t round = 0; round < 3; round++) {
		value = 10 + round;
		poke(at, &value, 8);
		keep();
		assert_int_equal(hatch_guest_begin(&guest), 0);
		value = 99;
		poke(at, &value, 8);
		assert_int_equal(peek64(at), 99);
		poke(at + PAGE, &value, 8);
		assert_int_equal(call(MPROTECT, at, PAGE, 0), 0);
		assert_int_equal(call(MPROTECT, at, PAGE, WRITABLE), 0);
		assert_int_equal(peek64(at), 99);
		if (round == 1)
			assert_int_equal(call(MUNMAP, at, 2 * PAGE), 0);
		hatch_guest_rollback(&guest);
		process_page_restore(&process, &saved);
		assert_int_equal(peek64(at), 10 + round);
		assert_int_equal(peek64(at + PAGE), 0);
	}
	/* What is committed stays, and is what the next one comes back to. */
	keep();
	assert_int_equal(hatch_guest_begin(&guest), 0);
	value = 50;
	poke(at, &value, 8);
	hatch_guest_commit(&guest);
	keep();
	assert_int_equal(hatch_guest_begin(&guest), 0);
	value = 51;
	poke(at, &value, 8);
	assert_int_equal(call(MUNMAP, at, PAGE), 0);
	hatch_guest_rollback(&guest);
	process_page_restore(&process, &saved);
	assert_int_equal(peek64(at), 50);
}

/* However often a page comes and goes, the transaction takes no more memory for it. */
static void test_pages_that_come_and_go(void **state)
{
	const uint64_t value = 7;
	uint64_t at = (uint64_t)map_new(0, PAGE, WRITABLE, 0);
	size_t before = 0;

	(void)state;
	keep();
	assert_int_equal(hatch_guest_begin(&guest), 0);
	for (unsigned int i = 0; i < 1000; i++) {
		poke(at, &value, 8);
		assert_int_equal(call(MPROTECT, at, PAGE, 0), 0);
		assert_int_equal(call(MPROTECT, at, PAGE, WRITABLE), 0);
		poke(at, &value, 8);
		assert_int_equal(call(MADVISE, at, PAGE, 4), 0);
		poke(at, &value, 8);
		assert_int_equal(call(MUNMAP, at, PAGE), 0);
		assert_int_equal(map_new(at, PAGE, WRITABLE, FIXED), at);
		if (!before)
			before = arena.bytes;
		assert_int_equal(arena.bytes, before);
	}
	hatch_guest_rollback(&guest);
	process_page_restore(&process, &saved);
	assert_int_equal(peek64(at), 0);
}

/* Everything that the program could see: its state, and each page of each mapping. */
struct memory_of_all {
	struct hatch_process_state state;
	uint8_t bytes[LIMIT];
};

static size_t remember(struct memory_of_all *all)
{
	uint8_t *to = all->bytes;

	for (unsigned int i = 0; i < process.state.maps; i++) {
		const struct hatch_process_map *map = &process.state.map[i];

		if (!(map->prot & HATCH_PROT_READ))
			continue;
		peek(map->start, to, map->end - map->start);
		to += map->end - map->start;
	}
	all->state = process.state;
	return (size_t)(to - all->bytes);
}

static void do_anything(void)
{
	uint64_t a[6], value = random_bits();

	for (unsigned int i = 0; i < 6; i++)
		a[i] = bait();
	switch (random_below(4)) {
	case 0:
		process_copy_out(&process, bait(), &value, sizeof(value));
		break;
	case 1: /* one of those that change mappings */
		a[0] = (DATA & ~(PAGE - 1)) + random_below(4) * PAGE;
		a[1] = PAGE + random_below(2) * PAGE;
		a[2] = random_below(8);
		a[3] = FIXED | PRIVATE_ANONYMOUS;
		call_of((const uint64_t[]){ MUNMAP, MMAP, MPROTECT, 233 }[random_below(4)], a);
		break;
	case 2:
		touch(bait(), (enum hatch_access)random_below(3));
		break;
	default:
		call_of(random_below(300), a);
	}
}

static void test_random_transactions(void **state)
{
	static struct memory_of_all before, after;
	unsigned int changed = 0;

	for (unsigned int round = 0; round < 400; round++) {
		size_t bytes;

		if (!(round % 20)) {
			world_teardown(state);
			world_setup(state);
		}
		for (uint64_t i = random_below(10); i--;)
			do_anything();
		bytes = remember(&before);
		keep();
		assert_int_equal(hatch_guest_begin(&guest), 0);
		for (uint64_t i = random_below(60); i--;)
			do_anything();
		changed += memcmp(&process.state, &before.state, sizeof(before.state)) != 0;
		if (random_below(4)) {
			hatch_guest_rollback(&guest);
			process_page_restore(&process, &saved);
			assert_memory_equal(&process.state, &before.state, sizeof(before.state));
			assert_int_equal(remember(&after), bytes);
			assert_memory_equal(before.bytes, after.bytes, bytes);
		} else {
			bytes = remember(&before);
			hatch_guest_commit(&guest);
			assert_int_equal(remember(&after), bytes);
			assert_memory_equal(before.bytes, after.bytes, bytes);
		}
	}
	assert_true(changed > 100);
}

/* A state from elsewhere is looked at before it is believed. */
static void test_foreign_states(void **state)
{
	const struct hatch_state *keeper = &process.keep;
	struct hatch_process_state *s = &saved;
	struct hatch_vcpu other = { .guest = &guest };

	(void)state;
	assert_int_equal(keeper->size, sizeof(saved));
	keeper->save(keeper->arg, s);
	assert_int_equal(keeper->restore(keeper->arg, s, &other), HATCH_ENOTSUP);
	assert_int_equal(keeper->restore(keeper->arg, s, &vcpu), 0);
	for (unsigned int round = 0; round < 20000; round++) {
		struct hatch_process_state wrong = *s;
		size_t at = random_below(2) ? random_below(sizeof(wrong.map[0]) * 5)
					    : random_below(sizeof(wrong));

		((uint8_t *)&wrong)[at] ^= (uint8_t)(1 + random_below(255));
		if (keeper->restore(keeper->arg, &wrong, &vcpu)) {
			assert_memory_equal(&process.state, s, sizeof(*s));
			continue;
		}
		do_anything();
		assert_int_equal(keeper->restore(keeper->arg, s, &vcpu), 0);
	}
}

/* Nor may it bring what the program could not have got by itself. */
static void test_states_that_never_were(void **state)
{
	const struct hatch_state *keeper = &process.keep;
	struct hatch_process_state wrong;

	(void)state;
	process.config.allow[0] = "/data";
	assert_int_equal(call(OPENAT, (uint64_t)-100, text("/data/a"), 0), 3);
	keeper->save(keeper->arg, &saved);
	wrong = saved;
	wrong.stream[3].file =
		(uint32_t)hatch_files_find(&files, HATCH_FILES_ROOT, "/secret/key", true);
	assert_int_equal(keeper->restore(keeper->arg, &wrong, &vcpu), HATCH_EFORMAT);
	wrong = saved;
	wrong.stream[1].at = 1000; /* neither output nor error */
	assert_int_equal(keeper->restore(keeper->arg, &wrong, &vcpu), HATCH_EFORMAT);
	wrong = saved;
	wrong.map[0].file =
		(uint32_t)hatch_files_find(&files, HATCH_FILES_ROOT, "/secret/key", true);
	assert_int_equal(keeper->restore(keeper->arg, &wrong, &vcpu), HATCH_ENOTSUP);
	assert_int_equal(keeper->restore(keeper->arg, &saved, &vcpu), 0);
	/* Which pages it had then is not known any more. */
	map_new(0, PAGE, HATCH_PROT_READ, 0);
	keeper->save(keeper->arg, &wrong);
	assert_int_equal(keeper->restore(keeper->arg, &saved, &vcpu), HATCH_ENOTSUP);
	assert_int_equal(keeper->restore(keeper->arg, &wrong, &vcpu), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_restore_mappings),	   TEST(test_transaction),
		TEST(test_pages_that_come_and_go), TEST(test_random_transactions),
		TEST(test_foreign_states),	   TEST(test_states_that_never_were),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
