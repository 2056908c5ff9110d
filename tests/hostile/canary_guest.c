/* SPDX-License-Identifier: MIT */
/*
 * A guest that looks for what is not its own by every path that there is, and reports each byte
 * that it got (canary.c).
 */
#include "canary_guest.h"

#define ECALL 0x73

static uint64_t state;
static struct canary_log *const log = (struct canary_log *)CANARY_LOG;
static const struct canary_orders *const orders = (const struct canary_orders *)CANARY_ORDERS;

/* A trap goes to where sscratch says, in the middle of a try; any other ends the guest. */
uint64_t canary_runtime_vector;
extern const char canary_vector[];
__asm__("	.text\n"
	"	.balign 4\n"
	"canary_vector:\n"
	"	csrr t6, sscratch\n"
	"	beqz t6, 1f\n"
	"	csrw sepc, t6\n"
	"	sret\n"
	"1:	la t6, canary_runtime_vector\n"
	"	ld t6, (t6)\n"
	"	jr t6\n");

/* A legacy call that cannot read its mask traps as a load of that address would. */
uint64_t hatch_guest_trap(uint64_t cause, uint64_t pc, uint64_t tval)
{
	(void)tval;
	if (*(const volatile uint32_t *)pc != ECALL)
		hatch_guest_exit(128 + (int64_t)(cause & 0x3f));
	return pc + 4;
}

uint64_t canary_any_bits(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * UINT64_C(0x2545f4914f6cdd1d);
}

uint64_t canary_any(uint64_t below)
{
	return (canary_any_bits() >> 20) % below;
}

/* ---- Addresses ---- */

static uint64_t any_edge(uint64_t edge)
{
	return edge - 8 + canary_any(16);
}

/* With bits that no address has, shifted, or beyond an end. */
static uint64_t any_strange(uint64_t at)
{
	switch (canary_any(7)) {
	case 0:
		return at | UINT64_C(1) << (32 + canary_any(32));
	case 1:
		return at | ~UINT64_C(0) << (32 + canary_any(32));
	case 2:
		return canary_any(2) ? at << canary_any(16) : at >> canary_any(16);
	case 3:
		return any_edge(canary_any(2) ? CANARY_RAM : CANARY_RAM_END);
	case 4:
		return CANARY_RAM_END + canary_any(0x200000);
	case 5:
		return canary_any(2) ? -canary_any(0x10000) : CANARY_RAM - canary_any(0x10000);
	default:
		return canary_any_bits() >> canary_any(64);
	}
}

struct canary_target canary_target(void)
{
	uint64_t bait = canary_any(orders->baits), size = orders->bait[bait].size;
	uint64_t at = orders->bait[bait].address + canary_any(size);

	if (canary_any(2))
		at &= ~UINT64_C(7);
	if (canary_any(2) && at - orders->bait[bait].address <= size - 8)
		return (struct canary_target){ at, true };
	if (canary_any(4))
		return (struct canary_target){ any_strange(at), false };
	at = orders->bait[bait].address;
	return (struct canary_target){ any_edge(canary_any(2) ? at : at + size), false };
}

struct canary_target canary_target_outside(void)
{
	struct canary_target target;

	do
		target = canary_target();
	while (target.at + 8 > CANARY_RAM && target.at < CANARY_EDGE);
	return target;
}

/* ---- The log ---- */

void canary_log_bytes(const volatile void *bytes, uint64_t size)
{
	const volatile uint8_t *from = bytes;

	if (log->used + size > CANARY_LOG_BYTES)
		hatch_guest_exit(-1);
	while (size--)
		log->bytes[log->used++] = *from++;
}

void canary_log_value(uint64_t value)
{
	canary_log_bytes(&value, sizeof(value));
}

void canary_got(uint64_t value, bool foreign)
{
	canary_log_value(value);
	log->foreign += foreign && value;
}

