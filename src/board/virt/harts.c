/* SPDX-License-Identifier: MIT */
/*
 * The machine's harts: the one that it booted on, and the others, which that one gives work to.
 *
 * RISC-V SBI 2.0, chapters 7 (IPI) and 9 (HSM).
 */
#include <stddef.h>
#include <string.h>

#include <libfdt.h>

#include <hatch/call.h>
#include <hatch/csr.h>
#include <hatch/hart.h>

#include "virt.h"

#define HARTS_MAX	   64 /* of more, the first in the device tree are used */

#define SBI_EID_IPI	   0x735049
#define SBI_EID_HSM	   0x48534d
#define SBI_HSM_HART_START 0

#define GUARD_PATTERN	   UINT64_C(0x68617463682d6764)

_Noreturn void virt_hart_main(struct virt_hart *hart);

_Static_assert(offsetof(struct virt_hart, stack_top) == 0, "other_hart in boot.S");
_Static_assert(offsetof(struct virt_hart, tls) == 8, "other_hart in boot.S");
_Static_assert(offsetof(struct virt_hart, id) == 16, "other_hart in boot.S");
_Static_assert(sizeof(struct virt_hart) == 56, "other_hart in boot.S");

/* virt.ld: the boot hart's. Those of the others are as large. */
extern char virt_stack_guard[], virt_stack_bottom[], virt_stack_top[];
extern char virt_boot_tls[];

/* By index. Only the boot hart adds to it, and only before main. boot.S looks harts up here. */
extern struct virt_hart virt_harts[HARTS_MAX];
struct virt_hart virt_harts[HARTS_MAX];
static unsigned int harts_count;

static _Thread_local struct virt_hart *this_hart = &virt_harts[0];

/*
 * What is being done. Invariants: `work` and `arg` change only while `left` is 0, by the boot
 * hart; `left` is how many other harts have yet to return.
 */
static struct {
	void (*work)(void *arg, unsigned int index); /* NULL: nothing */
	void *arg;
	unsigned int left; /* atomic */
} team;

const struct virt_hart *virt_hart_this(void)
{
	return this_hart;
}

/* ---- Stacks ---- */

/* Translation is off, so no page can be taken away: there is a pattern instead. */
static void set_stack(struct virt_hart *hart, char *guard, char *bottom, char *top)
{
	hart->stack_guard = (uint64_t *)guard;
	hart->stack_bottom = bottom;
	hart->stack_top = top;
	for (uint64_t *p = hart->stack_guard; p < (uint64_t *)bottom; p++)
		*p = GUARD_PATTERN;
}

static bool overflowed(const struct virt_hart *hart)
{
	for (const uint64_t *p = hart->stack_guard; p < (uint64_t *)hart->stack_bottom; p++)
		if (*p != GUARD_PATTERN)
			return true;
	return false;
}

bool virt_stack_overflowed(void)
{
	for (unsigned int i = 0; i < harts_count; i++)
		if (overflowed(&virt_harts[i]))
			return true;
	return false;
}

/* One piece of zeroed RAM: guard, stack, thread-local storage. */
static void give_memory(struct virt_hart *hart)
{
	const struct hatch_memory *memory = hatch_board_memory();
	const struct hatch_box_image *image = hatch_board_image();
	size_t guard = (size_t)(virt_stack_bottom - virt_stack_guard);
	size_t stack = (size_t)(virt_stack_top - virt_stack_bottom);
	char *p = memory->alloc(memory->arg, guard + stack + image->tls_size, HATCH_PAGE_SIZE);

	if (!p)
		virt_die("no RAM for the stack of each hart",
			 "give the machine more with -m or --memory, or fewer harts");
	set_stack(hart, p, p + guard, p + guard + stack);
	hart->tls = hart->stack_top;
	memcpy(hart->tls, image->tls, (size_t)(image->tls_end - image->tls));
}

/* ---- From boot to work ---- */

void virt_hart_boot(uint64_t id)
{
	virt_harts[0].id = id;
	virt_harts[0].tls = virt_boot_tls;
	virt_harts[0].started = true;
	set_stack(&virt_harts[0], virt_stack_guard, virt_stack_bottom, virt_stack_top);
	harts_count = 1;
}

