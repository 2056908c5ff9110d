/* SPDX-License-Identifier: MIT */
/* What a small guest costs from its first breath to its last, and what it takes. The host measures. */
#include <hatch/handlers/exit.h>

#include "bench.h"

#define GUESTS	 16 /* alive at a time */
#define ROUNDS	 4
#define RAM_SIZE HATCH_PAGE_SIZE

/* Asks once, and ends. */
extern const char small_program[], small_program_end[];
__asm__("	.pushsection .rodata.small\n"
	"	.balign 8\n"
	"small_program:\n"
	"	li a7, 0x08424e43\n" /* BENCH_EID */
	"	ecall\n"
	"	li a6, 0\n"
	"	li a7, 0x08484154\n" /* HATCH_EID, HATCH_EXIT */
	"	ecall\n"
	"small_program_end:\n"
	"	.popsection\n");

static struct small {
	struct hatch_guest guest;
	struct hatch_vcpu vcpu;
	struct hatch_try t;
	struct hatch_catch on_ask, on_exit;
} small[GUESTS];

static enum hatch_verdict on_ask(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	return hatch_resume(k, ev->hypercall.arg[0] + 1);
}

static void create(struct small *s)
{
	const hatch_gpa ram = hatch_gpa_of(HATCH_GUEST_RAM);

	bench_need(hatch_guest_init(&s->guest, hatch_board_memory()), "guest");
	bench_need(hatch_guest_add_ram(&s->guest, ram, RAM_SIZE), "RAM");
	bench_need(hatch_guest_write(&s->guest, ram, small_program,
				     (size_t)(small_program_end - small_program)),
		   "program");
	bench_need(hatch_vcpu_init(&s->vcpu, &s->guest), "vcpu");
	hatch_vcpu_reset(&s->vcpu, ram, 0, 0);
	bench_need(hatch_try_init(&s->t, &s->vcpu), "try");
	s->on_ask = HATCH_ON_HYPERCALL(BENCH_EID, on_ask, NULL);
	s->on_exit = HATCH_ON_EXIT();
	bench_need(hatch_catch_add(&s->t.scope, &s->on_ask), "clause");
	bench_need(hatch_catch_add(&s->t.scope, &s->on_exit), "clause");
}

static void run(struct small *s)
{
	if (hatch_try_run(&s->t) != HATCH_DONE || s->t.status != 1)
		bench_need(HATCH_EFAULT, "small guest");
}

static void destroy(struct small *s)
{
	hatch_guest_fini(&s->guest);
}

/* In the life of each guest, and of those that live at the same time, one step is measured. */
static void live(unsigned int measured, bool warm)
{
	static void (*const steps[])(struct small *) = { create, run, destroy };

	for (unsigned int step = 0; step < 3; step++)
		for (unsigned int i = 0; i < GUESTS; i++) {
			uint64_t before = bench_count();

			steps[step](&small[i]);
			if (warm && step == measured)
				bench_note(bench_count() - before - 1);
		}
}

static void bench_step(const char *name, unsigned int step)
{
	bench.least = UINT64_MAX;
	bench.most = 0;
	for (unsigned int round = 0; round < ROUNDS; round++)
		live(step, round > 0);
	bench_print(name);
}

/* All but its RAM: the structs, and what the memory was asked for. */
static void bench_bytes(const char *name)
{
	uint64_t before = hatch_board_memory_free();

	create(&small[0]);
	bench.least = bench.most = sizeof(struct hatch_guest) + sizeof(struct hatch_vcpu) +
				   sizeof(struct hatch_try) + before - hatch_board_memory_free() -
				   RAM_SIZE;
	bench_print(name);
	destroy(&small[0]);
}

void bench_small(void)
{
	bench_step("small-create", 0);
	bench_step("small-run", 1);
	bench_step("small-destroy", 2);
	bench_bytes("small-bytes");
}
