/* SPDX-License-Identifier: MIT */
/*
 * The door: guest entry is a call that returns, and the trap vector is its return half.
 *
 * While the guest runs, sscratch holds its vcpu; while the host runs, the hart's own frame. The
 * vector therefore always finds a place for the registers in sscratch, and a trap of the host
 * never touches what a guest left behind. The hart's frame has no host_frame: that tells the
 * two apart. (hstatus.SPV would too, if all traps came from the hardware; but firmware that
 * redirects an illegal instruction of the host leaves SPV as the guest's last trap had set it.
 * The long road checks SPV all the same.)
 *
 * The road of an exit has two lengths. A hypercall stores only the registers that the C calling
 * convention lets a function destroy, asks hatch_fast_hypercall, and if that says "went on"
 * loads them again and is back: s0 to s11 stayed where they were, in the registers. Only if the
 * fast path declines are they stored as well, and hatch_enter returns to its caller.
 *
 * gp belongs to nobody in the host (no __global_pointer$, no relaxation): it is treated like s0.
 *
 * Privileged ISA 20240411, 18.2.1 (hstatus), 18.6 (traps).
 */
#include <hatch/csr.h>
#include "host_stack.inc"
#include "offsets.h"

#define STACK_SIZE 128
#define STACK_VCPU 112

	.macro each_caller_saved op
	\op	ra, FRAME_X(1)(a0)
	\op	sp, FRAME_X(2)(a0)
	\op	tp, FRAME_X(4)(a0)
	\op	t1, FRAME_X(6)(a0)
	\op	t2, FRAME_X(7)(a0)
	\op	a1, FRAME_X(11)(a0)
	\op	a2, FRAME_X(12)(a0)
	\op	a3, FRAME_X(13)(a0)
	\op	a4, FRAME_X(14)(a0)
	\op	a5, FRAME_X(15)(a0)
	\op	a6, FRAME_X(16)(a0)
	\op	a7, FRAME_X(17)(a0)
	\op	t3, FRAME_X(28)(a0)
	\op	t4, FRAME_X(29)(a0)
	\op	t5, FRAME_X(30)(a0)
	\op	t6, FRAME_X(31)(a0)
	.endm

	.macro each_callee_saved op
	\op	gp, FRAME_X(3)(a0)
	\op	s0, FRAME_X(8)(a0)
	\op	s1, FRAME_X(9)(a0)
	\op	s2, FRAME_X(18)(a0)
	\op	s3, FRAME_X(19)(a0)
	\op	s4, FRAME_X(20)(a0)
	\op	s5, FRAME_X(21)(a0)
	\op	s6, FRAME_X(22)(a0)
	\op	s7, FRAME_X(23)(a0)
	\op	s8, FRAME_X(24)(a0)
	\op	s9, FRAME_X(25)(a0)
	\op	s10, FRAME_X(26)(a0)
	\op	s11, FRAME_X(27)(a0)
	.endm

	.text

/* int hatch_enter(struct hatch_vcpu *vcpu): runs the guest until a trap that the fast path declines. */
	.globl	hatch_enter
	.type	hatch_enter, @function
hatch_enter:
	addi	sp, sp, -STACK_SIZE
	sd	ra, 0(sp)
	each_host_saved sd
	sd	a0, STACK_VCPU(sp)
	sd	sp, FRAME_HOST_SP(a0)
	sd	tp, FRAME_HOST_TP(a0)
	ld	t0, FRAME_SSTATUS(a0)
	csrw	sstatus, t0
enter_all:
	each_callee_saved ld
	j	1f
enter_again:
	ld	a0, STACK_VCPU(sp)
1:
	ld	t0, FRAME_PC(a0)
	csrw	sepc, t0
	li	t0, SSTATUS_FS
	csrs	sstatus, t0
	csrw	sscratch, a0
	each_caller_saved ld
	ld	t0, FRAME_X(5)(a0)
	ld	a0, FRAME_X(10)(a0)
	sret
	.size	hatch_enter, . - hatch_enter

/* stvec: every trap of the guest, and of the host, begins here. */
	.balign	4
	.globl	hatch_vector
	.type	hatch_vector, @function
hatch_vector:
	csrrw	a0, sscratch, a0
	sd	t0, FRAME_X(5)(a0)
	ld	t0, FRAME_HOST_FRAME(a0)
	beqz	t0, host_trap
	each_caller_saved sd
	csrrw	t0, sscratch, t0
	sd	t0, FRAME_X(10)(a0)
	li	t0, SSTATUS_FS
	csrrc	t1, sstatus, t0
	sd	t1, FRAME_SSTATUS(a0)
	csrr	t0, sepc
	sd	t0, FRAME_PC(a0)
	ld	sp, FRAME_HOST_SP(a0)
	ld	tp, FRAME_HOST_TP(a0)
	csrr	a1, scause
	li	t0, CAUSE_VIRTUAL_ECALL
	bne	a1, t0, 1f
	call	hatch_fast_hypercall /* a6 and a7 are still the guest's: its arguments */
	beqz	a0, enter_again
	mv	t0, a0
	ld	a0, STACK_VCPU(sp)
	each_callee_saved sd
	j	leave
1:
	li	t0, CAUSE_LOAD_GUEST_PAGE_FAULT
	beq	a1, t0, 2f
	li	t0, CAUSE_STORE_GUEST_PAGE_FAULT
	bne	a1, t0, 3f
