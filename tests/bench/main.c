/* SPDX-License-Identifier: MIT */
/*
 * What an exit costs: instructions for a whole round trip, from the guest's instruction that
 * traps to the next one. Exact and repeatable under `-icount shift=0`. One line for each case:
 *
 *	bench NAME LEAST MOST
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <hatch/board.h>
#include <hatch/call.h>
#include <hatch/handlers/exit.h>
#include <hatch/handlers/sbi.h>
#include <hatch/hatch.h>

#include "cases.h"

#define GUEST_RAM_SIZE (1UL << 20)
#define LAZY_SIZE      (2 * BENCH_ROUNDS * HATCH_PAGE_SIZE)
#define MAX_CLAUSES    128
#define MAX_SCOPES     8

extern const uint8_t guest_image[], guest_image_end[];

static struct hatch_guest guest;
static struct hatch_vcpu vcpu;
static struct hatch_try try;
static struct hatch_scope scopes[MAX_SCOPES];
static struct hatch_catch clauses[MAX_CLAUSES];
static unsigned int clauses_used;
static uint64_t least, most;

static void need(int error, const char *what)
{
	if (!error)
		return;
	printf("bench: %s: %s: %s\n", what, hatch_error_name(error), hatch_error_text(error));
	exit(1);
}

static void add(struct hatch_scope *scope, struct hatch_catch clause)
{
	if (clauses_used == MAX_CLAUSES)
		need(HATCH_E2BIG, "clause");
	clauses[clauses_used] = clause;
	need(hatch_catch_add(scope, &clauses[clauses_used++]), clause.name);
}

static enum hatch_verdict on_report(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	least = ev->hypercall.arg[0];
	most = ev->hypercall.arg[1];
	return hatch_resume(k, 0);
}

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

	if (hatch_gstage_map(&guest.stage, page, at, HATCH_PAGE_SIZE, HATCH_PROT_ALL))
		return hatch_unwind(k, 1);
	return hatch_retry(k);
}

static void begin(void)
{
	need(hatch_guest_init(&guest, hatch_board_memory()), "guest");
	need(hatch_guest_add_ram(&guest, hatch_gpa_of(HATCH_GUEST_RAM), GUEST_RAM_SIZE), "RAM");
	need(hatch_guest_write(&guest, hatch_gpa_of(HATCH_GUEST_RAM), guest_image,
			       (size_t)(guest_image_end - guest_image)),
	     "program");
	need(hatch_vcpu_init(&vcpu, &guest), "vcpu");
	need(hatch_try_init(&try, &vcpu), "try");
	clauses_used = 0;
	add(&try.scope, HATCH_ON_EXIT());
	add(&try.scope, HATCH_ON_HYPERCALL(BENCH_REPORT, on_report, NULL));
}

static void run(const char *name, enum bench_guest what)
{
	char line[160];

	hatch_vcpu_reset(&vcpu, hatch_gpa_of(HATCH_GUEST_RAM), 0, what);
	if (hatch_try_run(&try) != HATCH_DONE) {
		printf("bench: %s: %s\n", name, hatch_try_format(&try, line, sizeof(line)));
		exit(1);
	}
	printf("bench %s %" PRIu64 " %" PRIu64 "\n", name, least, most);
	hatch_guest_fini(&guest);
}

/* `others` clauses beside the one that answers. */
static void bench_hypercall(const char *name, unsigned int others)
{
	begin();
	add(&try.scope, HATCH_ON_HYPERCALL(BENCH_EID, on_call, NULL));
	for (unsigned int i = 0; i < others; i++)
		add(&try.scope, HATCH_ON_HYPERCALL(0x08500000 + i, on_call, NULL));
	run(name, BENCH_HYPERCALL);
}

