/* SPDX-License-Identifier: MIT */
/*
 * What an exit costs: instructions for a whole round trip, from the guest's instruction that
 * traps to the next one. Exact and repeatable under `-icount shift=0`. One line for each case:
 *
 *	bench NAME LEAST MOST
 */
#include <stdio.h>

#include <hatch/board.h>
#include <hatch/call.h>
#include <hatch/handlers/exit.h>
#include <hatch/handlers/sbi.h>
#include <hatch/hatch.h>

#include "bench.h"

#define LAZY_SIZE  (2 * BENCH_ROUNDS * HATCH_PAGE_SIZE)
#define MAX_SCOPES 8

static struct hatch_scope scopes[MAX_SCOPES];

static enum hatch_verdict on_call(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	return hatch_resume(k, ev->hypercall.arg[0] + 1);
}

/* A register file of one register: what a device of the simplest sort does. */
static enum hatch_verdict on_device(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	uint32_t *reg = arg;

	if (ev->mmio.write)
		*reg = (uint32_t)ev->mmio.value;
	return hatch_resume(k, *reg);
}

static enum hatch_verdict on_custom(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	uint64_t a = 0, b = 0;

	(void)arg;
	hatch_cont_get(k, ev->illegal.encoding >> 15 & 31, &a);
	hatch_cont_get(k, ev->illegal.encoding >> 20 & 31, &b);
	return hatch_resume(k, a ^ b);
}

static enum hatch_verdict on_page(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	hatch_gpa page = hatch_gpa_of(ev->page.gpa.addr & ~(HATCH_PAGE_SIZE - 1));
	uint8_t *pool = arg;
	const struct hatch_memory *memory = hatch_board_memory();
	hatch_hpa at = memory->physical(memory->arg, pool + (page.addr - BENCH_LAZY));

	if (hatch_gstage_map(&bench.guest.stage, page, at, HATCH_PAGE_SIZE, HATCH_PROT_ALL))
		return hatch_unwind(k, 1);
	return hatch_retry(k);
}

/* `others` clauses beside the one that answers. */
static void bench_hypercall(const char *name, unsigned int others)
{
	bench_begin();
	bench_add(&bench.t.scope, HATCH_ON_HYPERCALL(BENCH_EID, on_call, NULL));
	for (unsigned int i = 0; i < others; i++)
		bench_add(&bench.t.scope, HATCH_ON_HYPERCALL(0x08500000 + i, on_call, NULL));
	bench_run(name, BENCH_HYPERCALL);
}

/* The clause that answers is in the outermost of `depth` scopes, eight clauses in each. */
static void bench_depth(const char *name, unsigned int depth)
{
	bench_begin();
	bench_add(&bench.t.scope, HATCH_ON_HYPERCALL(BENCH_EID, on_call, NULL));
	for (unsigned int d = 1; d < depth; d++) {
		hatch_scope_init(&scopes[d], "inner", NULL);
		for (unsigned int i = 0; i < 8; i++)
			bench_add(&scopes[d], HATCH_ON_HYPERCALL(0x08500000 + i, on_call, NULL));
		bench_need(hatch_scope_enter(&bench.t, &scopes[d]), "scope");
	}
	bench_run(name, BENCH_HYPERCALL);
}

static void bench_device(const char *name, enum bench_guest what)
{
	uint32_t reg = 0;

	bench_begin();
	bench_add(&bench.t.scope, HATCH_ON_MMIO(BENCH_DEVICE, HATCH_PAGE_SIZE, on_device, &reg));
	bench_run(name, what);
}

/* No short road for these: each takes the long one, through all scopes. */
static void bench_illegal(const char *name, unsigned int depth)
{
	bench_begin();
	bench_add(&bench.t.scope, HATCH_ON_ILLEGAL(0xfe00707f, 0x0000000b, on_custom, NULL));
	for (unsigned int d = 1; d < depth; d++) {
		hatch_scope_init(&scopes[d], "inner", NULL);
		for (uint32_t i = 1; i <= 8; i++)
			bench_add(&scopes[d], HATCH_ON_ILLEGAL(0xfe00707f, 0x0000000b | i << 25,
							       on_custom, NULL));
		bench_need(hatch_scope_enter(&bench.t, &scopes[d]), "scope");
	}
	bench_run(name, BENCH_ILLEGAL);
}

static void bench_page(void)
{
	const struct hatch_memory *memory = hatch_board_memory();
	uint8_t *pool = memory->alloc(memory->arg, LAZY_SIZE, HATCH_PAGE_SIZE);

	if (!pool)
		bench_need(HATCH_ENOMEM, "pool");
	bench_begin();
	bench_need(hatch_guest_add_lazy(&bench.guest, hatch_gpa_of(BENCH_LAZY), LAZY_SIZE),
		   "lazy RAM");
	bench_add(&bench.t.scope, HATCH_ON_PAGE(BENCH_LAZY, LAZY_SIZE, on_page, pool));
	bench_run("page", BENCH_PAGE);
	memory->free(memory->arg, pool, LAZY_SIZE);
}

static void arm(void *arg, uint64_t ticks)
{
	(void)arg;
	hatch_board_timer(ticks);
}

