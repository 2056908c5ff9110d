/* SPDX-License-Identifier: MIT */
/*
 * A guest that looks for canaries by every path (canary_guest.c), between memory of the host and of
 * a neighbour that are full of them. All that it got is searched. Built twice: for CANARY_TRIES
 * tries, and for as many as one likes.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <hatch/board.h>
#include <hatch/handlers/exit.h>
#include <hatch/handlers/machine.h>

#include "canary_host.h"
#include "quiet_host.h"
#include "world.h"

#define PROOF_TRIES  80000
#define PROOF_BAITS  8	 /* so often it is among the baits */
#define ROOT_TICKS   300 /* 30 microseconds without an instruction */
#define ROOT_OVER    (-3000)
#define HOST_PROGRAM 0x80200000
#define HARTS	     2 /* the second one is never started: nobody may do that by a bad address */

#ifndef CANARY_SEED
#define CANARY_SEED 1
#endif

extern const uint8_t guest_image[], guest_image_end[];

static struct hatch_guest guest;
static struct hatch_vcpu vcpu[HARTS];
static struct hatch_sbi_hart hart[HARTS];
static struct hatch_try t;
static struct hatch_machine machine;
static struct hatch_catch on_report, on_arm, on_disarm, on_root, on_end, on_external;

static uint64_t *proof; /* a page that is mapped for the guest, or NULL */
static uint64_t proofs[HATCH_PAGE_SIZE / 8] __attribute__((aligned(4096)));
static struct canary_orders orders;
static struct canary_log seen;
static uint64_t recover;
static uint64_t console_found, tried;

/* ---- Orders ---- */

static void give_orders(uint64_t seed, uint64_t goal)
{
	orders = (struct canary_orders){ .seed = seed, .goal = goal, .without = CANARY_PATHS };
	if (proof) /* a place to begin at: calls would do what they are asked for */
		orders.without = CANARY_CALLS;
	for (unsigned int i = 0; proof && i < PROOF_BAITS; i++)
		canary_add_bait(&orders, proof, HATCH_PAGE_SIZE);
	canary_add_bait(&orders, check_canary(), HATCH_PAGE_SIZE);
	canary_add_bait(&orders, &machine, sizeof(machine));
	canary_add_bait(&orders, (const void *)HOST_PROGRAM, 0x10000);
	canary_add_bait(&orders, __builtin_frame_address(0), 256); /* the stack */
	canary_add_tables(&orders, &guest.stage);
	canary_add_neighbours(&orders);
	expect_equal(
		hatch_guest_write(&guest, hatch_gpa_of(CANARY_ORDERS), &orders, sizeof(orders)), 0);
}

/* ---- Clauses ---- */

/* Whatever the guest prints is of the path that it is trying. */
static void console_write(void *arg, const void *bytes, size_t size)
{
	console_found += canary_look(arg, bytes, size);
}

static int console_read(void *arg)
{
	static bool some;

	(void)arg;
	some = !some;
	return some ? 'x' : -1;
}

static void look_at_log(void)
{
	struct canary_count *count;

	if (seen.path >= CANARY_PATHS || seen.used > CANARY_LOG_BYTES) {
		expect(!"the guest's log makes sense");
		return;
	}
	count = &canary_count[seen.path];
	count->tries += seen.tries;
	tried += seen.tries;
	count->foreign += seen.foreign;
	count->found += console_found;
	console_found = 0;
	canary_look_at((enum canary_path)seen.path, seen.bytes, seen.used);
	canary_count[CANARY_REGISTERS].tries++;
	canary_look_at(CANARY_REGISTERS, seen.registers, sizeof(seen.registers));
}

static enum hatch_verdict report(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	(void)ev;
	expect_equal(hatch_guest_read(&guest, hatch_gpa_of(CANARY_LOG), &seen, sizeof(seen)), 0);
	look_at_log();
	canary_neighbour_run();
	if (!proof)
		return hatch_resume(k, 0);
	canary_fill(proof, HATCH_PAGE_SIZE, CANARY_OF_PROOF);
	return hatch_resume(k, CANARY_OF_PROOF);
}

