/* SPDX-License-Identifier: MIT */
/*
 * Four harts of a guest that does everything at once (guest.c), and one of the host that takes
 * pages away from them, moves them, and raises interrupts. Built twice: for 30 seconds, and with
 * STRESS_SECONDS for as long as one likes.
 */
#include <stdio.h>
#include <string.h>

#include <hatch/board.h>
#include <hatch/handlers/demand.h>
#include <hatch/handlers/exit.h>
#include <hatch/handlers/machine.h>

#include "check.h"
#include "quiet_host.h"
#include "world.h"

#ifndef STRESS_SECONDS
#define STRESS_SECONDS 30
#endif

#define WORDS	  (HATCH_PAGE_SIZE / 8)
#define LAZY_SIZE (STRESS_LAZY_PAGES * HATCH_PAGE_SIZE)
#define WINDOW	  (STRESS_WINDOW_PAGES * HATCH_PAGE_SIZE)

extern const uint8_t guest_image[], guest_image_end[];

static struct hatch_guest guest;
static struct hatch_vcpu vcpu[STRESS_HARTS];
static struct hatch_sbi_hart hart[STRESS_HARTS];
static struct hatch_try tries[STRESS_HARTS];
static struct hatch_machine machine;
static struct hatch_demand demand;
static struct hatch_catch on_device, on_window, on_exit;

/* Two pages for each of the window: one that the guest has, and the one it will have next. */
static _Alignas(4096) uint64_t backing[2 * STRESS_WINDOW_PAGES][WORDS];
static unsigned int stands[STRESS_WINDOW_PAGES]; /* 0 or 1: which of the two */

static uint64_t words[STRESS_HARTS]; /* each only of its hart */
static unsigned int over, refused;
static uint64_t moves, protects, raises, stale;

/* ---- Clauses ---- */

static enum hatch_verdict use_device(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	uint64_t *word = &words[k->vcpu->hart_id];

	(void)arg;
	if (ev->mmio.offset == STRESS_STOP)
		return hatch_resume(k, __atomic_load_n(&over, __ATOMIC_RELAXED));
	if (ev->mmio.offset == STRESS_LOWER)
		hatch_plic_set(&machine.plic, STRESS_SOURCE, false);
	else if (ev->mmio.write)
		*word = ev->mmio.value;
	return hatch_resume(k, *word);
}

/* The page is on its way: it will be back soon. */
static enum hatch_verdict wait_for_page(void *arg, const struct hatch_event *ev,
					struct hatch_cont *k)
{
	(void)arg;
	(void)ev;
	return hatch_retry(k);
}

/* ---- The fifth hart ---- */

static hatch_hpa physical(const void *at)
{
	const struct hatch_memory *memory = hatch_board_memory();

	return memory->physical(memory->arg, at);
}

static void spin(uint64_t ticks)
{
	uint64_t since = hatch_board_ticks();

	while (hatch_board_ticks() - since < ticks)
		;
}

static void need(int error)
{
	if (error)
		__atomic_fetch_add(&refused, 1, __ATOMIC_RELAXED);
}

/* When the unmapping is over nobody may write to the page any more, however long we look. */
static void move_page(unsigned int page)
{
	const hatch_gpa at = hatch_gpa_of(STRESS_WINDOW + page * HATCH_PAGE_SIZE);
	uint64_t *from = backing[2 * page + stands[page]];
	uint64_t *to = backing[2 * page + !stands[page]];

	need(hatch_gstage_unmap(&guest.stage, at, HATCH_PAGE_SIZE));
	memcpy(to, from, HATCH_PAGE_SIZE);
	spin(check_random() % 1000);
	stale += memcmp(to, from, HATCH_PAGE_SIZE) != 0;
	memset(from, 0, HATCH_PAGE_SIZE);
	need(hatch_gstage_map(&guest.stage, at, physical(to), HATCH_PAGE_SIZE, HATCH_PROT_ALL));
	stands[page] ^= 1;
	moves++;
}

/* The same, with the right to write only. */
static void protect_page(unsigned int page)
{
	const hatch_gpa at = hatch_gpa_of(STRESS_WINDOW + page * HATCH_PAGE_SIZE);
	static uint64_t copy[WORDS];
	const uint64_t *now = backing[2 * page + stands[page]];

	need(hatch_gstage_protect(&guest.stage, at, HATCH_PAGE_SIZE, HATCH_PROT_READ));
	memcpy(copy, now, sizeof(copy));
	spin(check_random() % 1000);
	stale += memcmp(copy, now, sizeof(copy)) != 0;
	need(hatch_gstage_protect(&guest.stage, at, HATCH_PAGE_SIZE, HATCH_PROT_ALL));
	protects++;
}

static void disturb(void)
{
	unsigned int page = check_random() % STRESS_WINDOW_PAGES;

	switch (check_random() % 4) {
	case 0:
		protect_page(page);
		break;
	case 1:
		hatch_plic_set(&machine.plic, STRESS_SOURCE, true);
		raises++;
		break;
	default:
		move_page(page);
	}
	spin(check_random() % 2000);
}

