/* SPDX-License-Identifier: MIT */
/*
 * Four harts of a guest whose devices are real ones (virtio_guest.c), and one of the host that
 * watches: no byte around the guest's memory changes, nor one that it may not write to, and the
 * guest gets on. Built twice: for VIRTIO_ATTACKS rings, and for as many as one likes.
 */
#include <stdio.h>
#include <string.h>

#include <hatch/board.h>
#include <hatch/handlers/exit.h>
#include <hatch/handlers/machine.h>

#include "check.h"
#include "quiet_host.h"
#include "virtio_world.h"
#include "world.h"

#ifndef VIRTIO_ATTACKS
#define VIRTIO_ATTACKS 20000
#endif

#define GUARD	 HATCH_PAGE_SIZE
#define PATIENCE 60 /* seconds without any progress of the guest */

extern const uint8_t guest_image[], guest_image_end[];

GUEST(virtio_entry, "	ld sp, 0(a1)\n"
		    "	ld t0, 8(a1)\n"
		    "	jr t0\n");

/* Memory of the guest, with a page of canaries at each end; `at` is what lies between them. */
static struct piece {
	uint64_t gpa, size;
	unsigned int prot;
	uint8_t *at;
} pieces[] = {
	{ HATCH_GUEST_RAM, VIRTIO_PROGRAM_SIZE, HATCH_PROT_ALL, NULL },
	{ VIRTIO_ENTRY, VIRTIO_ENTRY_SIZE, HATCH_PROT_READ | HATCH_PROT_EXEC, NULL },
	{ VIRTIO_ARENA, VIRTIO_ARENA_SIZE, HATCH_PROT_READ | HATCH_PROT_WRITE, NULL },
	{ VIRTIO_NEXT, VIRTIO_NEXT_SIZE, HATCH_PROT_READ | HATCH_PROT_WRITE, NULL },
	{ VIRTIO_STEADY, VIRTIO_STEADY_SIZE, HATCH_PROT_READ | HATCH_PROT_WRITE, NULL },
	{ VIRTIO_FIXED, VIRTIO_FIXED_SIZE, HATCH_PROT_READ, NULL },
	{ VIRTIO_LAZY, VIRTIO_LAZY_PAGES *HATCH_PAGE_SIZE, 0, NULL },
};

enum { PROGRAM, ENTRY, ARENA, NEXT, STEADY, FIXED, LAZY, PIECES };

static struct hatch_guest guest;
static struct hatch_vcpu vcpu[VIRTIO_HARTS];
static struct hatch_sbi_hart hart[VIRTIO_HARTS];
static struct hatch_try tries[VIRTIO_HARTS];
static struct hatch_machine machine;
static struct hatch_catch on_control, on_exit, on_external;
static uint64_t rings, good; /* as the guest's first hart tells them */
static uint64_t lazy_given;

/* ---- The guest's memory, and what is around it ---- */

static bool is_canary(const uint8_t *at, uint64_t size)
{
	const uint64_t *word = (const uint64_t *)at;

	for (uint64_t i = 0; i < size / sizeof(*word); i++)
		if (__atomic_load_n(&word[i], __ATOMIC_RELAXED) != CHECK_CANARY)
			return false;
	return true;
}

static void fill_canary(uint8_t *at, uint64_t size)
{
	for (uint64_t *word = (uint64_t *)at; size; size -= sizeof(*word))
		*word++ = CHECK_CANARY;
}

static bool is_untouched(void)
{
	for (unsigned int i = 0; i < PIECES; i++)
		if (!is_canary(pieces[i].at - GUARD, GUARD) ||
		    !is_canary(pieces[i].at + pieces[i].size, GUARD))
			return false;
	return is_canary(pieces[FIXED].at, VIRTIO_FIXED_SIZE) &&
	       is_canary(pieces[PROGRAM].at + VIRTIO_PROGRAM_USED,
			 VIRTIO_PROGRAM_SIZE - VIRTIO_PROGRAM_USED) &&
	       is_canary((const uint8_t *)check_canary(), HATCH_PAGE_SIZE);
}

/* Behind its registers a window is as it was made. */
static bool are_windows_clean(void)
{
	for (unsigned int i = 0; i < VIRTIO_DEVICES; i++)
		for (unsigned int at = HATCH_VIRTIO_SIZE / 4; at < HATCH_PAGE_SIZE / 4; at++)
			if (machine.virtio[i].window.page[at])
				return false;
	return true;
}

static void make_piece(struct piece *piece)
{
	const struct hatch_memory *memory = hatch_board_memory();
	uint8_t *at = memory->alloc(memory->arg, piece->size + 2 * GUARD, HATCH_PAGE_SIZE);

	piece->at = at + GUARD;
	if (!expect(at))
		hatch_board_exit(1);
	fill_canary(at, GUARD);
	fill_canary(piece->at + piece->size, GUARD);
}

static void free_piece(const struct piece *piece)
{
	const struct hatch_memory *memory = hatch_board_memory();

	memory->free(memory->arg, piece->at - GUARD, piece->size + 2 * GUARD);
}

