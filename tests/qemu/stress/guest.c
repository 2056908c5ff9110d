/* SPDX-License-Identifier: MIT */
/*
 * A guest whose harts do at once all that harts do to each other: IPIs, remote fences, starts and
 * stops, device accesses, page faults; and look whether each had its effect.
 */
#include "guest.h"

#include "world.h"

#define SBI_TIME	 0x54494d45
#define SBI_IPI		 0x735049
#define SBI_RFENCE	 0x52464e43
#define SBI_HSM		 0x48534d
#define HSM_STOPPED	 1
#define HSM_STOP_PENDING 3
#define HSM_LAST	 6

#define PLIC		 0x0c000000UL
#define PAGE		 4096UL
#define PATIENCE	 300000000UL /* ticks: 30 s */

/* A page through which the harts look at one of two pages of RAM. */
#define VIEW		 0x40000000UL
#define SV39		 (8UL << 60)
#define PTE_LEAF	 0xcfUL /* V R W X A D */

struct hart {
	uint64_t ipis, timers, externals, lives;
	uint64_t words[STRESS_LAZY_PAGES]; /* what it stored into each page */
	uint64_t window[STRESS_WINDOW_PAGES];
	uint64_t random;
};

static struct hart harts[STRESS_HARTS];
static _Alignas(16) uint8_t stacks[STRESS_HARTS][8192];
static _Alignas(4096) uint64_t root[512], middle[512], leaves[512];
static _Alignas(4096) uint64_t side[2][512];
static uint64_t vector, view_lock, version;

/* A hart that is started: a0 its number, a1 its stack. */
void stress_begin(void);
__asm__("	.text\n"
	"	.balign	4\n"
	"	.globl	stress_begin\n"
	"stress_begin:\n"
	"	mv	sp, a1\n"
	"	call	work\n");

_Noreturn void work(uint64_t me);

static uint64_t now(void)
{
	uint64_t ticks;

	__asm__ volatile("rdtime %0" : "=r"(ticks));
	return ticks;
}

static uint64_t me(void)
{
	uint64_t id;

	__asm__ volatile("csrr %0, sscratch" : "=r"(id));
	return id;
}

static uint64_t any(uint64_t below)
{
	uint64_t *x = &harts[me()].random;

	*x ^= *x >> 12;
	*x ^= *x << 25;
	*x ^= *x >> 27;
	return *x * UINT64_C(0x2545f4914f6cdd1d) % below;
}

static void need(bool good, enum stress_fault fault)
{
	if (!good)
		hatch_guest_exit(fault);
}

static volatile uint64_t *device(uint64_t offset)
{
	return (volatile uint64_t *)(STRESS_DEVICE + offset);
}

static volatile uint32_t *plic(uint64_t offset)
{
	return (volatile uint32_t *)(PLIC + offset);
}

static uint64_t context(void)
{
	return 2 * me() + 1;
}

static void set_timer(uint64_t ticks)
{
	hatch_guest_call(SBI_TIME, 0, ticks);
}

uint64_t hatch_guest_trap(uint64_t cause, uint64_t pc, uint64_t tval)
{
	struct hart *hart = &harts[me()];
	uint32_t source;

	(void)tval;
	switch (cause) {
	case 1UL << 63 | 1:
		__asm__ volatile("csrc sip, 2" ::: "memory");
		__atomic_fetch_add(&hart->ipis, 1, __ATOMIC_SEQ_CST);
		break;
	case 1UL << 63 | 5:
		hart->timers++;
		set_timer(UINT64_MAX);
		break;
	case 1UL << 63 | 9:
		source = *plic(0x200004 + 0x1000 * context());
		if (!source) /* another hart was faster */
			break;
		*device(STRESS_LOWER) = source;
		*plic(0x200004 + 0x1000 * context()) = source;
		hart->externals++;
		break;
	default:
		hatch_guest_exit(STRESS_TRAP * 16 + (int64_t)cause);
	}
	return pc;
}

/* ---- What a hart does ---- */

static uint64_t status_of(uint64_t hart)
{
	struct hatch_guest_answer answer = hatch_guest_call(SBI_HSM, 2, hart);

	need(!answer.a0, STRESS_REFUSED);
	need(answer.a1 <= HSM_LAST, STRESS_WRONG_STATE);
	return answer.a1;
}

