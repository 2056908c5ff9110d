/* SPDX-License-Identifier: MIT */
/*
 * Guest memory: pages on demand, rights, changes that the hardware may have cached, many guests.
 */
#include <hatch/board.h>

#include "world.h"

#define LAZY	   UINT64_C(0x90000000)
#define PAGE	   UINT64_C(4096)
#define LAZY_PAGES 4

static struct world w;
static _Alignas(4096) uint64_t pool[LAZY_PAGES][512];

static hatch_hpa physical(const void *p)
{
	const struct hatch_memory *memory = hatch_board_memory();

	return memory->physical(memory->arg, p);
}

struct pager {
	unsigned int events;
	struct hatch_event last;
};

/* Maps a page of the pool with all rights and lets the access happen. */
static enum hatch_verdict on_demand(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	struct pager *pager = arg;
	uint64_t page = ev->page.gpa.addr & ~(PAGE - 1);

	pager->events++;
	pager->last = *ev;
	if (hatch_gstage_map(&w.guest.stage, hatch_gpa_of(page),
			     physical(pool[(page - LAZY) / PAGE]), PAGE, HATCH_PROT_ALL))
		return hatch_unwind(k, 1);
	return hatch_retry(k);
}

/* Loads from, stores to, and calls what is at a0, a1 and a2. */
GUEST(visitor, "	ld s1, 8(a0)\n"
	       "	sd s1, 16(a1)\n"
	       "	jalr a2\n"
	       "	mv a0, s1\n"
	       "	quit\n");

static void pages_on_demand(void)
{
	struct pager pager = { .events = 0 };
	struct hatch_catch page = HATCH_ON_PAGE(LAZY, LAZY_PAGES * PAGE, on_demand, &pager);

	pool[0][1] = 77;
	pool[2][3] = 0x00008067; /* ret */
	__asm__ volatile("fence.i" ::: "memory");
	world_of(&w, visitor);
	expect_equal(hatch_guest_add_lazy(&w.guest, hatch_gpa_of(LAZY), LAZY_PAGES * PAGE), 0);
	world_catch(&w, &page);
	w.vcpu.frame.x[10] = LAZY;
	w.vcpu.frame.x[11] = LAZY + PAGE;
	w.vcpu.frame.x[12] = LAZY + 2 * PAGE + 24;
	expect_done(&w, 77);
	expect_equal(pager.events, 3);
	expect_equal(pager.last.page.access, HATCH_FETCH);
	expect_equal(pager.last.page.gpa.addr, LAZY + 2 * PAGE + 24);
	expect_equal(pool[1][2], 77);
	world_end(&w);
}

static enum hatch_verdict on_note(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	struct pager *pager = arg;

	pager->events++;
	pager->last = *ev;
	return hatch_skip(k);
}

/* Stores s1 = 1, 2 to a0 and loads it back; ends with what it loads at last. */
GUEST(writer, "	li s1, 1\n"
	      "	sd s1, 8(a0)\n"
	      "	li s1, 2\n"
	      "	sd s1, 8(a0)\n"
	      "	ld a0, 8(a0)\n"
	      "	quit\n");

static void store_to_read_only_memory(void)
{
	struct pager pager = { .events = 0 };
	struct hatch_catch page = HATCH_ON_PAGE(LAZY, PAGE, on_note, &pager);

	pool[3][1] = 55;
	world_of(&w, writer);
	expect_equal(hatch_guest_lend(&w.guest, hatch_gpa_of(LAZY), pool[3], PAGE,
				      HATCH_PROT_READ | HATCH_PROT_EXEC),
		     0);
	world_catch(&w, &page);
	w.vcpu.frame.x[10] = LAZY;
	expect_done(&w, 55);
	expect_equal(pager.events, 2);
	expect_equal(pager.last.page.access, HATCH_STORE);
	expect_equal(pager.last.page.gpa.addr, LAZY + 8);
	expect(!pager.last.page.walk);
	expect_equal(pool[3][1], 55);
	world_end(&w);
}

/* ---- changes under a running guest -------------------------------------------------------- */

/* Loads from a0 before and after a call, stores after another one; ends with both as digits. */
GUEST(cacher, "	mv s1, a0\n"
	      "	ld s2, 0(s1)\n"
	      "	ask 1\n"
	      "	ld s3, 0(s1)\n"
	      "	sd s3, 8(s1)\n"
	      "	ask 2\n"
	      "	sd s2, 8(s1)\n"
	      "	li a0, 10\n"
	      "	mul a0, s2, a0\n"
	      "	add a0, a0, s3\n"
	      "	quit\n");

