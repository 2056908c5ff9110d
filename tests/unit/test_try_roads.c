/* SPDX-License-Identifier: MIT */
/*
 * The short road gives the same answers as the long one: random programs before random clauses in
 * nested scopes, run twice, once with an observer, before which the short road rests.
 */
#include "fake_hart.h"

enum { STEPS = 60, SCOPES = 3, CLAUSES = 12, ROUNDS = 4000 };

#define DEVICES 0x10000000ULL

static struct step program[STEPS];
static struct hatch_scope scopes[SCOPES]; /* the first is the try's own */
static struct hatch_catch clauses[CLAUSES];
static struct stage stage;

/* Everything that a run did, in numbers. */
static struct {
	uint64_t word[512 * STEPS];
	size_t words;
} logs[2], *now;

static void note(uint64_t word)
{
	assert_true(now->words < COUNT_OF(now->word));
	now->word[now->words++] = word;
}

static void note_registers(void)
{
	for (unsigned int i = 0; i < 32; i++)
		note(stage.world.vcpu.frame.x[i]);
}

/* ---- Handlers ---- */

static void note_event(const struct hatch_catch *clause, const struct hatch_event *ev)
{
	note((uint64_t)(clause - clauses));
	note(ev->kind);
	note(ev->length);
	note_registers();
	if (ev->kind == HATCH_HYPERCALL) {
		assert_ptr_equal(ev->hypercall.arg, &stage.world.vcpu.frame.x[10]);
		note(ev->hypercall.extension);
		note(ev->hypercall.function);
	} else {
		note(ev->mmio.gpa.addr);
		note(ev->mmio.offset);
		note(ev->mmio.width);
		note(ev->mmio.write);
		note(ev->mmio.write ? ev->mmio.value : ev->mmio.sign);
	}
}

/* What to do follows from the event alone, so that both roads see the same handler. */
static enum hatch_verdict on_event(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	uint64_t value = 0x8000ff7f8181ULL * (stage_at(&stage) + 3);

	note_event(arg, ev);
	note(hatch_cont_pc(k).addr);
	if (stage_at(&stage) + 1 == STEPS)
		return hatch_unwind(k, 0);
	switch (stage_at(&stage) % 11) {
	case 0:
		return HATCH_PASS;
	case 1:
		return hatch_skip(k);
	case 2: /* the guest's vector is its next instruction: an exception steps */
		stage.world.vcpu.vs.vstvec = hatch_cont_pc(k).addr + 4;
		return hatch_inject(k, CAUSE_LOAD_ACCESS, value);
	case 3:
		return hatch_unwind(k, (long)value);
	case 4:
	case 5:
		return hatch_resume_pair(k, value, ~value);
	default:
		return hatch_resume(k, value);
	}
}

/* ---- Random worlds ---- */

static struct hatch_catch random_clause(struct hatch_catch *at)
{
	uint64_t base = DEVICES + 0x800 * random_below(6), part = base + 8 * random_below(4);
	uint64_t eid = random_below(4), fid = random_below(3);

	switch (random_below(5)) {
	case 0:
		return HATCH_ON_HYPERCALL_FUNCTION(eid, fid, on_event, at);
	case 1:
		return HATCH_ON_HYPERCALL(eid, on_event, at);
	case 2:
		return HATCH_ON_MMIO(part, 8, on_event, at);
	case 3:
		return HATCH_ON_MMIO(base, 0x1000, on_event, at);
	default:
		return HATCH_ON_ANY(on_event, at);
	}
}

static void random_step(struct step *step)
{
	static const uint32_t loads[] = { 0x0003, 0x1003, 0x2003, 0x3003, 0x4003,
					  0x5003, 0x6003, 0x2001, 0x3001 };
	static const uint32_t stores[] = { 0x0023, 0x1023, 0x2023, 0x3023, 0x2021 };
	uint64_t gpa = DEVICES + 0x800 * random_below(6) + 4 * random_below(9);

	memset(step, 0, sizeof(*step));
	for (unsigned int i = 0; i < 8; i++)
		step->a[i] = random_bits();
	if (random_below(2)) {
		step->trap.scause = CAUSE_VIRTUAL_ECALL;
		step->a[7] = random_below(4);
		step->a[6] = random_below(3);
		return;
	}
	step->trap.scause = random_below(2) ? CAUSE_LOAD_GUEST_PAGE_FAULT
					    : CAUSE_STORE_GUEST_PAGE_FAULT;
	step->trap.stval = gpa;
	step->trap.htval = gpa >> 2;
	step->trap.htinst = step->trap.scause == CAUSE_LOAD_GUEST_PAGE_FAULT
				    ? loads[random_below(COUNT_OF(loads))] | random_below(32) << 7
				    : stores[random_below(COUNT_OF(stores))] | random_below(32)
										       << 20;
}

/* Puts clauses where they fit; a scope refuses what overlaps, another one may take it. */
static void begin_round(void)
{
	for (unsigned int i = 0; i < STEPS; i++)
		random_step(&program[i]);
	for (unsigned int i = 0; i < SCOPES; i++)
		hatch_scope_init(&scopes[i], "scope", NULL);
	for (unsigned int i = 0; i < CLAUSES; i++) {
		clauses[i] = random_clause(&clauses[i]);
		clauses[i].registers = !random_below(8);
		if (!random_below(40))
			clauses[i].may &= ~HATCH_MAY(HATCH_RESUME);
		hatch_catch_add(&scopes[random_below(SCOPES)], &clauses[i]);
	}
}

static void watch(void *arg, const struct hatch_event *ev, const struct hatch_cont *k,
		  const struct hatch_catch *clause)
{
	(void)arg;
	(void)ev;
	(void)k;
	(void)clause;
}

static void note_end(void)
{
	const struct hatch_try *t = &stage.t;

	note(t->outcome);
	note((uint64_t)t->status);
	note((uint64_t)t->error);
	if (t->outcome != HATCH_UNCAUGHT)
		note((uint64_t)(t->culprit - clauses));
	note(t->event.kind);
	note(t->event.length);
	note(t->vcpu->frame.pc);
	note_registers();
}

/* Goes on behind the instruction after every end that allows it. */
static void play(hatch_observer *observer)
{
	stage_begin(&stage, program, STEPS);
	stage.t.observer = observer;
	for (unsigned int i = 1; i < SCOPES; i++)
		assert_int_equal(hatch_scope_enter(&stage.t, &scopes[i]), HATCH_OK);
	stage.t.scope.outer = &scopes[0];
	while (stage_at(&stage) + 1 < STEPS) {
		hatch_try_run(&stage.t);
		note_end();
		expect_quiet(&stage);
		if (stage.t.ended)
			return;
		stage.world.vcpu.frame.pc += 4;
	}
}

static void test_same_answers(void **state)
{
	unsigned int long_runs = 0, short_runs = 0;

	(void)state;
	for (unsigned int i = 0; i < ROUNDS; i++) {
		begin_round();
		for (unsigned int road = 0; road < 2; road++) {
			now = &logs[road];
			now->words = 0;
			play(road ? NULL : watch);
			*(road ? &short_runs : &long_runs) += fake.runs;
		}
		assert_int_equal(logs[0].words, logs[1].words);
		assert_memory_equal(logs[0].word, logs[1].word,
				    logs[0].words * sizeof(logs[0].word[0]));
	}
	assert_true(short_runs < long_runs); /* there is a short road */
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_same_answers) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
