/* SPDX-License-Identifier: MIT */
/*
 * What handlers reach of the guest in the hardware: its memory by hlv and hsv (18.3.1), its
 * floating-point registers.
 */
#include <hatch/access.h>
#include <hatch/csr.h>
#include "hart.h"
#include "offsets.h"

/*
 * One access. While it tries, a trap goes to the line behind; `failed` is then still 1. Traps
 * write sstatus and hstatus, which are the guest's until it goes on: `guarded` keeps them.
 */
#define attempt(insn, value, at)                                                                   \
	({                                                                                         \
		unsigned long failed_ = 1, vector_;                                                \
		__asm__ volatile("	.option push\n"                                                 \
				 "	.option arch, +h\n"                                             \
				 "	la %1, 1f\n"                                                    \
				 "	csrrw %1, stvec, %1\n"                                          \
				 "	" insn " %2, (%3)\n"                                       \
				 "	li %0, 0\n"                                                     \
				 "	.balign 4\n"                                                    \
				 "1:	csrw stvec, %1\n"                                             \
				 "	.option pop\n"                                                  \
				 : "+&r"(failed_), "=&r"(vector_), "+&r"(value)                    \
				 : "r"(at)                                                         \
				 : "memory");                                                      \
		failed_;                                                                           \
	})

static unsigned long load(uint64_t at, unsigned int width, uint64_t *value)
{
	switch (width) {
	case 1:
		return attempt("hlv.bu", *value, at);
	case 2:
		return attempt("hlv.hu", *value, at);
	case 4:
		return attempt("hlv.wu", *value, at);
	default:
		return attempt("hlv.d", *value, at);
	}
}

static unsigned long store(uint64_t at, unsigned int width, uint64_t *value)
{
	switch (width) {
	case 1:
		return attempt("hsv.b", *value, at);
	case 2:
		return attempt("hsv.h", *value, at);
	case 4:
		return attempt("hsv.w", *value, at);
	default:
		return attempt("hsv.d", *value, at);
	}
}

/*
 * Makes the trap of hlv or hsv that of the guest's own access. An htinst that describes our
 * instruction would mislead. And QEMU 7.2 takes the kind of a fault from the host's satp: with
 * translation off there, a page fault is called an access fault. A guest with translation on has
 * no other: what the G-stage lets it reach is memory.
 */
static void mend(struct hatch_trap *trap)
{
	if (!hatch_htinst_is_pseudo(trap->htinst))
		trap->htinst = 0;
	if (!csr_read(vsatp))
		return;
	if (trap->scause == CAUSE_LOAD_ACCESS)
		trap->scause = CAUSE_LOAD_PAGE_FAULT;
	if (trap->scause == CAUSE_STORE_ACCESS)
		trap->scause = CAUSE_STORE_PAGE_FAULT;
}

/*
 * The access with the guest's privilege: that of the trap which the continuation is of, whatever
 * other guests ran since.
 */
static int guarded(const struct hatch_cont *k, bool write, uint64_t at, unsigned int width,
		   uint64_t *value, struct hatch_trap *trap)
{
	uint64_t hstatus = csr_read(hstatus), sstatus = csr_read(sstatus);
	unsigned long failed;

	csr_write(hstatus, (hstatus & ~HSTATUS_SPVP) | (hatch_cont_is_user(k) ? 0 : HSTATUS_SPVP));
	failed = write ? store(at, width, value) : load(at, width, value);
	if (failed)
		hatch_vcpu_trap(trap);
	csr_write(hstatus, hstatus);
	csr_write(sstatus, sstatus);
	if (failed)
		mend(trap);
	return failed ? HATCH_EFAULT : 0;
}

static int check(const struct hatch_cont *k, unsigned int width)
{
	if (width != 1 && width != 2 && width != 4 && width != 8)
		return HATCH_EINVAL;
	return k->vcpu->live && hatch_hart_this()->current == k->vcpu ? 0 : HATCH_ESTALE;
}

int hatch_cont_load(const struct hatch_cont *k, hatch_gva at, unsigned int width, uint64_t *value,
		    struct hatch_trap *trap)
{
	int error = check(k, width);
	uint64_t byte = 0, whole = 0;

	if (!error && !(at.addr & (width - 1)))
		return guarded(k, false, at.addr, width, value, trap);
	for (unsigned int i = 0; i < width && !error; i++) {
		error = guarded(k, false, at.addr + i, 1, &byte, trap);
		whole |= error ? 0 : byte << 8 * i;
	}
	if (!error)
		*value = whole;
	return error;
}

int hatch_cont_store(const struct hatch_cont *k, hatch_gva at, unsigned int width, uint64_t value,
		     struct hatch_trap *trap)
{
	int error = check(k, width);

	if (!error && !(at.addr & (width - 1)))
		return guarded(k, true, at.addr, width, &value, trap);
	for (unsigned int i = 0; i < width && !error; i++, value >>= 8)
		error = guarded(k, true, at.addr + i, 1, &value, trap);
	return error;
}

static uint64_t fp_state(const struct hatch_vcpu *vcpu)
{
	return (vcpu->live ? csr_read(vsstatus) : vcpu->vs.vsstatus) & SSTATUS_FS;
}

/*
 * Brings the registers into memory, once for each event. The guest's next entry loads them
 * again, which the fast path would not do: `leave`.
 */
static int fp_reach(struct hatch_vcpu *vcpu)
{
	if (!fp_state(vcpu))
		return HATCH_ENOTSUP;
	if (vcpu->fp_live) {
		hatch_vcpu_fp_save(vcpu);
		vcpu->frame.leave = HATCH_ANSWERED;
	}
	return 0;
}

static void fp_dirty(struct hatch_vcpu *vcpu)
{
	if (vcpu->live)
		hatch_vcpu_fp_dirty();
	else
		vcpu->vs.vsstatus |= SSTATUS_FS_DIRTY;
}

int hatch_cont_get_f(struct hatch_cont *k, unsigned int n, uint64_t *value)
{
	int error = n < 32 ? fp_reach(k->vcpu) : HATCH_EINVAL;

	if (!error)
		*value = k->vcpu->fp[n];
	return error;
}

int hatch_cont_set_f(struct hatch_cont *k, unsigned int n, uint64_t value)
{
	int error = n < 32 ? fp_reach(k->vcpu) : HATCH_EINVAL;

	if (error)
		return error;
	k->vcpu->fp[n] = value;
	fp_dirty(k->vcpu);
	return 0;
}

int hatch_cont_get_fcsr(struct hatch_cont *k, uint64_t *fcsr)
{
	int error = fp_reach(k->vcpu);

	if (!error)
		*fcsr = k->vcpu->fcsr;
	return error;
}

int hatch_cont_set_fcsr(struct hatch_cont *k, uint64_t fcsr)
{
	int error = fp_reach(k->vcpu);

	if (error)
		return error;
	k->vcpu->fcsr = fcsr & 0xff;
	fp_dirty(k->vcpu);
	return 0;
}