static enum hatch_verdict arm(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	recover = ev->hypercall.arg[0];
	hatch_try_set_deadline(&t, hatch_vcpu_time(k->vcpu) + ROOT_TICKS);
	return hatch_resume(k, 0);
}

static enum hatch_verdict disarm(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	(void)ev;
	hatch_try_set_deadline(&t, HATCH_NEVER);
	return hatch_resume(k, 0);
}

static enum hatch_verdict root(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	(void)ev;
	return hatch_unwind(k, ROOT_OVER);
}

static void serve_interrupts(void)
{
	enum hatch_board_irq irq;

	while ((irq = hatch_board_interrupt_claim()) != HATCH_BOARD_IRQ_NONE)
		if (irq >= HATCH_BOARD_IRQ_VIRTIO && irq < HATCH_BOARD_IRQ_OTHER)
			hatch_machine_virtio_interrupt(&machine, irq - HATCH_BOARD_IRQ_VIRTIO);
}

static enum hatch_verdict external(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	(void)ev;
	serve_interrupts();
	return hatch_resume(k, 0);
}

/* ---- The world ---- */

static void host_wait(void *arg)
{
	(void)arg;
}

static void host_wake(void *arg, unsigned int index)
{
	(void)arg;
	(void)index;
}

static void add_clauses(void)
{
	on_report = HATCH_ON_HYPERCALL_FUNCTION(CANARY_EID, CANARY_REPORT, report, NULL);
	on_arm = HATCH_ON_HYPERCALL_FUNCTION(CANARY_EID, CANARY_ARM, arm, NULL);
	on_disarm = HATCH_ON_HYPERCALL_FUNCTION(CANARY_EID, CANARY_DISARM, disarm, NULL);
	on_root = HATCH_ON_DEADLINE(root, NULL);
	on_end = HATCH_ON_EXIT();
	on_external = HATCH_ON_INTERRUPT(IRQ_S_EXT, external, NULL);
	expect_equal(hatch_catch_add(&t.scope, &on_report), 0);
	expect_equal(hatch_catch_add(&t.scope, &on_arm), 0);
	expect_equal(hatch_catch_add(&t.scope, &on_disarm), 0);
	expect_equal(hatch_catch_add(&t.scope, &on_root), 0);
	expect_equal(hatch_catch_add(&t.scope, &on_end), 0);
	expect_equal(hatch_catch_add(&t.scope, &on_external), 0);
}

static void add_devices(void)
{
	struct hatch_board_virtio device = { 0 };

	for (unsigned int i = 0; i < CANARY_DEVICES; i++) {
		expect(hatch_board_virtio(i, &device));
		expect_equal(
			hatch_machine_add_virtio(
				&machine, &(struct hatch_virtio_real){ hatch_board_virtio_load,
								       hatch_board_virtio_store,
								       device.registers }),
			0);
	}
}

static void make_machine(void)
{
	static struct canary_search console;
	struct hatch_machine_host host = quiet_host();

	host.console_write = console_write;
	host.console_read = console_read;
	host.wait = host_wait;
	host.wake = host_wake;
	host.arg = &console;
	for (unsigned int i = 0; i < HARTS; i++) {
		expect_equal(hatch_vcpu_init(&vcpu[i], &guest), 0);
		hart[i] = (struct hatch_sbi_hart){ .vcpu = &vcpu[i] };
	}
	expect_equal(hatch_machine_init(&machine, &host, hart, HARTS), 0);
	hatch_machine_use_windows(&machine);
	add_devices();
	expect_equal(hatch_try_init(&t, &vcpu[0]), 0);
	expect_equal(hatch_machine_enter(&machine, &t), 0);
	add_clauses();
}

static void make_world(void)
{
	uint8_t *ram = canary_neighbour_make();

	memcpy(ram, guest_image, (size_t)(guest_image_end - guest_image));
	__asm__ volatile("fence.i" ::: "memory");
	expect_equal(hatch_guest_init(&guest, hatch_board_memory()), 0);
	canary_lend(&guest, CANARY_RAM, ram, CANARY_RAM_SIZE);
	if (proof)
		canary_lend(&guest, (uintptr_t)proof, proof, HATCH_PAGE_SIZE);
	make_machine();
}