2:
	call	hatch_fast_mmio
	beqz	a0, enter_again
	addi	t0, a0, -HATCH_NEED_ALL
	mv	t1, a0
	ld	a0, STACK_VCPU(sp)
	each_callee_saved sd
	bnez	t0, 4f
	call	hatch_fast_mmio_all
	mv	t1, a0
	ld	a0, STACK_VCPU(sp)
	beqz	t1, enter_all
4:
	mv	t0, t1
	j	leave
3:
	li	t0, -1
	slli	t0, t0, 63
	addi	t0, t0, IRQ_S_SOFT
	bne	a1, t0, 5f
	call	hatch_fast_soft
	beqz	a0, enter_again
	ld	a0, STACK_VCPU(sp)
5:
	each_callee_saved sd
	li	t0, HATCH_TRAPPED
leave:
	mv	a0, t0
	ld	ra, 0(sp)
	each_host_saved ld
	addi	sp, sp, STACK_SIZE
	ret
	.size	hatch_vector, . - hatch_vector

/*
 * The host itself trapped: a0 is the hart's frame. All registers go there, and a stack of its
 * own is taken, for the host's may be what broke. hatch_host_trap comes back only when
 * it could mend the cause (the host's first floating-point instruction).
 */
	.type	host_trap, @function
host_trap:
	each_caller_saved sd
	each_callee_saved sd
	csrr	t0, sscratch
	sd	t0, FRAME_X(10)(a0)
	csrw	sscratch, a0
	csrr	t0, sepc
	sd	t0, FRAME_PC(a0)
	csrr	t0, sstatus
	sd	t0, FRAME_SSTATUS(a0)
	mv	s0, a0
	ld	sp, FRAME_HOST_SP(a0)
	call	hatch_host_trap
	mv	a0, s0
	ld	t0, FRAME_PC(a0)
	csrw	sepc, t0
	ld	t0, FRAME_SSTATUS(a0)
	csrw	sstatus, t0
	li	t0, HSTATUS_SPV
	csrc	hstatus, t0 /* back to the host, whatever the firmware left */
	each_callee_saved ld
	each_caller_saved ld
	ld	t0, FRAME_X(5)(a0)
	ld	a0, FRAME_X(10)(a0)
	sret
	.size	host_trap, . - host_trap

/*
 * int hatch_fetch_parcel(uint64_t gva, uint16_t *out): one 16-bit parcel of guest code, with the
 * guest's own translation and rights (18.3.1, HLVX). 0, or -1 when the guest could not execute
 * from there. While it tries, a trap comes back here.
 */
	.globl	hatch_fetch_parcel
	.type	hatch_fetch_parcel, @function
	.option	push
	.option	arch, +h
hatch_fetch_parcel:
	csrr	t2, hstatus
	csrr	t3, sstatus
	la	t0, 1f
	csrrw	t1, stvec, t0
	li	a2, -1
	hlvx.hu	a3, (a0)
	sh	a3, 0(a1)
	li	a2, 0
	.balign	4
1:
	csrw	stvec, t1
	csrw	sstatus, t3
	csrw	hstatus, t2
	mv	a0, a2
	ret
	.option	pop
	.size	hatch_fetch_parcel, . - hatch_fetch_parcel

	.macro each_fp op
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	\op	f\n, (VCPU_FP + \n * 8)(a0)
	.endr
	.irp	n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	\op	f\n, (VCPU_FP + \n * 8)(a0)
	.endr
	.endm

/* void hatch_fp_store(struct hatch_vcpu *), hatch_fp_load: the guest's floating-point registers. */
	.globl	hatch_fp_store
	.type	hatch_fp_store, @function
hatch_fp_store:
	li	t0, SSTATUS_FS
	csrs	sstatus, t0
	each_fp	fsd
	frcsr	t1
	sd	t1, VCPU_FCSR(a0)
	ret
	.size	hatch_fp_store, . - hatch_fp_store

	.globl	hatch_fp_load
	.type	hatch_fp_load, @function
hatch_fp_load:
	li	t0, SSTATUS_FS
	csrs	sstatus, t0
	each_fp	fld
	ld	t1, VCPU_FCSR(a0)
	fscsr	t1
	ret
	.size	hatch_fp_load, . - hatch_fp_load

/*
 * void hatch_host_fp_store(uint64_t to[13]), hatch_host_fp_load: what the calling convention lets
 * the host keep over a call, fs0 to fs11 and fcsr.
 */
	.macro each_host_fp op
	\op	fs0, 0(a0)
	\op	fs1, 8(a0)
	\op	fs2, 16(a0)
	\op	fs3, 24(a0)
	\op	fs4, 32(a0)
	\op	fs5, 40(a0)
	\op	fs6, 48(a0)
	\op	fs7, 56(a0)
	\op	fs8, 64(a0)
	\op	fs9, 72(a0)
	\op	fs10, 80(a0)
	\op	fs11, 88(a0)
	.endm

	.globl	hatch_host_fp_store
	.type	hatch_host_fp_store, @function
hatch_host_fp_store:
	each_host_fp fsd
	frcsr	t0
	sd	t0, 96(a0)
	ret
	.size	hatch_host_fp_store, . - hatch_host_fp_store

	.globl	hatch_host_fp_load
	.type	hatch_host_fp_load, @function
hatch_host_fp_load:
	li	t0, SSTATUS_FS
	csrs	sstatus, t0
	each_host_fp fld
	ld	t0, 96(a0)
	fscsr	t0
	ret
	.size	hatch_host_fp_load, . - hatch_host_fp_load