/* Its end is what ends the guest. */
static void disturb_all(void)
{
	uint64_t end = hatch_board_ticks() + STRESS_SECONDS * hatch_board_frequency();

	while (hatch_board_ticks() < end && !machine.ended)
		disturb();
	__atomic_store_n(&over, 1, __ATOMIC_RELAXED);
}

static void work(void *arg, unsigned int index)
{
	(void)arg;
	if (index == STRESS_HARTS)
		disturb_all();
	else
		hatch_machine_serve(&machine, index, &tries[index]);
}

/* ---- The world ---- */

static void host_wait(void *arg)
{
	(void)arg;
	hatch_board_wait();
}

static void host_wake(void *arg, unsigned int index)
{
	(void)arg;
	hatch_board_wake(index);
}

static int fill_window(void)
{
	int error = hatch_guest_add_lazy(&guest, hatch_gpa_of(STRESS_WINDOW), WINDOW);

	for (uint64_t i = 0; i < STRESS_WINDOW_PAGES && !error; i++) {
		backing[2 * i][STRESS_HARTS] = STRESS_TAG | i << 16;
		error = hatch_gstage_map(&guest.stage,
					 hatch_gpa_of(STRESS_WINDOW + i * HATCH_PAGE_SIZE),
					 physical(backing[2 * i]), HATCH_PAGE_SIZE, HATCH_PROT_ALL);
	}
	return error;
}

static int make_guest(void)
{
	const hatch_gpa ram = hatch_gpa_of(HATCH_GUEST_RAM);
	int error = hatch_guest_init(&guest, hatch_board_memory());

	if (!error)
		error = hatch_guest_add_ram(&guest, ram, STRESS_RAM_SIZE);
	if (!error)
		error = hatch_guest_write(&guest, ram, guest_image,
					  (size_t)(guest_image_end - guest_image));
	if (!error)
		error = hatch_demand_init(&demand, &guest, hatch_gpa_of(STRESS_LAZY), LAZY_SIZE,
					  HATCH_PAGE_SIZE, LAZY_SIZE);
	return error ? error : fill_window();
}

static int make_machine(void)
{
	struct hatch_machine_host host = quiet_host();
	int error = 0;

	host.wait = host_wait;
	host.wake = host_wake;
	for (unsigned int i = 0; i < STRESS_HARTS && !error; i++) {
		error = hatch_vcpu_init(&vcpu[i], &guest);
		hart[i].vcpu = &vcpu[i];
	}
	if (!error)
		error = hatch_machine_init(&machine, &host, hart, STRESS_HARTS);
	if (!error)
		hatch_machine_use_windows(&machine);
	for (unsigned int i = 0; i < STRESS_HARTS && !error; i++) {
		error = hatch_try_init(&tries[i], &vcpu[i]);
		if (!error)
			error = hatch_machine_enter(&machine, &tries[i]);
	}
	return error;
}

static int add_clauses(void)
{
	struct hatch_catch *const clause[] = { &on_device, &on_window, &on_exit, &demand.clause };
	int error = 0;

	on_device = HATCH_ON_MMIO(STRESS_DEVICE, STRESS_DEVICE_SIZE, use_device, NULL);
	on_window = HATCH_ON_PAGE(STRESS_WINDOW, WINDOW, wait_for_page, NULL);
	on_exit = HATCH_ON_EXIT();
	for (size_t i = 0; i < sizeof(clause) / sizeof(clause[0]) && !error; i++)
		error = hatch_catch_add(&machine.scope, clause[i]);
	return error;
}

static void stress(void)
{
	char line[240];

	check_seed(1);
	expect_equal(make_guest(), 0);
	expect_equal(make_machine(), 0);
	expect_equal(add_clauses(), 0);
	hatch_vcpu_reset(&vcpu[0], hatch_gpa_of(HATCH_GUEST_RAM), 0, 0);
	expect_equal(hatch_board_parallel(STRESS_HARTS + 1, work, NULL), 0);
	if (expect(machine.ended) && !expect_equal(machine.ended->outcome, HATCH_DONE))
		check_say("%s", hatch_try_format(machine.ended, line, sizeof(line)));
	if (machine.ended)
		expect_equal(machine.ended->status, STRESS_FINE);
	expect_equal(stale, 0);
	expect_equal(refused, 0);
	check_say("%llu pages moved, %llu protected, %llu interrupts, %llu pages touched",
		  (unsigned long long)moves, (unsigned long long)protects,
		  (unsigned long long)raises, (unsigned long long)(demand.used / HATCH_PAGE_SIZE));
	hatch_demand_fini(&demand);
	hatch_machine_fini(&machine);
	hatch_guest_fini(&guest);
}

int main(void)
{
	const struct check checks[] = { CHECK(stress) };

	return check_all(checks, 1);
}