/* Call 1: another page takes the place of the one that is cached. Call 2: it becomes read-only. */
static enum hatch_verdict on_change(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	struct hatch_gstage *stage = &w.guest.stage;
	hatch_gpa gpa = { *(uint64_t *)arg };

	if (ev->hypercall.function == 1) {
		expect_equal(hatch_gstage_unmap(stage, gpa, PAGE), 0);
		expect_equal(hatch_gstage_map(stage, gpa, physical(pool[1]), PAGE, HATCH_PROT_ALL),
			     0);
	} else {
		expect_equal(hatch_gstage_protect(stage, gpa, PAGE, HATCH_PROT_READ), 0);
	}
	return hatch_resume(k, 0);
}

static void change_under(uint64_t gpa, uint64_t size)
{
	struct pager pager = { .events = 0 };
	struct hatch_catch page = HATCH_ON_PAGE(gpa, size, on_note, &pager);
	struct hatch_catch change = HATCH_ON_HYPERCALL(WORLD_EID, on_change, &gpa);

	pool[1][0] = 4;
	pool[1][1] = 0;
	world_of(&w, cacher);
	expect_equal(hatch_guest_add_ram(&w.guest, hatch_gpa_of(gpa), size), 0);
	world_write(&w, gpa, &(uint64_t){ 7 }, 8);
	world_catch(&w, &page);
	world_catch(&w, &change);
	w.vcpu.frame.x[10] = gpa;
	expect_done(&w, 74);
	expect_equal(pager.events, 1);
	expect_equal(pager.last.page.access, HATCH_STORE);
	expect_equal(pool[1][1], 4);
	world_end(&w);
}

static void page_is_exchanged_and_protected(void)
{
	change_under(LAZY, 4 * PAGE);
}

static void large_leaf_is_split(void)
{
	change_under(LAZY, UINT64_C(4) << 20);
}

static enum hatch_verdict on_take_away(void *arg, const struct hatch_event *ev,
				       struct hatch_cont *k)
{
	(void)arg;
	(void)ev;
	expect_equal(hatch_gstage_unmap(&w.guest.stage, hatch_gpa_of(LAZY), PAGE), 0);
	return hatch_resume(k, 0);
}

static void page_is_taken_away(void)
{
	struct pager pager = { .events = 0 };
	struct hatch_catch page = HATCH_ON_PAGE(LAZY, PAGE, on_note, &pager);
	struct hatch_catch take = HATCH_ON_HYPERCALL(WORLD_EID, on_take_away, NULL);

	world_of(&w, cacher);
	expect_equal(hatch_guest_add_ram(&w.guest, hatch_gpa_of(LAZY), PAGE), 0);
	world_catch(&w, &page);
	world_catch(&w, &take);
	w.vcpu.frame.x[10] = LAZY;
	expect_done(&w, 0);
	expect_equal(pager.events, 3); /* a load, two stores */
	world_end(&w);
}

/* ---- the guest's own translation ---------------------------------------------------------- */

#define PTE(gpa, flags) ((gpa) >> 12 << 10 | (flags))
#define PTE_ALL		0xcf
#define ROOT		(WORLD_DATA)

/* Turns Sv39 on with the root at a0, then loads from a1. */
GUEST(translated, "	srli a0, a0, 12\n"
		  "	li t0, 8\n"
		  "	slli t0, t0, 60\n"
		  "	or a0, a0, t0\n"
		  "	csrw satp, a0\n"
		  "	sfence.vma\n"
		  "	ld a0, 0(a1)\n"
		  "	quit\n");

/* The second-level table is in a page that is not there yet, and so is what it points to. */
static void walk_meets_a_missing_page(void)
{
	struct pager pager = { .events = 0 };
	struct hatch_catch page = HATCH_ON_PAGE(LAZY, LAZY_PAGES * PAGE, on_demand, &pager);

	pool[0][5] = PTE(LAZY + 2 * PAGE, 1);
	pool[2][6] = PTE(LAZY + PAGE, PTE_ALL);
	pool[1][0] = 31;
	world_of(&w, translated);
	expect_equal(hatch_guest_add_lazy(&w.guest, hatch_gpa_of(LAZY), LAZY_PAGES * PAGE), 0);
	world_catch(&w, &page);
	world_write(&w, ROOT + 8, &(uint64_t){ PTE(LAZY, 1) }, 8);
	world_write(&w, ROOT + 16, &(uint64_t){ PTE(WORLD_RAM, PTE_ALL) }, 8);
	w.vcpu.frame.x[10] = ROOT;
	w.vcpu.frame.x[11] = (UINT64_C(1) << 30) + (5 << 21) + (6 << 12);
	expect_done(&w, 31);
	expect_equal(pager.events, 3);
	expect(!pager.last.page.walk);
	world_end(&w);
}

