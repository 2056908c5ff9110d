/* SPDX-License-Identifier: MIT */
/*
 * A vcpu: the registers of a program that runs inside a try.
 */
#ifndef HATCH_VCPU_H
#define HATCH_VCPU_H

#include <hatch/guest.h>
#include <hatch/lock.h>

struct hatch_hart;

/*
 * What hatch_enter (src/core/enter.S) saves and loads.
 *
 * The journey: hatch_enter parks the host's stack pointer here and loads x[]. On a trap the
 * return half stores the caller-saved registers and asks the fast path; only when the fast path
 * declines are the callee-saved ones stored too (`full`) and the host's stack taken up again.
 * The offsets are known to the assembly and proved in src/core/offsets.c.
 */
struct hatch_frame {
	uint64_t x[32]; /* x[0] is kept 0 */
	uint64_t pc;
	uint64_t sstatus; /* of the moment of the trap: SPP tells VS from VU */
	uint64_t host_sp;
	uint64_t host_tp;
	uint64_t
		host_frame; /* where a trap of the host itself saves its registers; 0: this is it */
	uint64_t leave;	    /* not 0: the fast path must not go straight back to the guest */
};

/* The CSRs that the guest owns while it runs (18.2.11 to 18.2.18, and the two it shares). */
struct hatch_vs_csrs {
	uint64_t vsstatus, vsie, vstvec, vsscratch, vsepc, vscause, vstval, vsatp;
	uint64_t vstimecmp;
	uint64_t scounteren, senvcfg;
};

/* How the guest is confined: chosen by hatch_try from what its clauses ask for. */
struct hatch_confinement {
	uint64_t hstatus, hedeleg, hideleg, hcounteren, henvcfg;
	uint64_t htimedelta; /* guest time = host time + htimedelta, ticks */
};

enum hatch_fence_kind {
	HATCH_FENCE_I,	  /* FENCE.I */
	HATCH_FENCE_VMA,  /* SFENCE.VMA of addresses, all address spaces */
	HATCH_FENCE_ASID, /* SFENCE.VMA of addresses, one address space */
};

/* What a vcpu's hart is to forget before the guest's next instruction there. */
struct hatch_fence {
	enum hatch_fence_kind kind;
	hatch_gva start;
	uint64_t size; /* bytes; UINT64_MAX: the whole address space; 0: nothing */
	uint64_t asid;
};

/*
 * What other harts have for a vcpu. Its own hart takes it ahead of the guest's next instruction;
 * who fills an empty one sends that hart an interrupt, so that there will be one soon.
 * Invariants: `lock` guards all of it, the vcpu's `hart`, and `hvip` while that is NULL; `full` is
 * true exactly while there is something; `raise` and `lower` have no bit in common, and are 0 while
 * the vcpu is on no hart; `taken` reaches `sent` when the fences were obeyed.
 */
struct hatch_post {
	struct hatch_lock lock;
	bool full;   /* read without the lock; a kick does not count */
	bool kicked; /* the next run ends at its start, or this one soon */
	bool away;   /* its hart will look here before the guest goes on: see hatch_post_away */
	bool fence_i, fence_vma;
	uint64_t raise, lower;	/* HVIP_VSSIP, ... */
	struct hatch_fence vma; /* with fence_vma: several that differ have become one for all */
	uint64_t sent, taken;
};

/*
 * Invariants: while the vcpu is current on a hart the hardware holds vs, hvip and fp, and the
 * copies here are stale; hatch_vcpu_put makes them true again. `hart` is where it is current;
 * only `post` may be touched by other harts then. `fp_live` tells where the
 * floating-point registers are: in the hardware (true) or in fp[] (false).
 */
struct hatch_vcpu {
	struct hatch_frame frame; /* first: the assembly takes a vcpu for its frame */
	struct hatch_guest *guest;
	struct hatch_try *running; /* the try that runs it now, or NULL */
	struct hatch_confinement confine;
	struct hatch_vs_csrs vs;
	uint64_t hvip;
	uint64_t hart_id; /* what the guest is told in a0 */
	uint64_t fp[32];
	uint64_t fcsr;
	uint64_t vmid_generation; /* 0: none; else the hart's count when vmid was given */
	const void *vmid_hart;	  /* the hart that gave it */
	uint64_t henvcfg;	  /* what confine.henvcfg is when no clause asks for a CSR */
	uint16_t vmid;
	bool live; /* current on a hart */
	bool fp_live;
	bool full;		 /* the frame holds all registers, not only the caller-saved ones */
	struct hatch_hart *hart; /* on which it is current, or NULL */
	struct hatch_post post;
	/*
	 * NULL, or told on the sender's hart when an interrupt is raised for the vcpu, or it is
	 * kicked, while it is on no hart: whoever gives it one may have been waiting for that. The
	 * sender may hold locks: take none that is held when interrupts are raised. Set it while
	 * nobody sends anything.
	 */
	void (*woken)(void *arg);
	void *woken_arg;
};

