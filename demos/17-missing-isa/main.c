/* SPDX-License-Identifier: MIT */
/*
 * A program built for a newer CPU runs on an older one: each instruction that is missing there is
 * caught and computed, and afterwards the host can say which of them cost the most.
 */
#include "demo.h"

#include <hatch/handlers/isa.h>

static enum hatch_verdict on_show(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	printf("the guest shows %llu\n", demo_number(ev->hypercall.arg[0]));
	return hatch_resume(k, 0);
}

static void report(const struct hatch_emulator *emulator)
{
	const struct hatch_emulated *op;
	char atomic[HATCH_ATOMIC_NAME];

	if (emulator->atomic.count)
		printf("refused: %s, for no handler is atomic\n",
		       hatch_atomic_name(emulator->atomic.encoding, atomic, sizeof(atomic)));
	if (!hatch_emulator_total(emulator)) {
		printf("nothing was missing: take a CPU without them, such as\n"
		       "--cpu rv64,zba=false,zbb=false,zbs=false\n");
		return;
	}
	for (unsigned int rank = 0; rank < 3 && (op = hatch_emulator_rank(emulator, rank)); rank++)
		printf("caught: %s of %s, %llu times\n", op->name, op->extension,
		       demo_number(op->count));
}

int main(void)
{
	static struct demo demo;
	static struct hatch_emulator emulator;
	struct hatch_catch on_call = HATCH_ON_HYPERCALL(HATCH_DEMO_EID, on_show, NULL);

	demo_begin(&demo);
	demo_need(hatch_emulator_init(&emulator, "zba,zbb,zbs"), "emulator");
	demo_need(hatch_emulator_add(&emulator, &demo.t.scope), "its clauses");
	demo_catch(&demo, &on_call);
	if (hatch_try_run(&demo.t) == HATCH_DONE)
		report(&emulator);
	return demo_end(&demo);
}
