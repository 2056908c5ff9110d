/* SPDX-License-Identifier: MIT */
/*
 * For tests of a machine's states: one of all stock devices around a program that interrupts
 * itself, on a hart in C.
 */
#ifndef STATES_MACHINE_H
#define STATES_MACHINE_H

#include <libfdt.h>

#include "fake_hart.h"
#include "guest_pair.h"

#include <hatch/clone.h>
#include <hatch/handlers/machine.h>

#include "sbi_hart.h"

enum { EID = 100, CAPTURE = 0, FINISH = 1, LOOK = 2, FREQUENCY = 10000000 };

#define PLIC HATCH_MACHINE_PLIC
#define UART HATCH_MACHINE_UART
#define SB(gpa, value)                                                                             \
	{                                                                                          \
		.trap = { CAUSE_STORE_GUEST_PAGE_FAULT, (gpa), (gpa) >> 2, 0xa00023 },             \
		.a[0] = (value)                                                                    \
	}

/* The port in loopback interrupts between the two captures; the alarm is moved there, too. */
static const struct step program[] = {
	SW(PLIC + 4 * HATCH_MACHINE_UART_IRQ, 1),
	SW(PLIC + 0x2080, 1 << HATCH_MACHINE_UART_IRQ),
	SB(UART + 4, 0x18),
	SB(UART + 1, 1),
	CALL(SBI_EXT_TIME, 0, 1000),
	CALL(EID, CAPTURE, 0),
	CALL(EID, LOOK, 0),
	SB(UART, 'A'),
	CALL(SBI_EXT_TIME, 0, 2000),
	CALL(EID, CAPTURE, 0),
	CALL(EID, LOOK, 0),
	LW(PLIC + 0x201004),
	CALL(EID, FINISH, 0),
};

static struct hatch_machine machine;
static struct hatch_sbi_hart harts[2];
static struct hatch_vcpu vcpu;
static struct hatch_try t;
static struct hatch_captured held;
static struct hatch_catch catches[3];
static char fdt[1024];

/* ---- What the machine asks of the hart and of the world ---- */

static uint64_t armed, looked;
static unsigned int reads, listens;
static bool listening;

void hatch_vcpu_reset(struct hatch_vcpu *v, hatch_gpa pc, uint64_t a0, uint64_t a1)
{
	hatch_vcpu_clear(v, pc, a0, a1);
}

void hatch_sbi_hart_set_vstimecmp(struct hatch_vcpu *v, uint64_t ticks)
{
	v->vs.vstimecmp = ticks;
}

uint64_t hatch_sbi_hart_vstimecmp(const struct hatch_vcpu *v)
{
	return v->vs.vstimecmp;
}

uint64_t hatch_sbi_hart_hvip(const struct hatch_vcpu *v)
{
	return v->hvip;
}

uint64_t hatch_sbi_hart_vsatp(const struct hatch_vcpu *v)
{
	return v->vs.vsatp;
}

uint64_t hatch_sbi_hart_vsstatus(const struct hatch_vcpu *v)
{
	return v->vs.vsstatus;
}

bool hatch_vcpu_wait(struct hatch_vcpu *v)
{
	(void)v;
	fail_msg("nobody sleeps here");
	return false;
}

/* The machine makes up for nothing here. */
int hatch_emulator_init(struct hatch_emulator *emulator, const char *extensions)
{
	(void)emulator;
	fail_msg("asked to make up for %s", extensions);
	return HATCH_ENOTSUP;
}

int hatch_emulator_add(struct hatch_emulator *emulator, struct hatch_scope *scope)
{
	(void)emulator;
	fail_msg("asked to make up for something in %s", scope->name);
	return HATCH_ENOTSUP;
}

static inline void on_write(void *arg, const void *bytes, size_t size)
{
	(void)arg;
	(void)bytes;
	fail_msg("%u bytes for the console", (unsigned int)size);
}

/* There is always a byte: who takes it when it should not is found out. */
static inline int on_read(void *arg)
{
	(void)arg;
	reads++;
	return 'x';
}

static inline void on_listen(void *arg, bool on)
{
	(void)arg;
	listens++;
	listening = on;
}