static hatch_hpa physical(const void *at)
{
	const struct hatch_memory *memory = hatch_board_memory();

	return memory->physical(memory->arg, at);
}

/* A request names a page that was never touched: every other one can be had. */
static bool give_page(void *arg, struct hatch_guest *g, hatch_gpa gpa)
{
	uint64_t page = (gpa.addr - VIRTIO_LAZY) / HATCH_PAGE_SIZE;
	int error;

	(void)arg;
	if (page % 2)
		return false;
	error = hatch_gstage_map(&g->stage, hatch_gpa_of(VIRTIO_LAZY + page * HATCH_PAGE_SIZE),
				 physical(pieces[LAZY].at + page * HATCH_PAGE_SIZE),
				 HATCH_PAGE_SIZE, HATCH_PROT_READ | HATCH_PROT_WRITE);
	__atomic_fetch_add(&lazy_given, !error, __ATOMIC_RELAXED);
	return !error || error == HATCH_EOVERLAP; /* another device's request was faster */
}

/* ---- Clauses ---- */

static uint64_t bait(void)
{
	static const uint64_t places[] = { 0, 0x80200000, UINT64_MAX, HATCH_MACHINE_PLIC };
	const struct piece *piece = &pieces[check_random() % PIECES];

	switch (check_random() % 4) {
	case 0:
		return (uintptr_t)check_canary();
	case 1:
		return (uintptr_t)piece->at - GUARD;
	case 2:
		return (uintptr_t)piece->at + piece->size;
	default:
		return places[check_random() % 4];
	}
}

static enum hatch_verdict control(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	if (ev->mmio.write && ev->mmio.offset == VIRTIO_RINGS)
		__atomic_store_n(&rings, ev->mmio.value, __ATOMIC_RELAXED);
	if (ev->mmio.write && ev->mmio.offset == VIRTIO_GOOD)
		__atomic_fetch_add(&good, ev->mmio.value, __ATOMIC_RELAXED);
	return hatch_resume(k, ev->mmio.offset == VIRTIO_BAIT ? bait() : VIRTIO_ATTACKS);
}

static void serve_interrupts(void)
{
	enum hatch_board_irq irq;

	while ((irq = hatch_board_interrupt_claim()) != HATCH_BOARD_IRQ_NONE)
		if (irq >= HATCH_BOARD_IRQ_VIRTIO && irq < HATCH_BOARD_IRQ_OTHER)
			hatch_machine_virtio_interrupt(&machine, irq - HATCH_BOARD_IRQ_VIRTIO);
}

static enum hatch_verdict interrupted(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	(void)ev;
	serve_interrupts();
	return hatch_resume(k, 0);
}

/* ---- The fifth hart ---- */

static uint64_t progress(void)
{
	return __atomic_load_n(&rings, __ATOMIC_RELAXED) + __atomic_load_n(&good, __ATOMIC_RELAXED);
}

static bool is_over(void)
{
	return __atomic_load_n(&machine.ended, __ATOMIC_ACQUIRE) != NULL;
}

_Noreturn static void give_up(void)
{
	check_say("no progress for %d s after %llu rings and %llu good requests: look with gdb "
		  "which hart waits for which lock or device",
		  PATIENCE, (unsigned long long)rings, (unsigned long long)good);
	hatch_board_exit(1);
}

/* Interrupts that no device has asked for are among what the proxies must bear. */
static void watch(void)
{
	uint64_t seen = 0, since = hatch_board_ticks();

	while (!is_over()) {
		hatch_board_timer(hatch_board_ticks() + hatch_board_frequency() / 50);
		hatch_board_wait();
		expect(is_untouched() && are_windows_clean());
		hatch_machine_virtio_interrupt(&machine, (unsigned int)(seen % VIRTIO_DEVICES));
		if (progress() != seen)
			since = hatch_board_ticks();
		else if (hatch_board_ticks() - since > PATIENCE * hatch_board_frequency())
			give_up();
		seen = progress();
	}
}

static void work(void *arg, unsigned int index)
{
	(void)arg;
	if (index == VIRTIO_HARTS)
		watch();
	else
		hatch_machine_serve(&machine, index, &tries[index]);
}

/* ---- The world ---- */

static void host_wait(void *arg)
{
	(void)arg;
	hatch_board_wait();
	serve_interrupts();
}

static void host_wake(void *arg, unsigned int index)
{
	(void)arg;
	hatch_board_wake(index);
}

