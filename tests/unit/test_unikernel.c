/* SPDX-License-Identifier: MIT */
/* The calls of a unikernel but the disk's: what is asked rightly is done, the rest changes nothing. */
#include "unikernel_fake.h"

/* ---- clock, console, end ------------------------------------------------------------------ */

static void test_clock_and_end(void **state)
{
	(void)state;
	now = UINT64_MAX - 1;
	expect(HATCH_UNIKERNEL_WALLTIME, 1, 2, 3, 0);
	assert_true(k.second == UINT64_MAX - 1);
	for (uint64_t function = 8; function; function <<= 1)
		expect(function, RAM, 16, 16, HATCH_UNIKERNEL_NODEVICE);
	expect(UINT64_MAX, RAM, 16, 16, HATCH_UNIKERNEL_NODEVICE);
	assert_int_equal(call(HATCH_UNIKERNEL_HALT, (uint64_t)-3, 0, 0), HATCH_UNWIND);
	assert_true(k.finished);
	assert_int_equal(k.status, -3);
}

static void test_greet(void **state)
{
	(void)state;
	hatch_unikernel_greet(&u, &vcpu);
	assert_int_equal(vcpu.frame.x[10], SECTORS);
	assert_int_equal(vcpu.frame.x[11], SECTOR);
	assert_true(vcpu.frame.x[12] == OWN_ADDRESS);
	hatch_unikernel_init(&u, wall_ns, &u);
	hatch_unikernel_greet(&u, &vcpu);
	for (unsigned int n = 10; n < 13; n++)
		assert_int_equal(vcpu.frame.x[n], 0);
}

static void expect_text(uint64_t at, uint64_t size, uint64_t wanted)
{
	text_size = 0;
	expect(HATCH_UNIKERNEL_PUTS, at, size, 0, 0);
	assert_int_equal(k.second, wanted);
	assert_int_equal(text_size, wanted);
	for (uint64_t i = 0; i < wanted; i++)
		assert_int_equal(text[i], at + i < ROM ? ram[at + i - RAM] : rom[at + i - ROM]);
}

static void test_puts(void **state)
{
	const uint64_t most = HATCH_UNIKERNEL_PUTS_MAX;

	(void)state;
	for (uint64_t offset = 0; offset < 600; offset += 7)
		for (uint64_t size = 0; size < 600; size += 13)
			expect_text(RAM + offset, size, size);
	expect_text(RAM, most, most);
	expect_text(RAM + 1, most + 1, most);
	expect_text(RAM, UINT64_MAX, most);
	expect_text(ROM - 100, 300, 300); /* over the seam */
	expect_text(END - 256, 512, 256); /* as far as it is there */
	expect_text(1, 0, 0);
	text_size = 0;
	for (const uint64_t *bad = (const uint64_t[]){ RAM - 1, END, UINT64_MAX, UINT64_MAX - 300,
						       1ULL << 63, 1ULL << 41, 1 };
	     ; bad++) {
		expect(HATCH_UNIKERNEL_PUTS, *bad, 1000, 0, HATCH_UNIKERNEL_MEMORY);
		if (*bad == 1)
			break;
	}
	assert_int_equal(text_size, 0);
	u.write = NULL;
	expect(HATCH_UNIKERNEL_PUTS, RAM, 10, 0, 0);
	assert_int_equal(k.second, 10);
}

/* ---- waiting ------------------------------------------------------------------------------ */

static void expect_wait(uint64_t until)
{
	assert_int_equal(call(HATCH_UNIKERNEL_POLL, until, 0, 0), HATCH_UNWIND);
	assert_int_equal(k.status, HATCH_UNIKERNEL_WAITS);
	assert_false(k.finished);
	assert_true(hatch_unikernel_waits(&u));
	assert_false(hatch_unikernel_ready(&u));
}

/* However often the same poll is made, it ends at the same time. */
static void test_poll(void **state)
{
	uint8_t frame[HATCH_UNIKERNEL_FRAME_MIN] = { 0 };

	(void)state;
	assert_true(hatch_unikernel_ready(&u));
	expect(HATCH_UNIKERNEL_POLL, 0, 0, 0, 0);
	assert_int_equal(k.second, 0);
	expect(HATCH_UNIKERNEL_POLL, 1000, 0, 0, 0);
	for (now = 1000; now < 1010; now++)
		expect_wait(1010);
	assert_true(hatch_unikernel_ready(&u));
	expect(HATCH_UNIKERNEL_POLL, 1010, 0, 0, 0);
	assert_int_equal(k.second, 0);
	assert_false(hatch_unikernel_waits(&u));
	expect_wait(UINT64_MAX);
	assert_true(hatch_unikernel_receive(&u, frame, sizeof(frame)));
	assert_true(hatch_unikernel_ready(&u));
	expect(HATCH_UNIKERNEL_POLL, UINT64_MAX, 0, 0, 0);
	assert_int_equal(k.second, 1);
	assert_false(hatch_unikernel_waits(&u));
}