static void write_console(void *arg, const void *bytes, size_t size)
{
	(void)arg;
	hatch_board_console_write(bytes, size);
}

static struct hatch_timer timer;
static struct hatch_sbi sbi;

/* A guest with these harts, of which the first is measured. */
static void begin_sbi(struct hatch_sbi_hart *hart, unsigned int harts)
{
	bench_begin();
	hart[0].vcpu = &bench.vcpu;
	hatch_timer_init(&timer, arm, NULL);
	hatch_sbi_init(&sbi, hart, harts, &timer);
	sbi.console.write = write_console;
	bench_need(hatch_sbi_add(&sbi, &bench.t.scope), "SBI");
}

static void bench_sbi(const char *name, enum bench_guest what)
{
	struct hatch_sbi_hart hart;

	begin_sbi(&hart, 1);
	bench_run(name, what);
}

/* ---- Two harts ---- */

static struct hatch_vcpu other;
static struct hatch_try other_try;
static unsigned int other_goes;

static int start_other(void *arg, struct hatch_sbi_hart *hart)
{
	(void)arg;
	__atomic_store_n(&hart->state, SBI_HART_STARTED, __ATOMIC_RELEASE);
	__atomic_store_n(&other_goes, 1, __ATOMIC_RELEASE);
	hatch_board_wake(1);
	return 0;
}

static enum hatch_verdict on_kick(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	(void)ev;
	return hatch_unwind(k, 0);
}

static void serve(void *arg, unsigned int index)
{
	const enum bench_guest *what = arg;

	if (index == 0) {
		bench_reset(0, *what);
		hatch_try_run(&bench.t);
		hatch_vcpu_kick(&other);
		return;
	}
	while (!__atomic_load_n(&other_goes, __ATOMIC_ACQUIRE))
		hatch_board_wait();
	hatch_try_run(&other_try);
}

/* From the call to the other hart's handler: two runs of the firmware are a part of it. */
static void bench_other(const char *name, enum bench_guest what)
{
	struct hatch_sbi_hart hart[2] = { { 0 }, { .vcpu = &other } };

	other_goes = 0;
	other.hart_id = 1;
	begin_sbi(hart, 2);
	bench_need(hatch_vcpu_init(&other, &bench.guest), "vcpu");
	hatch_vcpu_reset(&other, hatch_gpa_of(HATCH_GUEST_RAM), 1, 0);
	bench_need(hatch_try_init(&other_try, &other), "try");
	sbi.remote.start = start_other;
	bench_add(&bench.t.scope, HATCH_ON_INTERRUPT(IRQ_S_SOFT, on_kick, NULL));
	other_try.scope.outer = &bench.t.scope;
	bench_need(hatch_board_parallel(2, serve, &what), "two harts");
	bench_need(bench.t.outcome == HATCH_DONE ? 0 : HATCH_ESTALE, name);
	bench_print(name);
	hatch_guest_fini(&bench.guest);
}

static void empty(void)
{
}

/* From the caller's side: everything between the call and its value, both ends counted. */
static uint64_t call_round(struct hatch_box *box)
{
	uint64_t before, after;

	before = bench_count();
	hatch_call(box, empty);
	after = bench_count();
	return after - before - 1; /* two readings without anything between them are one apart */
}

static void bench_call(const char *name)
{
	static struct hatch_box box;

	bench.least = UINT64_MAX;
	bench.most = 0;
	bench_need(
		hatch_box_init(&box, hatch_board_memory(), hatch_board_image(), HATCH_PAGE_SIZE, 0),
		"box");
	if (hatch_call(&box, empty).outcome != HATCH_DONE)
		bench_need(HATCH_EFAULT, name);
	for (unsigned int i = 0; i < 2 * BENCH_ROUNDS; i++) {
		uint64_t n = call_round(&box);

		if (i >= BENCH_ROUNDS)
			bench_note(n);
	}
	bench_print(name);
	bench_need(hatch_box_fini(&box), "box");
}

int main(void)
{
	bool sstc = hatch_hart_facts()->sstc;

	printf("bench-begin sstc=%d\n", sstc);
	if (hatch_board_harts() > 1) { /* then QEMU's count is of both */
		bench_other("ipi-send", BENCH_IPI_SEND);
		bench_other("ipi-other", BENCH_IPI_OTHER);
		return 0;
	}
	bench_hypercall("hypercall-1-clause", 0);
	bench_hypercall("hypercall-100-clauses", 99);
	bench_depth("hypercall-depth-8", 8);
	bench_device("mmio-load", BENCH_LOAD);
	bench_device("mmio-load-s-register", BENCH_LOAD_S);
	bench_device("mmio-store", BENCH_STORE);
	bench_illegal("illegal", 1);
	bench_illegal("illegal-depth-8", 8);
	bench_page();
	bench_sbi("timer-sbi", BENCH_SBI_TIMER);
	if (sstc)
		bench_sbi("timer-stimecmp", BENCH_STIMECMP);
	bench_sbi("console-64", BENCH_CONSOLE);
	bench_sbi("ipi-self", BENCH_IPI_SELF);
	bench_sbi("fence-self", BENCH_FENCE_SELF);
	bench_call("call-empty");
	bench_values();
	bench_switch();
	bench_small();
	return 0;
}