/* The program is mapped without a region: no request may name it. */
static void make_guest(void)
{
	const struct piece *program = &pieces[PROGRAM];

	for (unsigned int i = 0; i < PIECES; i++)
		make_piece(&pieces[i]);
	memcpy(program->at, guest_image, (size_t)(guest_image_end - guest_image));
	memcpy(pieces[ENTRY].at, virtio_entry, (size_t)(virtio_entry_end - virtio_entry));
	fill_canary(pieces[FIXED].at, VIRTIO_FIXED_SIZE);
	fill_canary(program->at + VIRTIO_PROGRAM_USED, VIRTIO_PROGRAM_SIZE - VIRTIO_PROGRAM_USED);
	__asm__ volatile("fence.i" ::: "memory");
	expect_equal(hatch_guest_init(&guest, hatch_board_memory()), 0);
	expect_equal(hatch_gstage_map(&guest.stage, hatch_gpa_of(program->gpa),
				      physical(program->at), program->size, program->prot),
		     0);
	for (unsigned int i = ENTRY; i < LAZY; i++)
		expect_equal(hatch_guest_lend(&guest, hatch_gpa_of(pieces[i].gpa), pieces[i].at,
					      pieces[i].size, pieces[i].prot),
			     0);
	expect_equal(hatch_guest_add_lazy(&guest, hatch_gpa_of(VIRTIO_LAZY), pieces[LAZY].size), 0);
}

static void make_machine(void)
{
	struct hatch_machine_host host = quiet_host();

	host.wait = host_wait;
	host.wake = host_wake;
	for (unsigned int i = 0; i < VIRTIO_HARTS; i++) {
		expect_equal(hatch_vcpu_init(&vcpu[i], &guest), 0);
		hart[i].vcpu = &vcpu[i];
	}
	expect_equal(hatch_machine_init(&machine, &host, hart, VIRTIO_HARTS), 0);
	hatch_machine_use_windows(&machine);
	on_control = HATCH_ON_MMIO(VIRTIO_CONTROL, VIRTIO_CONTROL_SIZE, control, NULL);
	on_exit = HATCH_ON_EXIT();
	on_external = HATCH_ON_INTERRUPT(IRQ_S_EXT, interrupted, NULL);
	expect_equal(hatch_catch_add(&machine.scope, &on_control), 0);
	expect_equal(hatch_catch_add(&machine.scope, &on_exit), 0);
	expect_equal(hatch_catch_add(&machine.scope, &on_external), 0);
	for (unsigned int i = 0; i < VIRTIO_HARTS; i++) {
		expect_equal(hatch_try_init(&tries[i], &vcpu[i]), 0);
		expect_equal(hatch_machine_enter(&machine, &tries[i]), 0);
	}
}

static void add_devices(void)
{
	static const uint32_t wanted[VIRTIO_DEVICES] = { 2, 4, 1, 3, 2 };
	struct hatch_board_virtio device = { 0 };

	for (unsigned int i = 0; i < VIRTIO_DEVICES; i++) {
		expect(hatch_board_virtio(i, &device));
		expect_equal(device.device_id, wanted[i]);
		expect_equal(
			hatch_machine_add_virtio(
				&machine, &(struct hatch_virtio_real){ hatch_board_virtio_load,
								       hatch_board_virtio_store,
								       device.registers }),
			0);
		machine.virtio[i].page = give_page;
	}
}

/* ---- What came of it ---- */

/* An attack that is never taken, or never refused, tests nothing. */
static void judge(unsigned int slot)
{
	const struct hatch_virtio_counts *count = &machine.virtio[slot].count;
	bool attacked = slot != VIRTIO_DISK;

	check_say("%s: %llu kicks, %llu requests, %llu used, %llu times held, %llu broken, "
		  "%llu resets; last: %s",
		  machine.virtio[slot].name, (unsigned long long)count->kicks,
		  (unsigned long long)count->chains, (unsigned long long)count->used,
		  (unsigned long long)count->held, (unsigned long long)count->broken,
		  (unsigned long long)count->resets,
		  machine.virtio[slot].problem ?: "nothing was wrong");
	expect(count->used > 100);
	expect((count->broken > 100) == attacked && (count->resets > 100) == attacked);
	expect(!machine.virtio[slot].dead);
}

static void judge_end(void)
{
	char line[240];

	if (expect(machine.ended) && !expect_equal(machine.ended->outcome, HATCH_DONE))
		check_say("%s", hatch_try_format(machine.ended, line, sizeof(line)));
	if (machine.ended)
		check_that(machine.ended->status == VIRTIO_FINE, __LINE__,
			   "the guest ended with fault %ld of device %ld (virtio_world.h)",
			   machine.ended->status / 16, machine.ended->status % 16);
	expect(is_untouched());
	expect(rings >= VIRTIO_ATTACKS && good > 1000 && lazy_given > 1);
	check_say("%llu rings, %llu good requests, %llu lazy pages", (unsigned long long)rings,
		  (unsigned long long)good, (unsigned long long)lazy_given);
}

static void virtio(void)
{
	check_seed(1);
	make_guest();
	make_machine();
	add_devices();
	hatch_vcpu_reset(&vcpu[0], hatch_gpa_of(HATCH_GUEST_RAM), 0, 0);
	expect_equal(hatch_board_parallel(VIRTIO_HARTS + 1, work, NULL), 0);
	judge_end();
	for (unsigned int i = 0; i < machine.virtios; i++)
		judge(i);
	hatch_machine_fini(&machine);
	expect(is_untouched());
	hatch_guest_fini(&guest);
	for (unsigned int i = 0; i < PIECES; i++)
		free_piece(&pieces[i]);
}

int main(void)
{
	const struct check checks[] = { CHECK(virtio) };

	return check_all(checks, 1);
}
