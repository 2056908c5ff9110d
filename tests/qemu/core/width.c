/* SPDX-License-Identifier: MIT */
/* How wide a guest's physical addresses are. */
#include <hatch/board.h>

#include "world.h"

#define PAGE UINT64_C(4096)

static struct world w;
static _Alignas(4096) uint64_t page[512];

static hatch_hpa physical(const void *p)
{
	const struct hatch_memory *memory = hatch_board_memory();

	return memory->physical(memory->arg, p);
}

/* Loads from a1. */
GUEST(reader, "	ld a0, 0(a1)\n"
	      "	quit\n");

static bool has_mode(enum hatch_gstage_mode mode)
{
	uint64_t found;

	csr_write(hgatp, (uint64_t)mode << HGATP_MODE_SHIFT);
	found = csr_read(hgatp) >> HGATP_MODE_SHIFT;
	csr_write(hgatp, 0);
	return found == mode;
}

/* The guest's tables are made anew in the wider mode, with memory far above the other's end. */
static void sv48x4(void)
{
	const uint64_t far = UINT64_C(1) << 45;
	struct hatch_gstage old;

	if (!has_mode(HATCH_SV48X4)) {
		check_say("this machine has no Sv48x4: nothing to check");
		return;
	}
	world_of(&w, reader);
	old = w.guest.stage;
	hatch_gstage_fini(&w.guest.stage);
	expect_equal(hatch_gstage_init(&w.guest.stage, old.memory, HATCH_SV48X4, 0), 0);
	w.guest.stage.fence = old.fence;
	expect_equal(hatch_gstage_map(&w.guest.stage, hatch_gpa_of(WORLD_RAM),
				      physical(w.guest.region[0].host), WORLD_RAM_SIZE,
				      HATCH_PROT_ALL),
		     0);
	page[0] = 48;
	expect_equal(hatch_guest_lend(&w.guest, hatch_gpa_of(far), page, PAGE, HATCH_PROT_READ), 0);
	w.vcpu.frame.x[11] = far;
	expect_done(&w, 48);
	world_end(&w);
}

static void addresses_beyond_sv39x4(void)
{
	if (hatch_hart_facts()->gstage_mode != HATCH_SV39X4)
		return;
	world_of(&w, reader);
	expect_equal(hatch_guest_lend(&w.guest, hatch_gpa_of(UINT64_C(1) << 45), page, PAGE,
				      HATCH_PROT_READ),
		     HATCH_EINVAL);
	w.vcpu.frame.x[11] = UINT64_C(1) << 45;
	world_run(&w);
	expect_outcome(&w, HATCH_UNCAUGHT);
	expect_equal(w.t.event.kind, HATCH_MMIO);
	expect_equal(w.t.event.mmio.gpa.addr, UINT64_C(1) << 45);
	world_end(&w);
}

int main(void)
{
	static const struct check checks[] = {
		CHECK(sv48x4),
		CHECK(addresses_beyond_sv39x4),
	};

	return check_all(checks, sizeof(checks) / sizeof(checks[0]));
}
