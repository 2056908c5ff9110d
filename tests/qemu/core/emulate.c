/* SPDX-License-Identifier: MIT */
/* The stock machine around a guest whose CPU lacks Zbb: what is computed, what is handed back. */
#include <string.h>

#include <libfdt.h>

#include <hatch/board.h>
#include <hatch/handlers/exit.h>

#include "quiet_host.h"
#include "world.h"

static struct world w;
static struct hatch_machine machine;
static struct hatch_sbi_hart hart[2];

static const struct hatch_machine_host *host(void)
{
	static struct hatch_machine_host the;

	the = quiet_host();
	return &the;
}

/* s0: andn; s1: the cause of an illegal instruction. a1: the device tree, kept in s2. */
GUEST(newer, "	.option norvc\n"
	     "	mv s2, a1\n"
	     "	la t0, 1f\n"
	     "	csrw stvec, t0\n"
	     "	li a0, 0xff\n"
	     "	li a1, 0x0f\n"
	     "	.word 0x40b57433\n" /* andn s0, a0, a1 */
	     "	.word 0\n"
	     "	.balign 4\n"
	     "1:	csrr s1, scause\n"
	     "	li a0, 0\n"
	     "	quit\n");

static void begin(void)
{
	world_bare(&w, newer, newer_end);
	for (unsigned int i = 0; i < 2; i++)
		hart[i].vcpu = &w.vcpu;
	expect_equal(hatch_machine_init(&machine, host(), hart, 1), 0);
	w.on_exit = HATCH_ON_EXIT();
}

static void run(void)
{
	expect_equal(hatch_machine_enter(&machine, &w.t), 0);
	expect_equal(hatch_catch_add(&machine.scope, &w.on_exit), 0);
	expect_equal(hatch_try_run(&w.t), HATCH_DONE);
	expect_equal(w.vcpu.frame.x[9], CAUSE_ILLEGAL_INSTRUCTION);
	hatch_board_timer(UINT64_MAX);
}

static void computed(void)
{
	begin();
	expect_equal(hatch_machine_emulate(&machine, "zbs,zbb"), 0);
	run();
	expect_equal(w.vcpu.frame.x[8], 0xf0);
	expect_equal(hatch_emulator_total(&machine.emulator), 1);
	world_end(&w);
}

/* Without the call nothing is different: the guest has both instructions for itself. */
static void not_asked_for(void)
{
	begin();
	expect_equal(hatch_machine_emulate(&machine, NULL), 0);
	w.vcpu.frame.x[8] = 5;
	run();
	expect_equal(w.vcpu.frame.x[8], 5);
	expect(w.vcpu.confine.hedeleg >> CAUSE_ILLEGAL_INSTRUCTION & 1);
	world_end(&w);
}

static bool is_told_of(const void *fdt, const char *extension)
{
	int node = fdt_path_offset(fdt, "/cpus/cpu@0"), size;
	const char *list = fdt_getprop(fdt, node, "riscv,isa-extensions", &size);
	const char *isa = fdt_getprop(fdt, node, "riscv,isa", NULL);

	return list && isa && fdt_stringlist_contains(list, size, extension) &&
	       strstr(isa, extension);
}

/* Both of the tree's properties tell of what is emulated, and of nothing more. */
static void told(void)
{
	struct hatch_source program =
		hatch_source_memory(newer, (size_t)(newer_end - newer), "program");
	const struct hatch_boot boot = { .payload = &program };
	size_t size = HATCH_PAGE_SIZE;
	const void *fdt;

	world_bare(&w, newer, newer_end);
	hatch_guest_fini(&w.guest);
	expect_equal(hatch_guest_init(&w.guest, hatch_board_memory()), 0);
	expect_equal(hatch_guest_add_ram(&w.guest, hatch_gpa_of(WORLD_RAM), 8 << 20), 0);
	hart[0].vcpu = &w.vcpu;
	expect_equal(hatch_machine_init(&machine, host(), hart, 1), 0);
	expect_equal(hatch_machine_emulate(&machine, "zbb"), 0);
	expect_equal(hatch_machine_boot(&machine, &boot), 0);
	fdt = hatch_guest_pointer(&w.guest, hatch_gpa_of(w.vcpu.frame.x[11]), &size,
				  HATCH_PROT_READ);
	expect(fdt && is_told_of(fdt, "zbb") && !is_told_of(fdt, "zbs"));
	world_end(&w);
}

static void refused(void)
{
	begin();
	expect_equal(hatch_machine_emulate(&machine, "zbx"), HATCH_ENOENT);
	expect_equal(hatch_machine_emulate(&machine, "zbb,zacas"), HATCH_ENOTSUP);
	expect_equal(machine.emulator.ops, 0);
	expect_equal(hatch_machine_emulate(&machine, "zbb"), 0);
	expect_equal(hatch_machine_emulate(&machine, "zba"), HATCH_EBUSY);
	expect_equal(hatch_machine_emulate(&machine, NULL), 0);
	world_end(&w);
}

int main(void)
{
	static const struct check checks[] = {
		CHECK(computed),
		CHECK(not_asked_for),
		CHECK(told),
		CHECK(refused),
	};

	return check_all(checks, sizeof(checks) / sizeof(checks[0]));
}
