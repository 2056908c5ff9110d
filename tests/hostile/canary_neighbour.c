/* SPDX-License-Identifier: MIT */
/*
 * What stands around the guest that looks for canaries: memory that is full of them, and another
 * guest at the same guest-physical addresses, whose registers are; and where all that is.
 */
#include <string.h>

#include <hatch/board.h>
#include <hatch/handlers/exit.h>

#include "canary_host.h"
#include "world.h"

#define GUARD	   HATCH_PAGE_SIZE
#define PROGRAM	   0x80000 /* bytes from the start of the neighbour's RAM: at its ends are canaries */
#define BLOCK_SIZE (2 * GUARD + 2 * CANARY_RAM_SIZE)

/* Leaves a0 in every register. */
GUEST(neighbour,
      "	li t0, 0x6000\n"
      "	csrs sstatus, t0\n"
      "	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,"
      "27,28,29,30,31\n"
      "	fmv.d.x f\\n, a0\n"
      "	.endr\n"
      "	.irp csr, sscratch, sepc, stval, scause, stvec, senvcfg, scounteren\n"
      "	csrw \\csr, a0\n"
      "	.endr\n"
      "	.irp n, 1,2,3,4,5,6,7,8,9,11,12,13,14,15,18,19,20,21,22,23,24,25,26,27,28,29,30,"
      "31\n"
      "	mv x\\n, a0\n"
      "	.endr\n"
      "	quit\n");

static struct {
	struct hatch_guest guest;
	struct hatch_vcpu vcpu;
	struct hatch_try t;
	struct hatch_catch on_end, on_external, on_timer;
} other;

/* One piece: a page of the heap's canary, the guest's RAM, the neighbour's, a page again. */
static uint8_t *block, *ram, *other_ram;

/* ---- The neighbour ---- */

static void make_block(void)
{
	const struct hatch_memory *memory = hatch_board_memory();

	block = memory->alloc(memory->arg, BLOCK_SIZE, HATCH_PAGE_SIZE);
	if (!expect(block != NULL))
		hatch_board_exit(1);
	ram = block + GUARD;
	other_ram = ram + CANARY_RAM_SIZE;
	canary_fill(block, GUARD, CANARY_OF_HEAP);
	canary_fill(other_ram, CANARY_RAM_SIZE, CANARY_OF_NEIGHBOUR);
	canary_fill(other_ram + CANARY_RAM_SIZE, GUARD, CANARY_OF_HEAP);
	memcpy(other_ram + PROGRAM, neighbour, (size_t)(neighbour_end - neighbour));
	__asm__ volatile("fence.i" ::: "memory");
}

static void free_block(void)
{
	const struct hatch_memory *memory = hatch_board_memory();

	memory->free(memory->arg, block, BLOCK_SIZE);
}

static bool is_untouched(void)
{
	return canary_is_whole(block, GUARD, CANARY_OF_HEAP) &&
	       canary_is_whole(other_ram, PROGRAM, CANARY_OF_NEIGHBOUR) &&
	       canary_is_whole(other_ram + PROGRAM + GUARD, CANARY_RAM_SIZE - PROGRAM - GUARD,
			       CANARY_OF_NEIGHBOUR) &&
	       canary_is_whole(other_ram + CANARY_RAM_SIZE, GUARD, CANARY_OF_HEAP);
}

void canary_lend(struct hatch_guest *to, uint64_t gpa, void *at, uint64_t size)
{
	expect_equal(hatch_guest_lend(to, hatch_gpa_of(gpa), at, size, HATCH_PROT_ALL), 0);
}

uint8_t *canary_neighbour_make(void)
{
	make_block();
	expect_equal(hatch_guest_init(&other.guest, hatch_board_memory()), 0);
	canary_lend(&other.guest, CANARY_RAM, other_ram, CANARY_RAM_SIZE);
	expect_equal(hatch_vcpu_init(&other.vcpu, &other.guest), 0);
	return ram;
}

void canary_neighbour_end(void)
{
	hatch_guest_fini(&other.guest);
	expect(is_untouched());
	free_block();
}

static enum hatch_verdict leave(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	(void)ev;
	return hatch_unwind(k, 0);
}

/* An interrupt in the middle of it is the other guest's, and served there: this turn is over. */
void canary_neighbour_run(void)
{
	other.on_end = HATCH_ON_EXIT();
	other.on_external = HATCH_ON_INTERRUPT(IRQ_S_EXT, leave, NULL);
	other.on_timer = HATCH_ON_INTERRUPT(IRQ_S_TIMER, leave, NULL);
	hatch_vcpu_reset(&other.vcpu, hatch_gpa_of(CANARY_RAM + PROGRAM), CANARY_OF_NEIGHBOUR, 0);
	expect_equal(hatch_try_init(&other.t, &other.vcpu), 0);
	expect_equal(hatch_catch_add(&other.t.scope, &other.on_end), 0);
	expect_equal(hatch_catch_add(&other.t.scope, &other.on_external), 0);
	expect_equal(hatch_catch_add(&other.t.scope, &other.on_timer), 0);
	expect(hatch_try_run(&other.t) <= HATCH_UNWOUND);
}

/* ---- Baits ---- */

void canary_add_bait(struct canary_orders *orders, const void *at, uint64_t size)
{
	if (orders->baits == CANARY_BAITS)
		return;
	orders->bait[orders->baits].address = (uintptr_t)at;
	orders->bait[orders->baits++].size = size;
}

/* The tables of a G-stage: the root and, below each that is added, the first other one. */
void canary_add_tables(struct canary_orders *orders, const struct hatch_gstage *stage)
{
	const uint64_t *table = stage->root;
	uint64_t size = 4 * HATCH_PAGE_SIZE;

	for (unsigned int level = 0; table && level < 4; level++) {
		const uint64_t *next = NULL;

		canary_add_bait(orders, table, size);
		for (uint64_t i = 0; i < size / 8 && !next; i++)
			if ((table[i] & 0xf) == 1)
				next = (const uint64_t *)(table[i] >> 10 << 12);
		table = next;
		size = HATCH_PAGE_SIZE;
	}
}

void canary_add_neighbours(struct canary_orders *orders)
{
	canary_add_bait(orders, block, GUARD);
	canary_add_bait(orders, other_ram, CANARY_RAM_SIZE);
	canary_add_bait(orders, other_ram + CANARY_RAM_SIZE, GUARD);
	canary_add_bait(orders, &other, sizeof(other));
	canary_add_tables(orders, &other.guest.stage);
}
