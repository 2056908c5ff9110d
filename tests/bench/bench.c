/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <hatch/handlers/exit.h>

#include "bench.h"

#define GUEST_RAM_SIZE (1UL << 20)
#define MAX_CLAUSES    128

extern const uint8_t guest_image[], guest_image_end[];

struct bench bench;
static struct hatch_catch clauses[MAX_CLAUSES];
static unsigned int clauses_used;

void bench_need(int error, const char *what)
{
	if (!error)
		return;
	printf("bench: %s: %s: %s\n", what, hatch_error_name(error), hatch_error_text(error));
	exit(1);
}

void bench_add(struct hatch_scope *scope, struct hatch_catch clause)
{
	if (clauses_used == MAX_CLAUSES)
		bench_need(HATCH_E2BIG, "clause");
	clauses[clauses_used] = clause;
	bench_need(hatch_catch_add(scope, &clauses[clauses_used++]), clause.name);
}

static enum hatch_verdict on_report(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	bench.least = ev->hypercall.arg[0];
	bench.most = ev->hypercall.arg[1];
	return hatch_resume(k, 0);
}

void bench_load(struct hatch_guest *guest)
{
	const hatch_gpa ram = hatch_gpa_of(HATCH_GUEST_RAM);
	size_t size = (size_t)(guest_image_end - guest_image);

	bench_need(hatch_guest_init(guest, hatch_board_memory()), "guest");
	bench_need(hatch_guest_add_ram(guest, ram, GUEST_RAM_SIZE), "RAM");
	bench_need(hatch_guest_write(guest, ram, guest_image, size), "program");
}

void bench_begin(void)
{
	bench_load(&bench.guest);
	bench_need(hatch_vcpu_init(&bench.vcpu, &bench.guest), "vcpu");
	bench_need(hatch_try_init(&bench.t, &bench.vcpu), "try");
	clauses_used = 0;
	bench.least = UINT64_MAX;
	bench.most = 0;
	bench_add(&bench.t.scope, HATCH_ON_EXIT());
	bench_add(&bench.t.scope, HATCH_ON_HYPERCALL(BENCH_REPORT, on_report, NULL));
}

void bench_reset(uint64_t argument, enum bench_guest what)
{
	hatch_vcpu_reset(&bench.vcpu, hatch_gpa_of(HATCH_GUEST_RAM), argument, what);
}

void bench_note(uint64_t n)
{
	bench.least = n < bench.least ? n : bench.least;
	bench.most = n > bench.most ? n : bench.most;
}

void bench_print(const char *name)
{
	printf("bench %s %" PRIu64 " %" PRIu64 "\n", name, bench.least, bench.most);
}

void bench_run(const char *name, enum bench_guest what)
{
	char line[160];

	bench_reset(0, what);
	if (hatch_try_run(&bench.t) != HATCH_DONE) {
		printf("bench: %s: %s\n", name, hatch_try_format(&bench.t, line, sizeof(line)));
		exit(1);
	}
	bench_print(name);
	hatch_guest_fini(&bench.guest);
}