/* The clause that answers is in the outermost of `depth` scopes, eight clauses in each. */
static void bench_depth(const char *name, unsigned int depth)
{
	begin();
	add(&try.scope, HATCH_ON_HYPERCALL(BENCH_EID, on_call, NULL));
	for (unsigned int d = 1; d < depth; d++) {
		hatch_scope_init(&scopes[d], "inner", NULL);
		for (unsigned int i = 0; i < 8; i++)
			add(&scopes[d], HATCH_ON_HYPERCALL(0x08500000 + i, on_call, NULL));
		need(hatch_scope_enter(&try, &scopes[d]), "scope");
	}
	run(name, BENCH_HYPERCALL);
}

static void bench_device(const char *name, enum bench_guest what)
{
	uint32_t reg = 0;

	begin();
	add(&try.scope, HATCH_ON_MMIO(BENCH_DEVICE, HATCH_PAGE_SIZE, on_device, &reg));
	run(name, what);
}

static void bench_illegal(void)
{
	begin();
	add(&try.scope, HATCH_ON_ILLEGAL(0xfe00707f, 0x0000000b, on_custom, NULL));
	run("illegal", BENCH_ILLEGAL);
}

static void bench_page(void)
{
	const struct hatch_memory *memory = hatch_board_memory();
	uint8_t *pool = memory->alloc(memory->arg, LAZY_SIZE, HATCH_PAGE_SIZE);

	if (!pool)
		need(HATCH_ENOMEM, "pool");
	begin();
	need(hatch_guest_add_lazy(&guest, hatch_gpa_of(BENCH_LAZY), LAZY_SIZE), "lazy RAM");
	add(&try.scope, HATCH_ON_PAGE(BENCH_LAZY, LAZY_SIZE, on_page, pool));
	run("page", BENCH_PAGE);
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

static void bench_sbi(const char *name, enum bench_guest what)
{
	struct hatch_sbi_hart hart = { .vcpu = &vcpu };
	struct hatch_timer timer;
	struct hatch_sbi sbi;

	begin();
	hatch_timer_init(&timer, arm, NULL);
	hatch_sbi_init(&sbi, &hart, 1, &timer);
	sbi.console.write = write_console;
	need(hatch_sbi_add(&sbi, &try.scope), "SBI");
	run(name, what);
}

static void empty(void)
{
}

/* From the caller's side: everything between the call and its value, both ends counted. */
static uint64_t call_round(struct hatch_box *box)
{
	uint64_t before, after;

	__asm__ volatile("rdinstret %0" : "=r"(before)::"memory");
	hatch_call(box, empty);
	__asm__ volatile("rdinstret %0" : "=r"(after)::"memory");
	return after - before - 1; /* two readings without anything between them are one apart */
}

static void bench_call(const char *name)
{
	static struct hatch_box box;

	need(hatch_box_init(&box, hatch_board_memory(), hatch_board_image(), HATCH_PAGE_SIZE, 0),
	     "box");
	if (hatch_call(&box, empty).outcome != HATCH_DONE)
		need(HATCH_EFAULT, name);
	least = UINT64_MAX;
	most = 0;
	for (unsigned int i = 0; i < 2 * BENCH_ROUNDS; i++) {
		uint64_t n = call_round(&box);

		if (i < BENCH_ROUNDS)
			continue;
		least = n < least ? n : least;
		most = n > most ? n : most;
	}
	printf("bench %s %" PRIu64 " %" PRIu64 "\n", name, least, most);
	need(hatch_box_fini(&box), "box");
}

int main(void)
{
	bool sstc = hatch_hart_facts()->sstc;

	printf("bench-begin sstc=%d\n", sstc);
	bench_hypercall("hypercall-1-clause", 0);
	bench_hypercall("hypercall-100-clauses", 99);
	bench_depth("hypercall-depth-8", 8);
	bench_device("mmio-load", BENCH_LOAD);
	bench_device("mmio-load-s-register", BENCH_LOAD_S);
	bench_device("mmio-store", BENCH_STORE);
	bench_illegal();
	bench_page();
	bench_sbi("timer-sbi", BENCH_SBI_TIMER);
	if (sstc)
		bench_sbi("timer-stimecmp", BENCH_STIMECMP);
	bench_sbi("console-64", BENCH_CONSOLE);
	bench_call("call-empty");
	return 0;
}
