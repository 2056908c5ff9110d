/* SPDX-License-Identifier: MIT */
/*
 * A machine of four harts, each served by a thread: harts start, stop, sleep and end the machine
 * at random. The guest is a few lines of C that call the clauses as a real one would.
 */
#include <libfdt.h>
#include <sched.h>

#include "smp_machine.h"

enum { ROUNDS = 200, STEPS = 400, FREQUENCY = 10000000, UNWOUND_BY_USER = 7 };

/*
 * How the guest of a round may end; it may always end because all harts have stopped. Of the last
 * two all harts are started: they stop at the same moment, or wait to be called back.
 */
enum mode {
	BY_RESET,
	BY_STOPPING,
	BY_FAILING,
	BY_UNWINDING,
	BY_CAPTURING,
	MODES,
	TOGETHER,
	CALLED_BACK
};

static enum mode mode;
static struct hatch_machine machine;
static struct hatch_try tries[THREADS];
static enum hatch_outcome outcomes[THREADS];
static unsigned int steps;				/* of all harts in this round */
static unsigned int ends[HATCH_SUSPENDED + 1], stopped; /* over all rounds */

/* ---- The guest ---- */

static struct hatch_cont k_of(struct hatch_vcpu *vcpu)
{
	return (struct hatch_cont){ .vcpu = vcpu };
}

/* Whether the run is over: the clause left the try. */
static bool obey(struct hatch_try *t, enum hatch_verdict verdict, const struct hatch_cont *k)
{
	CHECK(verdict == k->verdict);
	if (verdict != HATCH_UNWIND)
		return false;
	t->outcome = k->finished ? HATCH_DONE : HATCH_UNWOUND;
	t->status = k->status;
	return true;
}

static bool call(struct hatch_try *t, const struct hatch_catch *clause, uint64_t function,
		 const uint64_t *a)
{
	struct hatch_event ev = { .kind = HATCH_HYPERCALL, .length = 4 };
	struct hatch_cont k = k_of(t->vcpu);

	ev.hypercall.extension = clause->first;
	ev.hypercall.function = function;
	ev.hypercall.arg = a;
	return obey(t, clause->handler(clause->arg, &ev, &k), &k);
}

static bool interrupt(struct hatch_try *t, const struct hatch_catch *clause)
{
	struct hatch_event ev = { .kind = HATCH_INTERRUPT };
	struct hatch_cont k = k_of(t->vcpu);

	return obey(t, clause->handler(clause->arg, &ev, &k), &k);
}

#define CALL(clause, function, ...)                                                                \
	call(t, &machine.sbi.clause, function, (uint64_t[8]){ __VA_ARGS__ })

static bool use_hsm(struct hatch_try *t, uint32_t value)
{
	switch (value % 8) {
	case 0:
		return CALL(hsm, 3, value & 256 ? 0x80000000 : 0, RAM + 2, value);
	case 1:
	case 2:
		return CALL(hsm, 2, value % 7);
	default:
		return CALL(hsm, 0, value >> 8 & 3, RAM + (value >> 16 & 0xffe), value);
	}
}

static bool use_devices(struct hatch_try *t, uint32_t value)
{
	struct hatch_vcpu *vcpu = t->vcpu;
	uint64_t context = 0x1000 * (2 * me->number + 1);

	switch (value % 8) {
	case 0:
		smp_access(&machine.plic.clause, vcpu, 4 * HATCH_MACHINE_UART_IRQ, 4, true, 1);
		smp_access(&machine.plic.clause, vcpu, 0x2000 + context / 0x1000 * 0x80, 4, true,
			   value >> 8);
		break;
	case 1:
		value = (uint32_t)smp_access(&machine.plic.clause, vcpu, 0x200004 + context, 4,
					     false, 0);
		smp_access(&machine.plic.clause, vcpu, 0x200004 + context, 4, true, value);
		break;
	case 2:
		smp_access(&machine.rtc.clause, vcpu, value >> 8 & 0x1c, 4, true, value);
		break;
	case 3:
		hatch_machine_receive(&machine);
		break;
	case 4:
		return interrupt(t, &machine.timer.expiry);
	default:
		smp_access(&machine.uart.clause, vcpu, value >> 8 & 1, 1, value >> 16 & 1, 'a');
	}
	return false;
}

static bool end_by_mode(struct hatch_try *t, uint32_t value)
{
	switch (mode) {
	case BY_RESET:
		return CALL(srst, 0, value % 3, 0);
	case BY_FAILING:
		t->outcome = HATCH_FAILED;
		return true;
	case BY_CAPTURING:
		t->outcome = HATCH_SUSPENDED;
		return true;
	case BY_UNWINDING:
		t->outcome = HATCH_UNWOUND;
		t->status = UNWOUND_BY_USER;
		return true;
	default:
		return CALL(hsm, 1, 0);
	}
}

