/* SPDX-License-Identifier: MIT */
/*
 * The vcpu's registers between memory and hardware. Everything here touches CSRs.
 */
#include <hatch/csr.h>
#include "apply.h"
#include "hart.h"
#include "offsets.h"
#include "post.h"
#include "remote.h"

static inline void fence_gvma_all(void)
{
	__asm__ volatile(".option push\n.option arch, +h\nhfence.gvma\nhfence.vvma\n.option pop" ::
				 : "memory");
}

/*
 * Gives the vcpu a VMID that no other vcpu has on this hart. They are handed out one after the
 * other; when they are used up all cached translations go and a new generation begins. A VMID
 * is thus never reused with stale translations, and no table of them is shared between harts.
 */
static void take_vmid(struct hatch_hart *hart, struct hatch_vcpu *vcpu)
{
	if (vcpu->vmid_hart == hart && vcpu->vmid_generation == hart->vmid_generation)
		return;
	if (hart->vmid_next >> hart->facts.vmid_bits) {
		hart->vmid_generation++;
		hart->vmid_next = hart->facts.vmid_bits ? 1 : 0;
		fence_gvma_all();
	}
	vcpu->vmid = (uint16_t)hart->vmid_next++;
	vcpu->vmid_hart = hart;
	vcpu->vmid_generation = hart->vmid_generation;
}

static void load_confinement(const struct hatch_hart *hart, const struct hatch_vcpu *vcpu)
{
	csr_write(hedeleg, vcpu->confine.hedeleg);
	csr_write(hideleg, vcpu->confine.hideleg);
	csr_write(hcounteren, vcpu->confine.hcounteren);
	csr_write(htimedelta, vcpu->confine.htimedelta);
	if (hart->facts.henvcfg)
		csr_write(henvcfg, vcpu->confine.henvcfg);
	if (hart->facts.stateen)
		csr_write(hstateen0, HSTATEEN0_SENVCFG);
	csr_write(hgatp, hatch_gstage_hgatp(&vcpu->guest->stage) | (uint64_t)vcpu->vmid
									   << HGATP_VMID_SHIFT);
}

/*
 * From now on fences of the guest's memory reach this hart. What it walked through before is
 * forgotten, for some of it may have been changed since.
 */
static void join_guest(const struct hatch_hart *hart, struct hatch_guest *guest)
{
	uint64_t mask = hatch_harts_mask(hart);

	if ((__atomic_load_n(&guest->harts, __ATOMIC_RELAXED) & mask) == mask)
		return;
	__atomic_fetch_or(&guest->harts, mask, __ATOMIC_SEQ_CST);
	fence_gvma_all();
}

/* What was sent while the vcpu was on no hart; a kick comes as soon as the guest is entered. */
static void read_post(struct hatch_vcpu *vcpu)
{
	hatch_post_take(vcpu);
	if (__atomic_load_n(&vcpu->post.kicked, __ATOMIC_RELAXED))
		csr_set(sip, 1UL << IRQ_S_SOFT);
}

void hatch_vcpu_load(struct hatch_vcpu *vcpu)
{
	struct hatch_hart *hart = hatch_hart_this();
	const struct hatch_vs_csrs *vs = &vcpu->vs;

	take_vmid(hart, vcpu);
	join_guest(hart, vcpu->guest);
	load_confinement(hart, vcpu);
	csr_write(vsstatus, vs->vsstatus);
	csr_write(vsie, vs->vsie);
	csr_write(vstvec, vs->vstvec);
	csr_write(vsscratch, vs->vsscratch);
	csr_write(vsepc, vs->vsepc);
	csr_write(vscause, vs->vscause);
	csr_write(vstval, vs->vstval);
	csr_write(vsatp, vs->vsatp);
	csr_write(scounteren, vs->scounteren);
	if (hart->facts.henvcfg)
		csr_write(senvcfg, vs->senvcfg);
	if (hart->facts.sstc)
		csr_write(vstimecmp, vs->vstimecmp);
	csr_write(hvip, hatch_post_arrive(vcpu, hart));
	vcpu->frame.host_frame = (uint64_t)&hart->frame;
	vcpu->live = true;
	hart->current = vcpu;
	read_post(vcpu);
}

