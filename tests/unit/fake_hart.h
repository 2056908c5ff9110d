/* SPDX-License-Identifier: MIT */
/*
 * A hart in C: what try.c and fast.c want from the hardware and from enter.S. Its guest's program
 * is an array of instructions that all trap; pc tells which is next.
 */
#ifndef FAKE_HART_H
#define FAKE_HART_H

#include "support.h"

#include "fake_csr.h"

#include "../../src/core/apply.h"
#include "../../src/core/fast.h"
#include "../../src/core/hart.h"
#include "../../src/core/offsets.h"
#include "../../src/core/post.h"

/* An instruction of the guest: the trap that it raises, with these values in its registers. */
struct step {
	struct hatch_trap trap;
	uint64_t a[8]; /* a0 to a7, of a call or store; a load finds what is there */
};

static struct {
	struct hatch_hart hart;
	struct hatch_trap trap;
	const struct step *program;
	size_t steps;
	unsigned int runs, loads, puts, entries; /* entries: instructions that ran */
	uint64_t time, alarm, deadline;		 /* ticks; what the timer was set to */
} fake;

#define PROGRAM_BASE RAM_BASE

uint64_t fake_csr(const char *name)
{
	const struct {
		const char *name;
		uint64_t value;
	} csrs[] = {
		{ "scause", fake.trap.scause }, { "stval", fake.trap.stval },
		{ "htval", fake.trap.htval },	{ "htinst", fake.trap.htinst },
		{ "hstatus", HSTATUS_SPV }, /* the trap came from the guest */
	};

	for (size_t i = 0; i < COUNT_OF(csrs); i++)
		if (!strcmp(csrs[i].name, name))
			return csrs[i].value;
	fail_msg("no CSR %s here: add it to fake_csr", name);
	return 0;
}

struct hatch_hart *hatch_hart_this(void)
{
	return &fake.hart;
}

void hatch_vcpu_load(struct hatch_vcpu *vcpu)
{
	assert_null(fake.hart.current); /* its registers would be lost */
	assert_false(vcpu->live);
	fake.hart.current = vcpu;
	fake.loads++;
	vcpu->live = true;
}

void hatch_vcpu_put(struct hatch_vcpu *vcpu)
{
	assert_ptr_equal(fake.hart.current, vcpu);
	fake.hart.current = NULL;
	fake.puts++;
	vcpu->live = false;
}

/* There is one hart: nobody sends it anything. */
void hatch_hart_kick(const struct hatch_hart *hart)
{
	fail_msg("hart %p is to be interrupted: by whom?", (const void *)hart);
}

void hatch_hart_kick_end(void)
{
}

void hatch_hart_hvip(uint64_t set, uint64_t clear)
{
	fake.hart.current->hvip = (fake.hart.current->hvip | set) & ~clear;
}

void hatch_hart_fence(const struct hatch_fence *fence)
{
	assert_non_null(fence);
}

/* Guest time is host time here. */
uint64_t hatch_vcpu_time(const struct hatch_vcpu *vcpu)
{
	(void)vcpu;
	return fake.time;
}

void hatch_hart_deadline(const struct hatch_vcpu *vcpu, uint64_t deadline)
{
	(void)vcpu;
	fake.deadline = deadline;
}

bool hatch_hart_alarm_is_due(void)
{
	return fake.time >= fake.alarm;
}

void hatch_vcpu_fp_save(struct hatch_vcpu *vcpu)
{
	vcpu->fp_live = false;
}

void hatch_vcpu_fp_dirty(void)
{
}

/* The host of these tests keeps its own floating point. */
void hatch_vcpu_host_fp_save(struct hatch_host_fp *host)
{
	host->used = false;
}

void hatch_vcpu_host_fp_restore(struct hatch_vcpu *vcpu, const struct hatch_host_fp *host)
{
	assert_non_null(vcpu);
	assert_false(host->used);
}

void hatch_vcpu_inject(struct hatch_vcpu *vcpu, uint64_t cause, uint64_t tval)
{
	hatch_apply_exception(&vcpu->frame, &vcpu->vs, cause, tval);
}

