/* SPDX-License-Identifier: MIT */
/* Malicious Linux programs: wild addresses, and instructions of higher modes. */
#include "process_world.h"

/* ---- One instruction ---- */

GUEST(one, "	j one_slot\n"
	   "	.balign 4\n"
	   "one_slot:\n"
	   "	.word 0x13\n"
	   "	li a0, 7\n"
	   "	li a7, 94\n"
	   "	ecall\n");
extern const uint8_t one_slot[];

static long try_instruction(uint32_t encoding)
{
	long status;

	begin(one, one_end);
	memcpy((void *)(uintptr_t)(files.file[1].data + CODE_OFFSET + (one_slot - one)), &encoding,
	       sizeof(encoding));
	status = run(LONG);
	finish();
	return status;
}

static void instructions(void)
{
	static const struct {
		uint32_t encoding;
		long status;
	} cases[] = {
		{ 0x00000013, 7 },   /* nop */
		{ 0xc0102573, 7 },   /* rdtime: it may */
		{ 0x00100073, 133 }, /* ebreak: SIGTRAP */
		{ 0x00000000, 132 }, /* SIGILL, as all below */
		{ 0xc0001073, 132 }, /* unimp */
		{ 0x10200073, 132 }, /* sret */
		{ 0x30200073, 132 }, /* mret */
		{ 0x10500073, 132 }, /* wfi */
		{ 0x12000073, 132 }, /* sfence.vma */
		{ 0x62000073, 132 }, /* hfence.gvma */
		{ 0x60004573, 132 }, /* hlv.b a0, (x0) */
		{ 0x10002573, 132 }, /* csrr a0, sstatus */
		{ 0x18001073, 132 }, /* csrw satp, x0 */
		{ 0x20002573, 132 }, /* csrr a0, vsstatus */
		{ 0x68002573, 132 }, /* csrr a0, hgatp */
		{ 0x30002573, 132 }, /* csrr a0, mstatus */
		{ 0x1002a02f, 139 }, /* lr.w x0, (t0): address 0 */
		{ 0x00003503, 139 }, /* ld a0, 0(x0) */
		{ 0x00a03023, 139 }, /* sd a0, 0(x0) */
		{ 0x00000067, 139 }, /* jr x0 */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		long status = try_instruction(cases[i].encoding);

		check_that(status == cases[i].status, __LINE__, "0x%08x ended with %ld, not %ld",
			   (unsigned int)cases[i].encoding, status, cases[i].status);
	}
}

/* ---- Wild addresses ---- */

GUEST(wild, "	la t0, wild_address\n"
	    "	ld t0, 0(t0)\n"
	    "	.balign 4\n"
	    "wild_slot:\n"
	    "	.word 0\n"
	    "	li a0, 7\n"
	    "	li a7, 94\n"
	    "	ecall\n"
	    "	.balign 8\n"
	    "wild_address:\n"
	    "	.dword 0\n");
extern const uint8_t wild_slot[], wild_address[];

static void try_address(uint64_t address, uint32_t encoding)
{
	uint8_t *code;
	long status;

	begin(wild, wild_end);
	code = (uint8_t *)(uintptr_t)(files.file[1].data + CODE_OFFSET);
	memcpy(code + (wild_slot - wild), &encoding, sizeof(encoding));
	memcpy(code + (wild_address - wild), &address, sizeof(address));
	status = run(LONG);
	check_that(status == 139, __LINE__, "0x%08x at 0x%llx ended with %ld",
		   (unsigned int)encoding, (unsigned long long)address, status);
	finish();
}

static void wild_addresses(void)
{
	static const uint64_t addresses[] = {
		0,
		1,
		0x80200000, /* the host's own program, and a device */
		0x10000000,
		HATCH_PROCESS_END,
		HATCH_PROCESS_END + 8,
		UINT64_C(1) << 38,
		UINT64_C(1) << 39,
		UINT64_C(1) << 40,
		UINT64_C(1) << 41,
		UINT64_C(1) << 63,
		UINT64_MAX - 7,
	};
	static const uint32_t instructions[] = {
		0x0002b503, /* ld a0, 0(t0) */
		0x00a2b023, /* sd a0, 0(t0) */
		0x00028067, /* jr t0 */
		0x00028503, /* lb a0, 0(t0) */
		0x0002b507, /* fld fa0, 0(t0) */
	};

	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		for (size_t n = 0; n < sizeof(instructions) / sizeof(instructions[0]); n++)
			try_address(addresses[i], instructions[n]);
	try_address((uintptr_t)check_canary(), instructions[0]);
	try_address(CODE, instructions[1]);		      /* write to code */
	try_address(DATA, instructions[2]);		      /* execute data */
	try_address(HATCH_PROCESS_END - 16, instructions[2]); /* or the stack */
}

int main(void)
{
	static const struct check checks[] = {
		CHECK(instructions),
		CHECK(wild_addresses),
	};

	return check_all(checks, sizeof(checks) / sizeof(checks[0]));
}