/* One thing that the hart does. Returns whether its run is over. */
static bool step(struct hatch_try *t)
{
	bool late = __atomic_fetch_add(&steps, 1, __ATOMIC_RELAXED) >= STEPS;
	uint32_t value = smp_random(me);

	if (__atomic_exchange_n(&t->vcpu->post.kicked, false, __ATOMIC_ACQUIRE) &&
	    interrupt(t, &machine.kick))
		return true;
	if (late && smp_random(me) % 8 == 0)
		return end_by_mode(t, value);
	switch (smp_random(me) % 16) {
	case 0: /* fewer than are started, or all would have stopped before long */
		return smp_random(me) % 8 == 0 && CALL(hsm, 1, 0);
	case 1:
		return CALL(ipi, 0, value & 15, 0);
	case 2:
		return CALL(rfence, value % 3, value >> 8 & 15, 0, value, 0x1000, 5);
	case 3:
		return CALL(dbcn, 0, 3, RAM, 0);
	case 4:
		return CALL(time, 0, value);
	case 5:
	case 6:
	case 7:
		return use_hsm(t, value >> 4);
	default:
		return use_devices(t, value >> 4);
	}
}

static unsigned int arrived; /* at the meetings of this round */

/* Returns when so many have come. */
static void meet(unsigned int count)
{
	__atomic_fetch_add(&arrived, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(&arrived, __ATOMIC_ACQUIRE) < count)
		sched_yield();
}

/* Each of them sees the others alive. */
static bool stop_together(struct hatch_try *t)
{
	bool over;

	meet(THREADS);
	over = CALL(hsm, 1, 0);
	CHECK(__atomic_load_n(&harts[me->number].state, __ATOMIC_RELAXED) == SBI_HART_STOP_PENDING);
	meet(2 * THREADS);
	return over;
}

/* A guest that would never end by itself. */
static bool await_kick(struct hatch_try *t)
{
	meet(THREADS);
	if (me->number == 0)
		return CALL(srst, 0, 0, 0);
	while (!__atomic_exchange_n(&t->vcpu->post.kicked, false, __ATOMIC_ACQUIRE))
		sched_yield();
	return interrupt(t, &machine.kick);
}

static bool advance(struct hatch_try *t)
{
	if (mode == TOGETHER)
		return stop_together(t);
	return mode == CALLED_BACK ? await_kick(t) : step(t);
}

/* In place of the framework's: only one runs a vcpu, and only one that was started. */
enum hatch_outcome hatch_try_run(struct hatch_try *t)
{
	struct hatch_vcpu *vcpu = t->vcpu;

	CHECK(number_of(vcpu) == me->number && !vcpu->live);
	CHECK(vcpu->frame.pc);
	vcpu->live = true;
	vcpu->running = t;
	while (!advance(t))
		vcpu->frame.x[5]++;
	vcpu->running = NULL;
	vcpu->live = false;
	return t->outcome;
}

/* ---- Tests ---- */

static void serve(struct smp_thread *self)
{
	me = self;
	outcomes[self->number] = hatch_machine_serve(&machine, self->number, &tries[self->number]);
	CHECK(armed == HATCH_TIMER_NEVER);
}

static void begin_machine(void)
{
	const struct hatch_machine_host host = smp_host();

	assert_int_equal(hatch_machine_init(&machine, &host, harts, THREADS), HATCH_OK);
	for (unsigned int i = 0; i < THREADS; i++) {
		assert_int_equal(vcpus[i].hart_id, i);
		tries[i] = (struct hatch_try){ .vcpu = &vcpus[i] };
		hatch_scope_init(&tries[i].scope, "try", NULL);
		tries[i].innermost = tries[i].own = &tries[i].scope;
		assert_int_equal(hatch_machine_enter(&machine, &tries[i]), HATCH_OK);
		assert_ptr_equal(tries[i].scope.outer, &machine.scope);
	}
	assert_ptr_equal(machine.scope.outer, &machine.rest);
	vcpus[0].frame.pc = RAM;
	steps = 0;
}