/* Reports, and writes down what the registers hold then. */
__attribute__((noinline)) static void report(void)
{
	register uint64_t *to __asm__("s2") = log->registers;
	register uint64_t function __asm__("a6") = CANARY_REPORT,
				   extension __asm__("a7") = CANARY_EID;

	__asm__ volatile("	ecall\n"
			 "	.irp n, "
			 "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,"
			 "27,28,29,30,31\n"
			 "	sd x\\n, 8 * \\n(%0)\n"
			 "	.endr\n"
			 "	.irp n, "
			 "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,"
			 "27,28,29,30,31\n"
			 "	fsd f\\n, 256 + 8 * \\n(%0)\n"
			 "	.endr\n"
			 "	.macro keep_csr name, offset\n"
			 "	csrr t0, \\name\n"
			 "	sd t0, \\offset(%0)\n"
			 "	.endm\n"
			 "	keep_csr sscratch, 512\n"
			 "	keep_csr sepc, 520\n"
			 "	keep_csr scause, 528\n"
			 "	keep_csr stval, 536\n"
			 "	keep_csr satp, 544\n"
			 "	keep_csr sie, 552\n"
			 "	keep_csr sip, 560\n"
			 "	keep_csr senvcfg, 568\n"
			 "	keep_csr scounteren, 576\n"
			 "	keep_csr fcsr, 584\n"
			 :
			 : "r"(to), "r"(function), "r"(extension)
			 : "a0", "a1", "t0", "memory");
}

/* ---- The paths ---- */

static void try_load(void)
{
	struct canary_target target = canary_target();

	canary_got(canary_load(target.at), target.foreign);
}

static void try_atomic(void)
{
	struct canary_target target = canary_target_outside();

	canary_got(canary_atomic(target.at), target.foreign);
}

static void try_fetch(void)
{
	struct canary_target target = canary_target_outside();

	canary_got(canary_fetch(target.at), true);
}

static void try_hypervisor(void)
{
	canary_got(canary_hypervisor(canary_target().at), true);
}

/* Each batch is of one of these lines: how many tries of a path there are comes from both. */
static const struct {
	enum canary_path path;
	uint64_t batch;
	void (*run)(void);
} lines[] = {
	{ CANARY_LOADS, 256, try_load },	   { CANARY_LOADS, 256, try_load },
	{ CANARY_LOADS, 256, try_load },	   { CANARY_LOADS, 256, try_load },
	{ CANARY_ATOMICS, 128, try_atomic },	   { CANARY_FETCHES, 128, try_fetch },
	{ CANARY_HYPERVISOR, 64, try_hypervisor }, { CANARY_LEAVES, 128, canary_try_leaf },
	{ CANARY_LEAVES, 128, canary_try_leaf },   { CANARY_LEAVES, 128, canary_try_leaf },
	{ CANARY_WALKS, 128, canary_try_walk },	   { CANARY_WALKS, 128, canary_try_walk },
	{ CANARY_ROOTS, 16, canary_try_root },	   { CANARY_CONSOLE, 64, canary_try_console },
	{ CANARY_CALLS, 64, canary_try_call },	   { CANARY_DISK, 16, canary_try_disk },
	{ CANARY_SERIAL, 16, canary_try_serial },
};

static void run_batch(void)
{
	uint64_t line;

	do
		line = canary_any(sizeof(lines) / sizeof(lines[0]));
	while (orders->without == lines[line].path);
	log->path = lines[line].path;
	log->tries = lines[line].batch;
	log->used = log->foreign = 0;
	for (uint64_t i = 0; i < lines[line].batch; i++)
		lines[line].run();
	report();
}

int main(void)
{
	uint64_t done = 0;

	state = orders->seed;
	__asm__ volatile("csrrw %0, stvec, %1\n"
			 "csrw sscratch, zero\n"
			 "csrs sstatus, %2" /* FS, SUM */
			 : "=&r"(canary_runtime_vector)
			 : "r"(canary_vector), "r"(0x46000UL));
	while (done < orders->goal) {
		run_batch();
		done += log->tries;
	}
	return 0;
}