void hatch_vcpu_put(struct hatch_vcpu *vcpu)
{
	struct hatch_hart *hart = hatch_hart_this();
	struct hatch_vs_csrs *vs = &vcpu->vs;

	vs->vsstatus = csr_read(vsstatus);
	vs->vsie = csr_read(vsie);
	vs->vstvec = csr_read(vstvec);
	vs->vsscratch = csr_read(vsscratch);
	vs->vsepc = csr_read(vsepc);
	vs->vscause = csr_read(vscause);
	vs->vstval = csr_read(vstval);
	vs->vsatp = csr_read(vsatp);
	vs->scounteren = csr_read(scounteren);
	if (hart->facts.henvcfg)
		vs->senvcfg = csr_read(senvcfg);
	if (hart->facts.sstc)
		vs->vstimecmp = csr_read(vstimecmp);
	if (vcpu->fp_live)
		hatch_vcpu_fp_save(vcpu);
	vcpu->live = false;
	hart->current = NULL;
	hatch_post_leave(vcpu, csr_read(hvip));
	/* What is left armed would interrupt the host, or the next guest. */
	csr_write(hvip, 0);
	if (hart->facts.sstc)
		csr_write(vstimecmp, -1UL);
}

void hatch_vcpu_fp_save(struct hatch_vcpu *vcpu)
{
	struct hatch_host_fp *host = &hatch_hart_this()->host_fp;

	hatch_fp_store(vcpu);
	vcpu->fp_live = false;
	if (host->used)
		hatch_host_fp_load(host->saved);
	host->used = false;
}

void hatch_vcpu_host_fp_save(struct hatch_host_fp *host)
{
	host->used = csr_read(sstatus) & SSTATUS_FS;
	if (host->used)
		hatch_host_fp_store(host->saved);
}

void hatch_vcpu_host_fp_restore(struct hatch_vcpu *vcpu, const struct hatch_host_fp *host)
{
	if (!host->used)
		return;
	if (vcpu->fp_live)
		hatch_vcpu_fp_save(vcpu);
	hatch_host_fp_load(host->saved);
}

void hatch_vcpu_fp_dirty(void)
{
	csr_set(vsstatus, SSTATUS_FS_DIRTY);
}

int hatch_vcpu_run(struct hatch_vcpu *vcpu)
{
	uint64_t virtual_privilege = vcpu->frame.sstatus & SSTATUS_SPP; /* SPVP is the same bit */
	int code;

	if (!vcpu->fp_live) {
		hatch_fp_load(vcpu);
		vcpu->fp_live = true;
	}
	vcpu->frame.leave = 0;
	vcpu->full = false;
	csr_write(hstatus, vcpu->confine.hstatus | HSTATUS_SPV | virtual_privilege);
	code = hatch_enter(vcpu);
	vcpu->full = true;
	return code;
}

void hatch_vcpu_inject(struct hatch_vcpu *vcpu, uint64_t cause, uint64_t tval)
{
	struct hatch_vs_csrs *vs = &vcpu->vs;

	vs->vsstatus = csr_read(vsstatus);
	vs->vstvec = csr_read(vstvec);
	hatch_apply_exception(&vcpu->frame, vs, cause, tval);
	csr_write(vsstatus, vs->vsstatus);
	csr_write(vsepc, vs->vsepc);
	csr_write(vscause, vs->vscause);
	csr_write(vstval, vs->vstval);
}

/*
 * Firmware that redirects an illegal instruction to the host sets the pc to stvec and clears
 * mstatus.MPV. Where MPV cannot be cleared the pc is stvec, but the hart is still in guest mode: it
 * traps at once, and the registers that told of the first trap are gone.
 */
bool hatch_vcpu_is_lost(const struct hatch_vcpu *vcpu)
{
	return vcpu->frame.pc == (uint64_t)hatch_vector &&
	       !(vcpu->confine.hedeleg & 1UL << CAUSE_ILLEGAL_INSTRUCTION);
}

void hatch_vcpu_trap(struct hatch_trap *trap)
{
	trap->scause = csr_read(scause);
	trap->stval = csr_read(stval);
	trap->htval = csr_read(htval);
	trap->htinst = csr_read(htinst);
}