/*
 * Prepares a vcpu of `guest`: registers 0, guest time starts at 0. The guest is borrowed.
 * Errors: HATCH_EINVAL.
 */
int hatch_vcpu_init(struct hatch_vcpu *vcpu, struct hatch_guest *guest);

/*
 * Sets the vcpu to begin at `pc` (guest-physical, translation off) in VS-mode with a0 and a1 as
 * the boot protocol wants them: hart id and the device tree's guest-physical address.
 * Everything else is as after a reset; guest time goes on. Interrupts that are pending go, but for
 * HVIP_VSEIP, which is the interrupt controller's wire; in a handler of its own run they all stay,
 * since other harts may raise them at any moment.
 */
void hatch_vcpu_reset(struct hatch_vcpu *vcpu, hatch_gpa pc, uint64_t a0, uint64_t a1);

/*
 * Sets the vcpu to begin at `pc` in VU-mode (18.4) with sp as its stack pointer, all other
 * registers 0, floating point on, translation off: a guest-virtual address is the guest-physical
 * one. There is no VS-mode below it: register clauses for system calls, faults, illegal
 * instructions and breakpoints, or they are delegated to an address 0 where nothing is.
 */
void hatch_vcpu_reset_user(struct hatch_vcpu *vcpu, hatch_gpa pc, uint64_t sp);

/*
 * Raises or lowers virtual interrupts, HVIP_VSSIP, HVIP_VSTIP, HVIP_VSEIP or-ed (18.2.3). From any
 * hart, whether the vcpu runs or not; of several harts that raise and lower the same bit, a lock
 * of theirs decides the order.
 */
void hatch_vcpu_raise(struct hatch_vcpu *vcpu, uint64_t hvip);
void hatch_vcpu_lower(struct hatch_vcpu *vcpu, uint64_t hvip);

/*
 * Has the vcpu forget cached translations, or instructions, of its guest. In two steps, so that
 * several harts can be told before any is waited for: hatch_vcpu_fence_send returns a number, and
 * when hatch_vcpu_fence_await(vcpu, number) comes back the fence is in force. A vcpu that is on no
 * hart obeys before it runs again, and is not waited for. The wait is for another hart to leave its
 * guest, and serves other harts' fences meanwhile: hold no lock that a handler takes.
 */
uint64_t hatch_vcpu_fence_send(struct hatch_vcpu *vcpu, const struct hatch_fence *fence);
void hatch_vcpu_fence_await(struct hatch_vcpu *vcpu, uint64_t number);

/*
 * Ends the vcpu's run with the event HATCH_INTERRUPT, IRQ_S_SOFT; of one that does not run, the
 * next run at its start. From any hart. Several kicks may become one event.
 */
void hatch_vcpu_kick(struct hatch_vcpu *vcpu);

/*
 * For a handler of the vcpu's own try: idles the hart until an interrupt that the guest has
 * enabled in vsie is pending for the vcpu (true), or one is for the host (false): then retry, so
 * that it can be taken. Answers at once where that is so already.
 */
bool hatch_vcpu_wait(struct hatch_vcpu *vcpu);

/*
 * Of a vcpu that is on no hart: the host time, ticks, from which on an interrupt is pending that it
 * has enabled in vsie. 0: one is. HATCH_NEVER: only when another is raised (see `woken`).
 */
uint64_t hatch_vcpu_due(struct hatch_vcpu *vcpu);

/* The host's time, ticks, at a time of the guest's clock; HATCH_NEVER when it is beyond what fits. */
uint64_t hatch_vcpu_host_ticks(const struct hatch_vcpu *vcpu, uint64_t guest_ticks);

/*
 * The guest's clock, ticks. Read it within a handler or between two runs.
 */
uint64_t hatch_vcpu_time(const struct hatch_vcpu *vcpu);

#endif