static inline void on_timer(void *arg, uint64_t ticks)
{
	(void)arg;
	armed = ticks;
}

static inline uint64_t on_wall(void *arg)
{
	(void)arg;
	return UINT64_C(1700000000000000000);
}

/* ---- Clauses ---- */

static inline enum hatch_verdict on_capture(void *arg, const struct hatch_event *ev,
					    struct hatch_cont *k)
{
	(void)arg;
	(void)ev;
	return hatch_cont_capture(k, &held);
}

static inline enum hatch_verdict on_finish(void *arg, const struct hatch_event *ev,
					   struct hatch_cont *k)
{
	(void)arg;
	(void)ev;
	return hatch_finish(k, 0);
}

static struct hatch_clone *within; /* to be run by the handler */

/* The wires and the host's timer are those of the guest that asks, before and after a clone ran. */
static inline enum hatch_verdict on_look(void *arg, const struct hatch_event *ev,
					 struct hatch_cont *k)
{
	struct hatch_clone *copy = within;

	(void)arg;
	(void)ev;
	within = NULL;
	looked = armed;
	assert_ptr_equal(harts[0].vcpu, k->vcpu);
	if (copy) {
		assert_int_equal(hatch_cont_resume(&copy->captured, 0), HATCH_SUSPENDED);
		assert_ptr_equal(harts[0].vcpu, k->vcpu);
		assert_int_equal(armed, looked);
	}
	return hatch_resume(k, 0);
}

/* ---- Set-up ---- */

static inline size_t round_up(size_t size)
{
	return (size + PAGE - 1) & ~(size_t)(PAGE - 1);
}

static inline void *alloc_pages(void *arg, size_t size, size_t align)
{
	return arena_alloc(arg, round_up(size), align);
}

static inline void free_pages(void *arg, void *p, size_t size)
{
	arena_free(arg, p, round_up(size));
}

static inline void make_fdt(void)
{
	assert_int_equal(fdt_create_empty_tree(fdt, sizeof(fdt)), 0);
	assert_true(fdt_add_subnode(fdt, 0, "cpus") > 0);
	fdt_setprop_u32(fdt, fdt_path_offset(fdt, "/cpus"), "timebase-frequency", FREQUENCY);
}

static inline int setup_machine(void **state)
{
	const struct hatch_machine_host host = {
		.fdt = fdt,
		.console_write = on_write,
		.console_read = on_read,
		.console_interrupt = on_listen,
		.timer = on_timer,
		.wall_ns = on_wall,
	};
	static hatch_handler *const handlers[] = { on_capture, on_finish, on_look };

	setup(state);
	arena.memory.alloc = alloc_pages;
	arena.memory.free = free_pages;
	memset(&fake, 0, sizeof(fake));
	fake.alarm = fake.deadline = HATCH_NEVER;
	fake.program = program;
	fake.steps = COUNT_OF(program);
	make_fdt();
	vcpu = (struct hatch_vcpu){ .guest = &guest };
	hatch_vcpu_clear(&vcpu, hatch_gpa_of(PROGRAM_BASE), 0, 0);
	vcpu.henvcfg = HENVCFG_PBMTE | HENVCFG_CBZE;
	harts[0] = (struct hatch_sbi_hart){ .vcpu = &vcpu };
	reads = listens = 0;
	within = NULL;
	assert_int_equal(hatch_machine_init(&machine, &host, harts, 1), 0);
	hatch_machine_use_windows(&machine);
	assert_int_equal(vcpu.henvcfg, HENVCFG_CBZE); /* no memory types beside windows */
	assert_int_equal(hatch_try_init(&t, &vcpu), 0);
	assert_int_equal(hatch_machine_enter(&machine, &t), 0);
	for (unsigned int i = 0; i < COUNT_OF(catches); i++) {
		catches[i] = HATCH_ON_HYPERCALL_FUNCTION(EID, i, handlers[i], NULL);
		assert_int_equal(hatch_catch_add(&machine.scope, &catches[i]), 0);
	}
	return 0;
}

static inline int teardown_machine(void **state)
{
	assert_int_equal(reads, 0);
	hatch_try_fini(&t);
	hatch_machine_fini(&machine);
	return teardown(state);
}

#endif