/* A guest that does something else instead waits no more. */
static void test_poll_forgotten(void **state)
{
	(void)state;
	expect_wait(UINT64_MAX);
	expect(HATCH_UNIKERNEL_WALLTIME, 0, 0, 0, 0);
	assert_true(hatch_unikernel_ready(&u));
	expect_wait(UINT64_MAX);
	hatch_unikernel_reset(&u);
	assert_false(hatch_unikernel_waits(&u));
}

/* ---- network ------------------------------------------------------------------------------ */

static void test_net_absent(void **state)
{
	(void)state;
	u.net.send = NULL;
	expect(HATCH_UNIKERNEL_NET_READ, RAM, 1514, 0, HATCH_UNIKERNEL_NODEVICE);
	expect(HATCH_UNIKERNEL_NET_WRITE, RAM, 64, 0, HATCH_UNIKERNEL_NODEVICE);
}

static void test_net_write(void **state)
{
	(void)state;
	for (uint64_t size = 0; size < 1600; size++) {
		bool right = size >= HATCH_UNIKERNEL_FRAME_MIN && size <= HATCH_UNIKERNEL_FRAME_MAX;

		sent_size = 0;
		expect(HATCH_UNIKERNEL_NET_WRITE, ROM - 700, size, 0,
		       right ? 0 : HATCH_UNIKERNEL_SIZE);
		assert_int_equal(sent_size, right ? size : 0);
		if (right && size > 700) {
			assert_memory_equal(sent, ram + RAM_SIZE - 700, 700);
			assert_memory_equal(sent + 700, rom, size - 700);
		}
	}
	sent_size = 0;
	expect(HATCH_UNIKERNEL_NET_WRITE, RAM, UINT64_MAX, 0, HATCH_UNIKERNEL_SIZE);
	expect(HATCH_UNIKERNEL_NET_WRITE, END - 63, 64, 0, HATCH_UNIKERNEL_MEMORY);
	expect(HATCH_UNIKERNEL_NET_WRITE, RAM - 63, 64, 0, HATCH_UNIKERNEL_MEMORY);
	expect(HATCH_UNIKERNEL_NET_WRITE, UINT64_MAX - 30, 64, 0, HATCH_UNIKERNEL_MEMORY);
	full = true;
	expect(HATCH_UNIKERNEL_NET_WRITE, RAM, 64, 0, HATCH_UNIKERNEL_AGAIN);
	assert_int_equal(sent_size, 0);
}

/* Frame number n, of a length of its own. */
static size_t make_frame(uint8_t *frame, unsigned int n)
{
	size_t size = HATCH_UNIKERNEL_FRAME_MIN + n * 37 % 1501;

	for (size_t i = 0; i < size; i++)
		frame[i] = (uint8_t)(n * 131 + i * 7);
	return size;
}

/* First in, first out, at all fill levels. */
static void test_net_queue(void **state)
{
	uint8_t frame[HATCH_UNIKERNEL_FRAME_MAX + 1];
	unsigned int in = 0, out = 0, refused = 0;
	size_t size;

	(void)state;
	for (unsigned int i = 0; i < OPERATIONS / 10; i++) {
		if (random_bits() >> 63) {
			size = make_frame(frame, in);
			bool taken = hatch_unikernel_receive(&u, frame, size);

			assert_int_equal(taken, in - out < HATCH_UNIKERNEL_FRAMES);
			in += taken;
			refused += !taken;
		} else {
			bool none = in == out;

			expect(HATCH_UNIKERNEL_NET_READ, RAM + i % 5000, sizeof(frame), 0,
			       none ? HATCH_UNIKERNEL_AGAIN : 0);
			if (none)
				continue;
			size = make_frame(frame, out++);
			assert_int_equal(k.second, size);
			assert_memory_equal(ram + i % 5000, frame, size);
		}
	}
	assert_true(refused > 100 && out > 1000);
	assert_int_equal(u.state.refused, refused);
}

/* A frame that could not be delivered waits on. */
static void test_net_read_wrong(void **state)
{
	uint8_t frame[HATCH_UNIKERNEL_FRAME_MAX + 1];
	const size_t size = make_frame(frame, 5);

	(void)state;
	assert_false(hatch_unikernel_receive(&u, frame, HATCH_UNIKERNEL_FRAME_MIN - 1));
	assert_false(hatch_unikernel_receive(&u, frame, HATCH_UNIKERNEL_FRAME_MAX + 1));
	assert_false(hatch_unikernel_receive(&u, frame, 0));
	assert_int_equal(u.state.refused, 3);
	assert_true(hatch_unikernel_receive(&u, frame, size));
	for (size_t room = 0; room < size; room++) {
		expect(HATCH_UNIKERNEL_NET_READ, RAM, room, 0, HATCH_UNIKERNEL_SIZE);
		assert_int_equal(k.second, size);
	}
	expect(HATCH_UNIKERNEL_NET_READ, ROM, 2000, 0, HATCH_UNIKERNEL_MEMORY);
	expect(HATCH_UNIKERNEL_NET_READ, ROM - size + 1, 2000, 0, HATCH_UNIKERNEL_MEMORY);
	expect(HATCH_UNIKERNEL_NET_READ, 0, UINT64_MAX, 0, HATCH_UNIKERNEL_MEMORY);
	expect(HATCH_UNIKERNEL_NET_READ, UINT64_MAX, UINT64_MAX, 0, HATCH_UNIKERNEL_MEMORY);
	expect(HATCH_UNIKERNEL_NET_READ, ROM - size, size, 0, 0);
	assert_memory_equal(ram + RAM_SIZE - size, frame, size);
	assert_int_equal(u.state.count, 0);
}