void hatch_vcpu_trap(struct hatch_trap *trap)
{
	*trap = fake.trap;
}

bool hatch_vcpu_is_lost(const struct hatch_vcpu *vcpu)
{
	(void)vcpu;
	return false;
}

void hatch_vcpu_set_trap(const struct hatch_trap *trap)
{
	fake.trap = *trap;
}

uint32_t hatch_vcpu_fetch(const struct hatch_vcpu *vcpu)
{
	(void)vcpu;
	return 0; /* every program here has htinst */
}

/* What the vector does: the short road for calls and data accesses, the long one otherwise. */
static int fake_vector(struct hatch_vcpu *vcpu)
{
	const uint64_t *a = &vcpu->frame.x[10];
	int code;

	switch (fake.trap.scause) {
	case CAUSE_VIRTUAL_ECALL:
		return hatch_fast_hypercall(vcpu, a[1], a[2], a[3], a[4], a[5], a[6], a[7]);
	case CAUSE_LOAD_GUEST_PAGE_FAULT:
	case CAUSE_STORE_GUEST_PAGE_FAULT:
		code = hatch_fast_mmio(vcpu);
		return code == HATCH_NEED_ALL ? hatch_fast_mmio_all(vcpu) : code;
	default:
		return HATCH_TRAPPED;
	}
}

int hatch_vcpu_run(struct hatch_vcpu *vcpu)
{
	int code = HATCH_WENT_ON;

	assert_ptr_equal(fake.hart.current, vcpu);
	fake.runs++;
	vcpu->frame.leave = 0;
	while (code == HATCH_WENT_ON) {
		size_t at = (vcpu->frame.pc - PROGRAM_BASE) / 4;

		assert_true(at < fake.steps);
		fake.trap = fake.program[at].trap;
		if (fake.trap.scause != CAUSE_LOAD_GUEST_PAGE_FAULT)
			memcpy(&vcpu->frame.x[10], fake.program[at].a, sizeof(fake.program[at].a));
		fake.entries++;
		code = fake_vector(vcpu);
	}
	return code;
}

/* ---- Programs ---- */

#define CALL(eid, fid, ...)                                                                        \
	{                                                                                          \
		.trap = { .scause = CAUSE_VIRTUAL_ECALL }, .a = { __VA_ARGS__ }, .a[6] = (fid),    \
		.a[7] = (eid)                                                                      \
	}

/* lw a0 and sw a0 at a guest-physical address, as htinst has them. */
#define LW(gpa)                                                                                    \
	{                                                                                          \
		.trap = { CAUSE_LOAD_GUEST_PAGE_FAULT, (gpa), (gpa) >> 2, 0x2503 }                 \
	}
#define SW(gpa, value)                                                                             \
	{                                                                                          \
		.trap = { CAUSE_STORE_GUEST_PAGE_FAULT, (gpa), (gpa) >> 2, 0xa02023 },             \
		.a[0] = (value)                                                                    \
	}

/* A world, and a try around it that begins at the first instruction. */
struct stage {
	struct world world;
	struct hatch_try t;
};

static inline void stage_begin(struct stage *stage, const struct step *program, size_t steps)
{
	memset(&fake, 0, sizeof(fake));
	fake.alarm = fake.deadline = HATCH_NEVER;
	fake.program = program;
	fake.steps = steps;
	world_init(&stage->world);
	stage->world.vcpu.frame.pc = PROGRAM_BASE;
	assert_int_equal(hatch_try_init(&stage->t, &stage->world.vcpu), HATCH_OK);
}

/* Which instruction the guest stands at. */
static inline size_t stage_at(const struct stage *stage)
{
	return (stage->world.vcpu.frame.pc - PROGRAM_BASE) / 4;
}

/* Between runs nothing is left of one: no scope sealed, no vcpu on the hart. */
static inline void expect_quiet(const struct stage *stage)
{
	assert_null(fake.hart.current);
	assert_int_equal(fake.loads, fake.puts);
	assert_null(stage->world.vcpu.running);
	for (const struct hatch_scope *s = stage->t.innermost; s; s = s->outer)
		assert_int_equal(s->sealed, 0);
}

#endif