static void end_world(void)
{
	hatch_machine_fini(&machine);
	hatch_guest_fini(&guest);
	canary_neighbour_end();
	expect(canary_is_whole(check_canary(), HATCH_PAGE_SIZE, CHECK_CANARY));
}

/* A root of page tables that is no memory: nothing gets the guest away from there but the host. */
static void run(void)
{
	char line[240];

	hatch_vcpu_reset(&vcpu[0], hatch_gpa_of(CANARY_RAM), 0, 0);
	while (hatch_try_run(&t) == HATCH_UNWOUND && t.status == ROOT_OVER) {
		vcpu[0].vs.vsatp = 0;
		vcpu[0].frame.pc = recover;
	}
	if (!expect_equal(t.outcome, HATCH_DONE) || !expect_equal(t.status, 0))
		check_say("%s", hatch_try_format(&t, line, sizeof(line)));
	expect_equal(hart[1].state, SBI_HART_STOPPED);
}

/* Attacks that are never refused, or never come to the device, test nothing. */
static void judge_devices(void)
{
	for (unsigned int i = 0; i < CANARY_DEVICES; i++) {
		const struct hatch_virtio_counts *count = &machine.virtio[i].count;

		check_say("%s: %" PRIu64 " requests, %" PRIu64 " used, %" PRIu64 " broken",
			  machine.virtio[i].name, count->chains, count->used, count->broken);
		expect(count->used > 20 && count->broken > 20);
	}
}

/* ---- Checks ---- */

static uint64_t seed_of_run(void)
{
	char text[24] = { 0 };
	int64_t size = hatch_board_blob_size("seed");

	if (size <= 0 || hatch_board_blob_read("seed", text, size < 23 ? (size_t)size : 23))
		return CANARY_SEED;
	return strtoull(text, NULL, 0);
}

static void try_all(uint64_t seed, uint64_t goal)
{
	check_say("seed %" PRIu64 " (another: --qemu-arg -append --qemu-arg hatch.text=seed,N)",
		  seed);
	tried = 0;
	make_world();
	give_orders(seed ? seed : 1, goal);
	run();
	judge_devices();
	expect(tried >= goal); /* it was not led to another's program, which ends */
	end_world();
}

/* With a page of a canary that the guest does have, each path by which it is to be had finds it. */
static void the_search_finds_what_is_there(void)
{
	static const enum canary_path paths[] = { CANARY_LOADS,	   CANARY_ATOMICS, CANARY_FETCHES,
						  CANARY_LEAVES,   CANARY_CONSOLE, CANARY_DISK,
						  CANARY_REGISTERS };

	proof = proofs;
	canary_fill(proof, HATCH_PAGE_SIZE, CANARY_OF_PROOF);
	try_all(seed_of_run(), PROOF_TRIES);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		check_that(canary_count[paths[i]].found, __LINE__, "path %u found nothing",
			   paths[i]);
	canary_count_print();
	proof = NULL;
	canary_count_clear();
}

static void no_path_leads_out(void)
{
	try_all(seed_of_run(), CANARY_TRIES);
	for (unsigned int i = 0; i < CANARY_PATHS; i++) {
		check_that(canary_count[i].tries || i > CANARY_REGISTERS, __LINE__,
			   "path %u was not tried", i);
		check_that(!canary_count[i].found, __LINE__, "path %u: %llu bytes", i,
			   (unsigned long long)canary_count[i].found);
		check_that(!canary_count[i].foreign, __LINE__,
			   "path %u: something was where nothing is, %llu times", i,
			   (unsigned long long)canary_count[i].foreign);
	}
}

int main(void)
{
	static const struct check checks[] = {
		CHECK(the_search_finds_what_is_there),
		CHECK(no_path_leads_out),
		CHECK(canary_freed),
		CHECK(canary_clones),
		CHECK(canary_undone),
		CHECK(canary_loaded),
	};
	int status = check_all(checks, sizeof(checks) / sizeof(checks[0]));

	canary_count_print();
	return status;
}