void hatch_vcpu_set_trap(const struct hatch_trap *trap)
{
	csr_write(scause, trap->scause);
	csr_write(stval, trap->stval);
	csr_write(htval, trap->htval);
	csr_write(htinst, trap->htinst);
}

/* The instruction at the guest's pc, parcel by parcel; 0 when it cannot be read. */
uint32_t hatch_vcpu_fetch(const struct hatch_vcpu *vcpu)
{
	uint16_t low, high = 0;

	if (hatch_fetch_parcel(vcpu->frame.pc, &low))
		return 0;
	if (hatch_insn_length(low) == 4 && hatch_fetch_parcel(vcpu->frame.pc + 2, &high))
		return 0;
	return (uint32_t)high << 16 | low;
}

/*
 * WFI of the host ends, too, with what only the guest has enabled: hie is the other name of vsie
 * (18.2.3), and whether an interrupt can be taken where the hart is does not matter.
 */
bool hatch_vcpu_wait(struct hatch_vcpu *vcpu)
{
	(void)vcpu;
	while (!(csr_read(hip) & csr_read(hie))) {
		if (csr_read(sip) & csr_read(sie))
			return false;
		__asm__ volatile("wfi" ::: "memory");
	}
	return true;
}

uint64_t hatch_vcpu_time(const struct hatch_vcpu *vcpu)
{
	return csr_read(time) + vcpu->confine.htimedelta;
}

/* Takes the vcpu off its hart, if it is on this one. */
static bool unload(struct hatch_vcpu *vcpu)
{
	bool live = vcpu->live;

	if (live)
		hatch_vcpu_put(vcpu);
	else
		hatch_vcpu_calm(vcpu);
	return live;
}

static void reload(struct hatch_vcpu *vcpu, bool live)
{
	if (!live)
		return;
	hatch_vcpu_load(vcpu);
	vcpu->frame.leave = HATCH_ANSWERED;
}

void hatch_vcpu_reset(struct hatch_vcpu *vcpu, hatch_gpa pc, uint64_t a0, uint64_t a1)
{
	bool live = unload(vcpu);

	hatch_vcpu_clear(vcpu, pc, a0, a1);
	reload(vcpu, live);
}

void hatch_vcpu_reset_user(struct hatch_vcpu *vcpu, hatch_gpa pc, uint64_t sp)
{
	uint64_t hart_id = vcpu->hart_id;
	bool live = unload(vcpu);

	hatch_vcpu_clear(vcpu, pc, 0, 0);
	vcpu->hart_id = hart_id;
	vcpu->frame.x[2] = sp;
	vcpu->frame.sstatus = SSTATUS_UXL_64; /* without SPP: VU-mode */
	vcpu->vs.vsstatus |= SSTATUS_FS_CLEAN;
	reload(vcpu, live);
}

int hatch_vcpu_init(struct hatch_vcpu *vcpu, struct hatch_guest *guest)
{
	const struct hatch_hart_facts *facts = hatch_hart_facts();

	if (!vcpu || !guest)
		return HATCH_EINVAL;
	*vcpu = (struct hatch_vcpu){ .guest = guest };
	vcpu->confine.hstatus = HSTATUS_VSXL;
	vcpu->confine.hideleg = HVIP_VSSIP | HVIP_VSTIP | HVIP_VSEIP;
	vcpu->confine.hcounteren = 1 << (CSR_CYCLE & 31) | 1 << (CSR_TIME & 31) |
				   1 << (CSR_INSTRET & 31);
	/* cbo.inval becomes a flush (CBIE = 1): a guest must not uncover what lies below a cache. */
	vcpu->henvcfg = facts->henvcfg & (HENVCFG_STCE | HENVCFG_PBMTE | HENVCFG_CBZE |
					  HENVCFG_CBCFE | (HENVCFG_CBIE & 1 << 4));
	vcpu->confine.henvcfg = vcpu->henvcfg;
	vcpu->confine.htimedelta = -csr_read(time);
	hatch_vcpu_reset(vcpu, hatch_gpa_of(0), 0, 0);
	return 0;
}
