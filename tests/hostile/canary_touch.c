/* SPDX-License-Identifier: MIT */
/* Single instructions that reach for memory; what traps has got nothing. */
#include "canary_guest.h"

#define CAUSE_ILLEGAL 2

/* `text` may leave what it got in a0; the address is in a1. */
#define TOUCH(name, text)                                                                          \
	static uint64_t name(uint64_t address)                                                     \
	{                                                                                          \
		register uint64_t value __asm__("a0") = 0;                                         \
		register uint64_t at __asm__("a1") = address;                                      \
                                                                                                   \
		__asm__ volatile("	la t5, 9f\n"                                                    \
				 "	csrw sscratch, t5\n"                                            \
				 "	csrw scause, zero\n" text "\n"                             \
				 "	.balign 4\n"                                                    \
				 "9:	csrw sscratch, zero\n"                                        \
				 : "+r"(value)                                                     \
				 : "r"(at)                                                         \
				 : "t5", "t6", "fa0", "memory");                                   \
		return value;                                                                      \
	}

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

typedef uint64_t touch(uint64_t at);

static uint64_t csr_scause(void)
{
	uint64_t cause;

	__asm__ volatile("csrr %0, scause" : "=r"(cause));
	return cause;
}

static uint64_t csr_stval(void)
{
	uint64_t value;

	__asm__ volatile("csrr %0, stval" : "=r"(value));
	return value;
}

/* ---- Loads ---- */

TOUCH(load_lb, "lb a0, 0(a1)")
TOUCH(load_lbu, "lbu a0, 0(a1)")
TOUCH(load_lh, "lh a0, 0(a1)")
TOUCH(load_lhu, "lhu a0, 0(a1)")
TOUCH(load_lw, "lw a0, 0(a1)")
TOUCH(load_lwu, "lwu a0, 0(a1)")
TOUCH(load_c_lw, "c.lw a0, 0(a1)")
TOUCH(load_ld, "ld a0, 0(a1)")
TOUCH(load_c_ld, "c.ld a0, 0(a1)")
TOUCH(load_flw, "fmv.d.x fa0, zero\n	flw fa0, 0(a1)\n	fmv.x.w a0, fa0")
TOUCH(load_fld, "fmv.d.x fa0, zero\n	fld fa0, 0(a1)\n	fmv.x.d a0, fa0")

static const struct {
	touch *load;
	uint64_t width; /* bytes */
} loads[] = {
	{ load_lb, 1 },	  { load_lbu, 1 }, { load_lh, 2 },   { load_lhu, 2 },
	{ load_lw, 4 },	  { load_lwu, 4 }, { load_c_lw, 4 }, { load_ld, 8 },
	{ load_c_ld, 8 }, { load_flw, 4 }, { load_fld, 8 },
};

/* Eight bytes, by as many loads as that takes. */
uint64_t canary_load(uint64_t at)
{
	uint64_t kind = canary_any(LENGTH(loads)), width = loads[kind].width, value = 0;

	for (uint64_t i = 0; i < 8; i += width) {
		uint64_t got = loads[kind].load(at + i);

		if (width < 8)
			got &= (UINT64_C(1) << 8 * width) - 1;
		value |= got << 8 * i;
	}
	return value;
}

/* ---- Atomics ---- */

TOUCH(lr_w, "lr.w a0, (a1)")
TOUCH(lr_d, "lr.d a0, (a1)")
TOUCH(lr_sc_d, "lr.d a0, (a1)\n	sc.d t5, a0, (a1)")
TOUCH(sc_d, "sc.d t5, zero, (a1)")
TOUCH(amoadd_w, "amoadd.w a0, zero, (a1)")
TOUCH(amoadd_d, "amoadd.d a0, zero, (a1)")
TOUCH(amoor_d, "amoor.d a0, zero, (a1)")
TOUCH(amoxor_d, "amoxor.d.aqrl a0, zero, (a1)")
TOUCH(amomaxu_d, "amomaxu.d a0, zero, (a1)")
TOUCH(amoand_d, "li t5, -1\n	amoand.d a0, t5, (a1)")
TOUCH(amominu_d, "li t5, -1\n	amominu.d a0, t5, (a1)")

uint64_t canary_atomic(uint64_t at)
{
	static touch *const kinds[] = { lr_w,	 lr_d,	   lr_sc_d,  sc_d,	amoadd_w, amoadd_d,
					amoor_d, amoxor_d, amoand_d, amomaxu_d, amominu_d };

	return kinds[canary_any(LENGTH(kinds))](canary_any(8) ? at & ~UINT64_C(7) : at);
}

/* ---- Fetches ---- */

TOUCH(jump, "jr a1")

/* What was fetched shows when it is an instruction that there is not. */
uint64_t canary_fetch(uint64_t at)
{
	/* Of an instruction across the end of RAM the first half is there. */
	*(volatile uint16_t *)(CANARY_RAM_END - 2) = 0xffff;
	if (at + 8 > CANARY_RAM && at < CANARY_RAM_END)
		at = CANARY_RAM_END - 2;
	jump(at & ~UINT64_C(1));
	return csr_scause() == CAUSE_ILLEGAL ? csr_stval() ?: ~UINT64_C(0) : 0;
}

/* ---- A hypervisor's ---- */

#define HYPERVISOR(text) ".option push\n.option arch, +h\n" text "\n.option pop"

TOUCH(hlv_b, HYPERVISOR("hlv.b a0, (a1)"))
TOUCH(hlv_bu, HYPERVISOR("hlv.bu a0, (a1)"))
TOUCH(hlv_h, HYPERVISOR("hlv.h a0, (a1)"))
TOUCH(hlv_hu, HYPERVISOR("hlv.hu a0, (a1)"))
TOUCH(hlv_w, HYPERVISOR("hlv.w a0, (a1)"))
TOUCH(hlv_wu, HYPERVISOR("hlv.wu a0, (a1)"))
TOUCH(hlv_d, HYPERVISOR("hlv.d a0, (a1)"))
TOUCH(hlvx_hu, HYPERVISOR("hlvx.hu a0, (a1)"))
TOUCH(hlvx_wu, HYPERVISOR("hlvx.wu a0, (a1)"))
TOUCH(hsv_d, HYPERVISOR("hsv.d zero, (a1)"))

uint64_t canary_hypervisor(uint64_t at)
{
	static touch *const kinds[] = { hlv_b,	hlv_bu, hlv_h,	 hlv_hu,  hlv_w,
					hlv_wu, hlv_d,	hlvx_hu, hlvx_wu, hsv_d };
	uint64_t value = kinds[canary_any(LENGTH(kinds))](at);

	return csr_scause() == CAUSE_ILLEGAL ? value : value ?: ~UINT64_C(0);
}