/* ---- state -------------------------------------------------------------------------------- */

/* What is saved comes back; what could lead astray does not come in. */
static void test_state(void **state)
{
	static struct hatch_unikernel_state saved, bad;
	uint8_t frame[HATCH_UNIKERNEL_FRAME_MAX];
	const struct hatch_state *s = &u.saved;

	(void)state;
	assert_int_equal(s->size, sizeof(saved));
	for (unsigned int i = 0; i < 11; i++) {
		hatch_unikernel_receive(&u, frame, make_frame(frame, i));
		if (i < 5)
			expect(HATCH_UNIKERNEL_NET_READ, RAM, sizeof(frame), 0, 0);
	}
	s->save(s->arg, &saved);
	hatch_unikernel_reset(&u);
	expect_wait(5000);
	assert_int_equal(s->restore(s->arg, &saved, &vcpu), 0);
	assert_false(hatch_unikernel_waits(&u));
	bad = saved;
	bad.count = HATCH_UNIKERNEL_FRAMES + 1;
	assert_int_equal(s->restore(s->arg, &bad, &vcpu), HATCH_EFORMAT);
	bad = saved;
	bad.first = HATCH_UNIKERNEL_FRAMES;
	assert_int_equal(s->restore(s->arg, &bad, &vcpu), HATCH_EFORMAT);
	bad = saved;
	bad.waits = 2;
	assert_int_equal(s->restore(s->arg, &bad, &vcpu), HATCH_EFORMAT);
	for (unsigned int i = 0; i < HATCH_UNIKERNEL_FRAMES; i++) {
		bool used = (i - saved.first) % HATCH_UNIKERNEL_FRAMES < saved.count;

		bad = saved;
		bad.frame[i].size = i % 2 ? HATCH_UNIKERNEL_FRAME_MAX + 1 : 0;
		assert_int_equal(s->restore(s->arg, &bad, &vcpu), used ? HATCH_EFORMAT : 0);
	}
	for (unsigned int i = 5; i < 11; i++) {
		expect(HATCH_UNIKERNEL_NET_READ, RAM, sizeof(frame), 0, 0);
		assert_int_equal(k.second, make_frame(frame, i));
		assert_memory_equal(ram, frame, k.second);
	}
	expect(HATCH_UNIKERNEL_NET_READ, RAM, sizeof(frame), 0, HATCH_UNIKERNEL_AGAIN);
}

/* Clause and state, or neither. */
static void test_add(void **state)
{
	static struct hatch_unikernel other;
	struct hatch_scope scope;

	(void)state;
	hatch_unikernel_init(&other, wall_ns, NULL);
	hatch_scope_init(&scope, "scope", NULL);
	assert_int_equal(hatch_unikernel_add(&u, &scope), 0);
	assert_ptr_equal(scope.states, &u.saved);
	assert_int_equal(hatch_unikernel_add(&other, &scope), HATCH_EOVERLAP);
	other.clause.first = other.clause.last = HATCH_UNIKERNEL_EID + 1;
	assert_int_equal(hatch_unikernel_add(&other, &scope), HATCH_EOVERLAP); /* the name */
	assert_null(other.clause.scope);
	assert_int_equal(hatch_unikernel_add(&u, &scope), HATCH_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_clock_and_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_greet, setup, teardown),
		cmocka_unit_test_setup_teardown(test_puts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_poll, setup, teardown),
		cmocka_unit_test_setup_teardown(test_poll_forgotten, setup, teardown),
		cmocka_unit_test_setup_teardown(test_net_absent, setup, teardown),
		cmocka_unit_test_setup_teardown(test_net_write, setup, teardown),
		cmocka_unit_test_setup_teardown(test_net_queue, setup, teardown),
		cmocka_unit_test_setup_teardown(test_net_read_wrong, setup, teardown),
		cmocka_unit_test_setup_teardown(test_state, setup, teardown),
		cmocka_unit_test_setup_teardown(test_add, setup, teardown),
	};

	return cmocka_run_group_tests_name("unikernel", tests, NULL, NULL);
}