static uint64_t read(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static bool is_up(uint64_t hart)
{
	uint64_t status = status_of(hart);

	return status != HSM_STOPPED && status != HSM_STOP_PENDING;
}

/* A hart that stops takes nothing any more, and begins its next life without. */
static void send_ipi(void)
{
	uint64_t to = any(STRESS_HARTS), since = now();
	uint64_t life = read(&harts[to].lives), before = read(&harts[to].ipis);

	need(!hatch_guest_call(SBI_IPI, 0, 1UL << to, 0).a0, STRESS_REFUSED);
	while (read(&harts[to].ipis) == before) {
		if (read(&harts[to].lives) != life ||
		    (now() - since > PATIENCE / 100 && !is_up(to)))
			return;
		need(now() - since < PATIENCE, STRESS_LOST_IPI);
	}
}

/* Under the lock the page behind VIEW is exchanged; behind the fence all harts see the other. */
static void exchange_view(void)
{
	uint64_t next;

	if (__atomic_exchange_n(&view_lock, 1, __ATOMIC_ACQUIRE))
		return;
	next = version + 1;
	__atomic_store_n(&version, 0, __ATOMIC_SEQ_CST); /* nobody may look */
	leaves[0] = (uint64_t)side[next % 2] >> 2 | PTE_LEAF;
	need(!hatch_guest_call(SBI_RFENCE, 1, 0, UINT64_MAX, VIEW, PAGE).a0, STRESS_REFUSED);
	__atomic_store_n(&version, next, __ATOMIC_SEQ_CST);
	__atomic_store_n(&view_lock, 0, __ATOMIC_RELEASE);
}

static void look_at_view(void)
{
	uint64_t before = __atomic_load_n(&version, __ATOMIC_SEQ_CST);
	uint64_t seen = *(volatile uint64_t *)VIEW;

	if (before && before == __atomic_load_n(&version, __ATOMIC_SEQ_CST))
		need(seen == before % 2, STRESS_LOST_FENCE);
}

static void fence_i(void)
{
	uint64_t mask = any(1 << STRESS_HARTS);

	need(!hatch_guest_call(SBI_RFENCE, 0, mask, 0).a0, STRESS_REFUSED);
}

static void use_device(void)
{
	uint64_t value = any(UINT64_MAX);

	*device(8 * me()) = value;
	need(*device(8 * me()) == value, STRESS_WRONG_DEVICE);
}

static void store_and_look(volatile uint64_t *word, uint64_t *stored)
{
	need(*word == *stored, STRESS_LOST_WORD);
	*stored = any(UINT64_MAX);
	*word = *stored;
	need(*word == *stored, STRESS_LOST_WORD);
}

static void touch_lazy(void)
{
	uint64_t page = any(STRESS_LAZY_PAGES);
	volatile uint64_t *at = (volatile uint64_t *)(STRESS_LAZY + page * PAGE);

	store_and_look(&at[me()], &harts[me()].words[page]);
}

static void touch_window(void)
{
	uint64_t page = any(STRESS_WINDOW_PAGES);
	volatile uint64_t *at = (volatile uint64_t *)(STRESS_WINDOW + page * PAGE);

	need(at[STRESS_HARTS] == (STRESS_TAG | page << 16), STRESS_WRONG_TAG);
	store_and_look(&at[me()], &harts[me()].window[page]);
}

/* Sleeps until its timer, or something else, wakes it. */
static void sleep(void)
{
	struct hart *hart = &harts[me()];
	uint64_t before = hart->timers, since = now();

	set_timer(since + any(20000));
	while (hart->timers == before) {
		__asm__ volatile("csrci sstatus, 2" ::: "memory"); /* none between look and sleep */
		if (hart->timers == before && any(2))
			need(!hatch_guest_call(SBI_HSM, 3, 0).a0, STRESS_REFUSED);
		else if (hart->timers == before)
			__asm__ volatile("wfi");
		__asm__ volatile("csrsi sstatus, 2" ::: "memory");
		need(now() - since < PATIENCE, STRESS_LOST_TIMER);
	}
}

static void start_others(void)
{
	for (uint64_t i = 1; i < STRESS_HARTS; i++)
		if (status_of(i) == HSM_STOPPED)
			hatch_guest_call(SBI_HSM, 0, i, (uint64_t)stress_begin,
					 (uint64_t)(stacks[i] + sizeof(stacks[i])));
}

/* The first hart starts the others again, and never stops itself: one is always there. */
static void stop(void)
{
	if (me() == 0)
		start_others();
	else if (!any(20))
		hatch_guest_call(SBI_HSM, 1, 0);
}

static void (*const acts[])(void) = {
	send_ipi,   exchange_view, look_at_view, look_at_view, fence_i,	     use_device, use_device,
	touch_lazy, touch_lazy,	   touch_window, touch_window, touch_window, sleep,	 stop,
};

/* ---- Life ---- */

static void make_tables(void)
{
	root[VIEW >> 30] = (uint64_t)middle >> 2 | 1;
	middle[0] = (uint64_t)leaves >> 2 | 1;
	leaves[0] = (uint64_t)side[1] >> 2 | PTE_LEAF;
	side[1][0] = 1;
	version = 1;
	for (uint64_t gib = 0; gib < 4; gib++) /* everything else is where it is */
		if (gib != VIEW >> 30)
			root[gib] = (gib << 30) >> 2 | PTE_LEAF;
}

static void prepare_hart(uint64_t id)
{
	__asm__ volatile(
		"csrw stvec, %0\n csrw sscratch, %1\n csrw satp, %2\n sfence.vma\n" ::"r"(vector),
		"r"(id), "r"(SV39 | (uint64_t)root >> 12)
		: "memory");
	if (!harts[id].random)
		harts[id].random = 0x9e3779b97f4a7c15 * (id + 1);
	*plic(4 * STRESS_SOURCE) = 1;
	*plic(0x2000 + 0x80 * context()) = 1 << STRESS_SOURCE;
	*plic(0x200000 + 0x1000 * context()) = 0;
	__asm__ volatile("csrs sie, %0\n csrsi sstatus, 2" ::"r"(1 << 1 | 1 << 5 | 1 << 9));
}

_Noreturn void work(uint64_t id)
{
	prepare_hart(id);
	__atomic_fetch_add(&harts[id].lives, 1, __ATOMIC_SEQ_CST);
	while (!*device(STRESS_STOP))
		acts[any(sizeof(acts) / sizeof(acts[0]))]();
	if (id == 0)
		hatch_guest_exit(STRESS_FINE);
	for (;;)
		__asm__ volatile("wfi");
}

int main(void)
{
	__asm__ volatile("csrr %0, stvec" : "=r"(vector));
	make_tables();
	work(0);
}
