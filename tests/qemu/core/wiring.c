/* SPDX-License-Identifier: MIT */
/* The wires of the stock machine: a device's interrupt reaches the guest through the PLIC. */
#include <hatch/board.h>
#include <hatch/handlers/exit.h>

#include "quiet_host.h"
#include "world.h"

static struct world world;
static struct hatch_machine machine;
static struct hatch_sbi_hart hart;

/* The code on a whole machine; it must end itself with this status. */
static void run(const uint8_t *code, const uint8_t *end, long status)
{
	const struct hatch_machine_host host = quiet_host();

	world_bare(&world, code, end);
	hart.vcpu = &world.vcpu;
	world.on_exit = HATCH_ON_HYPERCALL_FUNCTION(WORLD_EID, 0, hatch_on_exit, NULL);
	expect(!hatch_machine_init(&machine, &host, &hart, 1));
	expect(!hatch_machine_enter(&machine, &world.t));
	expect(!hatch_catch_add(&machine.scope, &world.on_exit));
	expect_equal(hatch_try_run(&world.t), HATCH_DONE);
	expect_equal(world.t.status, status);
	hatch_board_timer(UINT64_MAX);
	world_end(&world);
}

/*
 * Common to both: source `irq` enabled in the hart's S context, then waits for it. Ends with what
 * the claim says; after the SBI timer's patience of 1 s with 0. (Polling sip would do, too, but
 * QEMU 7.2 reads it as 0 whatever is pending.)
 */
__asm__("	.macro await irq\n"
	"	li t0, 0x0c000000 + 4 * \\irq\n"
	"	li t1, 1\n"
	"	sw t1, 0(t0)\n"
	"	li t0, 0x0c002080\n"
	"	li t1, 1 << \\irq\n"
	"	sw t1, 0(t0)\n"
	"	rdtime a0\n"
	"	li t1, 10000000\n"
	"	add a0, a0, t1\n"
	"	li a6, 0\n"
	"	li a7, 0x54494d45\n"
	"	ecall\n"
	"	la t0, 8002f\n"
	"	csrw stvec, t0\n"
	"	li t1, 0x220\n"
	"	csrs sie, t1\n"
	"	csrsi sstatus, 2\n"
	"8001:	wfi\n"
	"	j 8001b\n"
	"	.balign 4\n"
	"8002:	li t0, 0x0c201004\n"
	"	lw a0, 0(t0)\n"
	"	li a6, 0\n"
	"	li a7, 0x08544553\n"
	"	ecall\n"
	"	.endm\n");

/* The clock's alarm, 20 ms ahead; the guest sleeps. */
GUEST(sleeper, "	li t0, 0x00101000\n"
	       "	lwu t1, 0(t0)\n"
	       "	lwu t2, 4(t0)\n"
	       "	slli t2, t2, 32\n"
	       "	or t1, t1, t2\n"
	       "	li t2, 20000000\n"
	       "	add t1, t1, t2\n"
	       "	li t2, 1\n"
	       "	sw t2, 0x10(t0)\n"
	       "	srli t2, t1, 32\n"
	       "	sw t2, 0xc(t0)\n"
	       "	sw t1, 8(t0)\n"
	       "	await 11\n");

static void clock_alarm(void)
{
	uint64_t before = hatch_board_ticks();

	run(sleeper, sleeper_end, HATCH_MACHINE_RTC_IRQ);
	/* With Sstc the host's timer is free for it; without, the guest's own tick has to come. */
	if (hatch_hart_facts()->sstc)
		expect(hatch_board_ticks() - before < hatch_board_frequency() / 2);
}

/* The serial port in loopback: a byte sent comes back and interrupts. */
GUEST(talker, "	li t0, 0x10000000\n"
	      "	li t1, 0x18\n"
	      "	sb t1, 4(t0)\n" /* MCR: loopback, OUT2 */
	      "	li t1, 1\n"
	      "	sb t1, 1(t0)\n" /* IER: data available */
	      "	li t1, 0x41\n"
	      "	sb t1, 0(t0)\n"
	      "	await 10\n");

static void serial_loopback(void)
{
	run(talker, talker_end, HATCH_MACHINE_UART_IRQ);
}

int main(void)
{
	static const struct check checks[] = {
		CHECK(clock_alarm),
		CHECK(serial_loopback),
	};

	return check_all(checks, sizeof(checks) / sizeof(checks[0]));
}