static void walk_is_told_from_access(void)
{
	struct pager pager = { .events = 0 };
	struct hatch_catch page = HATCH_ON_PAGE(LAZY, PAGE, on_note, &pager);

	world_of(&w, translated);
	expect_equal(hatch_guest_add_lazy(&w.guest, hatch_gpa_of(LAZY), PAGE), 0);
	page.may = HATCH_MAY_ALL;
	world_catch(&w, &page);
	world_write(&w, ROOT + 8, &(uint64_t){ PTE(LAZY, 1) }, 8);
	world_write(&w, ROOT + 16, &(uint64_t){ PTE(WORLD_RAM, PTE_ALL) }, 8);
	w.vcpu.frame.x[10] = ROOT;
	w.vcpu.frame.x[11] = (UINT64_C(1) << 30) + (5 << 21);
	world_run(&w);
	/* The length of an instruction whose walk faulted is unknown: it cannot be skipped. */
	expect_outcome(&w, HATCH_FAILED);
	expect_equal(w.t.error, HATCH_EVERDICT);
	expect_equal(pager.events, 1);
	expect(pager.last.page.walk);
	expect_equal(pager.last.page.gpa.addr & ~UINT64_C(7), LAZY + 5 * 8);
	world_end(&w);
}

/* ---- many guests -------------------------------------------------------------------------- */

GUEST(reader, "	ld a0, 0(a1)\n"
	      "	quit\n");

static void five_hundred_guests(void)
{
	for (long i = 0; i < 500; i++) {
		world_of(&w, reader);
		world_write(&w, WORLD_DATA, &(uint64_t){ (uint64_t)i }, 8);
		w.vcpu.frame.x[11] = WORLD_DATA;
		expect_done(&w, i);
		world_end(&w);
	}
}

/* Of one generation no VMID may be given twice. */
static void note_vmid(const struct hatch_vcpu *vcpu)
{
	static uint64_t generation, given[(1 << 16) / 64];
	uint64_t bit = UINT64_C(1) << vcpu->vmid % 64;

	if (vcpu->vmid_generation != generation)
		for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++)
			given[i] = 0;
	generation = vcpu->vmid_generation;
	expect_equal(vcpu->vmid >> hatch_hart_facts()->vmid_bits, 0);
	expect(!(given[vcpu->vmid / 64] & bit));
	given[vcpu->vmid / 64] |= bit;
}

/*
 * More vcpus than there are VMIDs, of guests with different memory at the same address: a stale
 * translation would show the other one's number.
 */
static void more_vcpus_than_vmids(void)
{
	static struct world pair[2];
	uint64_t vcpus = (UINT64_C(2) << hatch_hart_facts()->vmid_bits) + 100;

	for (unsigned int i = 0; i < 2; i++) {
		world_of(&pair[i], reader);
		world_write(&pair[i], WORLD_DATA, &(uint64_t){ i + 1 }, 8);
	}
	check_say("%llu vcpus, %u bits of VMID", (unsigned long long)vcpus,
		  hatch_hart_facts()->vmid_bits);
	for (uint64_t n = 0; n < vcpus; n++) {
		struct world *now = &pair[n % 3 % 2];

		expect_equal(hatch_vcpu_init(&now->vcpu, &now->guest), 0);
		world_again(now, 0, WORLD_DATA);
		expect_equal(hatch_try_run(&now->t), HATCH_DONE);
		note_vmid(&now->vcpu);
		check_equal((uint64_t)now->t.status, n % 3 % 2 + 1, __LINE__, "memory");
	}
	world_end(&pair[0]);
	world_end(&pair[1]);
}

static void many_guests_at_once(void)
{
	static struct world many[40];

	for (long round = 0; round < 3; round++)
		for (long i = 0; i < 40; i++) {
			if (round == 0)
				world_of(&many[i], reader);
			world_write(&many[i], WORLD_DATA, &(uint64_t){ (uint64_t)(i + round) }, 8);
			world_again(&many[i], 0, WORLD_DATA);
			expect_done(&many[i], i + round);
		}
	for (unsigned int i = 0; i < 40; i++)
		world_end(&many[i]);
}

int main(void)
{
	static const struct check checks[] = {
		CHECK(pages_on_demand),
		CHECK(store_to_read_only_memory),
		CHECK(page_is_exchanged_and_protected),
		CHECK(large_leaf_is_split),
		CHECK(page_is_taken_away),
		CHECK(walk_meets_a_missing_page),
		CHECK(walk_is_told_from_access),
		CHECK(five_hundred_guests),
		CHECK(more_vcpus_than_vmids),
		CHECK(many_guests_at_once),
	};

	return check_all(checks, sizeof(checks) / sizeof(checks[0]));
}