static void expect_end(void)
{
	const struct hatch_try *ended = machine.ended;

	assert_non_null(ended);
	for (unsigned int i = 0; i < THREADS; i++) {
		assert_int_equal(outcomes[i], ended->outcome);
		assert_false(vcpus[i].live);
	}
	ends[ended->outcome]++;
	if (ended->outcome == HATCH_UNWOUND)
		assert_int_equal(ended->status, UNWOUND_BY_USER);
	if (ended->outcome != HATCH_DONE)
		return;
	assert_int_not_equal(hatch_machine_request(&machine), HATCH_RESET_NONE);
	if (hatch_machine_request(&machine) != HATCH_RESET_STOPPED)
		return;
	stopped++;
	for (unsigned int i = 0; i < THREADS; i++)
		assert_int_equal(harts[i].state, SBI_HART_STOPPED);
}

static void test_lives(void **state)
{
	(void)state;
	for (unsigned int round = 0; round < ROUNDS; round++) {
		mode = (enum mode)(round % MODES);
		begin_machine();
		smp_run(serve, round);
		expect_end();
	}
	assert_true(ends[HATCH_DONE] && ends[HATCH_UNWOUND] && ends[HATCH_FAILED] && stopped);
	assert_true(ends[HATCH_SUSPENDED]);
	assert_true(ends[HATCH_DONE] > stopped);
	assert_true(console_bytes && console_changes);
}

static void run_all_started(enum mode how)
{
	mode = how;
	arrived = 0;
	begin_machine();
	for (unsigned int i = 0; i < THREADS; i++) {
		vcpus[i].frame.pc = RAM;
		vcpus[i].post.kicked = false;
		harts[i].state = SBI_HART_STARTED;
	}
	smp_run(serve, how);
	expect_end();
	assert_int_equal(machine.ended->outcome, HATCH_DONE);
}

/* The last ones to stop, at the same moment: somebody notices that nobody is left. */
static void test_stop_together(void **state)
{
	(void)state;
	for (unsigned int round = 0; round < 100; round++) {
		run_all_started(TOGETHER);
		assert_int_equal(hatch_machine_request(&machine), HATCH_RESET_STOPPED);
	}
}

/* The end of one is the end of all, however long they would run. */
static void test_called_back(void **state)
{
	(void)state;
	for (unsigned int round = 0; round < 100; round++) {
		run_all_started(CALLED_BACK);
		assert_int_equal(hatch_machine_request(&machine), HATCH_RESET_SHUTDOWN);
		for (unsigned int i = 1; i < THREADS; i++)
			assert_int_equal(tries[i].outcome, HATCH_UNWOUND);
	}
}

static void test_limits(void **state)
{
	struct hatch_machine_host host = { .fdt = fdt };
	struct hatch_scope other;

	(void)state;
	assert_int_equal(hatch_machine_init(&machine, &host, harts, 0), HATCH_EINVAL);
	assert_int_equal(hatch_machine_init(&machine, &host, harts, 2), HATCH_EINVAL);
	host.wait = on_wait;
	assert_int_equal(hatch_machine_init(&machine, &host, harts, 2), HATCH_EINVAL);
	begin_machine();
	assert_int_equal(hatch_machine_enter(&machine, &tries[0]), HATCH_OK);
	hatch_scope_init(&other, "other", NULL);
	tries[0].scope.outer = &other;
	assert_int_equal(hatch_machine_enter(&machine, &tries[0]), HATCH_EINVAL);
	tries[0].entered = true;
	assert_int_equal(hatch_machine_enter(&machine, &tries[0]), HATCH_ESEALED);
}

/* A kick that came too late for the machine before this one ends nothing. */
static void test_stale_kick(void **state)
{
	(void)state;
	begin_machine();
	assert_false(interrupt(&tries[1], &machine.kick));
	machine.ended = &tries[0];
	assert_true(interrupt(&tries[1], &machine.kick));
	assert_int_equal(tries[1].outcome, HATCH_UNWOUND);
}

static int set_up(void **state)
{
	(void)state;
	assert_int_equal(fdt_create_empty_tree(fdt, sizeof(fdt)), 0);
	assert_true(fdt_add_subnode(fdt, 0, "cpus") > 0);
	fdt_setprop_u32(fdt, fdt_path_offset(fdt, "/cpus"), "timebase-frequency", FREQUENCY);
	for (unsigned int i = 0; i < THREADS; i++) {
		pthread_mutex_init(&bell[i].mutex, NULL);
		pthread_cond_init(&bell[i].cond, NULL);
		vcpus[i] = (struct hatch_vcpu){ .confine = { .henvcfg = HENVCFG_STCE } };
		harts[i].vcpu = &vcpus[i];
	}
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lives),	    cmocka_unit_test(test_stop_together),
		cmocka_unit_test(test_called_back), cmocka_unit_test(test_limits),
		cmocka_unit_test(test_stale_kick),
	};

	return cmocka_run_group_tests_name("smp_machine", tests, set_up, NULL);
}