void virt_harts_init(void)
{
	uint64_t id;
	int node = -1;

	while (harts_count < HARTS_MAX && (node = virt_tree_next_cpu(node, &id)) >= 0) {
		struct virt_hart *hart = &virt_harts[harts_count];

		if (id == virt_harts[0].id)
			continue;
		hart->id = id;
		hart->index = harts_count++;
		give_memory(hart);
	}
}

unsigned int hatch_board_harts(void)
{
	return harts_count;
}

/* A hart other than the boot hart: does what there is to do, for ever. */
_Noreturn void virt_hart_main(struct virt_hart *hart)
{
	this_hart = hart;
	if (hatch_hart_init(hart->id, virt_trap))
		virt_die("a hart has no hypervisor extension, though the boot hart has one",
			 "use a machine whose harts are all alike");
	for (;;) {
		while (!__atomic_exchange_n(&hart->summoned, 0, __ATOMIC_ACQUIRE))
			hatch_board_wait();
		team.work(team.arg, hart->index);
		hatch_hart_alarm(HATCH_NEVER); /* or it would not let the hart rest */
		if (!__atomic_sub_fetch(&team.left, 1, __ATOMIC_RELEASE))
			hatch_board_wake(0);
	}
}

static bool start(struct virt_hart *hart)
{
	if (!hart->started)
		hart->started =
			!virt_sbi(SBI_EID_HSM, SBI_HSM_HART_START, hart->id, (uintptr_t)_start, 0)
				 .error;
	return hart->started;
}

static void summon(unsigned int count)
{
	__atomic_store_n(&team.left, count - 1, __ATOMIC_RELAXED);
	for (unsigned int i = 1; i < count; i++) {
		__atomic_store_n(&virt_harts[i].summoned, 1, __ATOMIC_RELEASE);
		hatch_board_wake(i);
	}
}

int hatch_board_parallel(unsigned int count, void (*work)(void *arg, unsigned int index), void *arg)
{
	if (!count || count > harts_count || this_hart != &virt_harts[0] || team.work)
		return HATCH_EINVAL;
	for (unsigned int i = 1; i < count; i++)
		if (!start(&virt_harts[i]))
			return HATCH_ENOTSUP;
	team.work = work;
	team.arg = arg;
	summon(count);
	work(arg, 0);
	while (__atomic_load_n(&team.left, __ATOMIC_ACQUIRE))
		hatch_board_wait();
	team.work = NULL;
	return 0;
}

/* ---- To wait, and to end the waiting ---- */

/*
 * The interrupt ends the wfi; `woken` makes sure that a wake-up counts even where the interrupt
 * was taken off by somebody else. Nothing is lost in between: sip.SSIP is cleared only when this
 * returns, and the caller then looks for what it waits for.
 */
void hatch_board_wait(void)
{
	csr_set(sie, 1UL << IRQ_S_SOFT);
	if (!__atomic_load_n(&this_hart->woken, __ATOMIC_ACQUIRE))
		__asm__ volatile("wfi" ::: "memory");
	csr_clear(sip, 1UL << IRQ_S_SOFT);
	(void)__atomic_exchange_n(&this_hart->woken, 0, __ATOMIC_ACQ_REL);
}

void hatch_board_wake(unsigned int index)
{
	if (index >= harts_count)
		return;
	__atomic_store_n(&virt_harts[index].woken, 1, __ATOMIC_RELEASE);
	virt_io_barrier(); /* the interrupt comes behind what it tells of */
	virt_sbi(SBI_EID_IPI, 0, 1, virt_harts[index].id, 0);
}

/* ---- The end ---- */

void virt_hart_is_last(void)
{
	static const struct virt_hart *last;
	const struct virt_hart *other = NULL;

	if (__atomic_compare_exchange_n(&last, &other, this_hart, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE) ||
	    other == this_hart)
		return;
	for (;;)
		__asm__ volatile("wfi");
}
