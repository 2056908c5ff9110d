/* SPDX-License-Identifier: MIT */
/*
 * The two ends of a call. hatch_call_door stands in for the boxed function: it is called with
 * that function's arguments, each in its register.
 *
 * The short road leaves them there. It is for a box that rests on this hart since its last call,
 * while the host touched no floating point, with no limit of time and an integer for an answer:
 * then a call is a change of stack and privilege. Of the host's registers only those must be
 * saved that a function keeps, and of the box's none at all when it returns. A box that traps
 * anywhere else is handed to hatch_vector, as if hatch_enter had been called from here.
 *
 * Everything else takes the long road, hatch_call_run, with the arguments in the box's frame.
 */
#include <hatch/csr.h>
#include "call.h"
#include "host_stack.inc"
#include "offsets.h"

/* hatch_enter's stack, then what only this file needs. */
#define STACK_CALL   128
#define STACK_RETURN 136
#define STACK_SIZE   144

	.text

/* t2: struct hatch_call_frame; a0 to a7 and fa0 to fa7 as the boxed function wants them. */
	.globl	hatch_call_door
	.type	hatch_call_door, @function
hatch_call_door:
	ld	t0, CALL_BOX(t2)
	beqz	t0, long_road
	ld	t1, BOX_STATE(t0)
	bnez	t1, long_road		/* not HATCH_BOX_READY: its registers are in use */
	csrr	t1, sstatus
	li	t3, SSTATUS_FS
	and	t1, t1, t3
	bnez	t1, with_fp
	ld	t1, BOX_TICKS(t0)
	lw	t3, CALL_ANSWER(t2)
	or	t1, t1, t3
	bnez	t1, with_integers
	addi	t4, t0, BOX_VCPU
	lbu	t1, VCPU_LIVE(t4)
	lbu	t3, VCPU_FP_LIVE(t4)
	and	t1, t1, t3
	beqz	t1, with_integers
	ld	t1, FRAME_HOST_TP(t4)
	bne	t1, tp, with_integers	/* it is live, but on another hart */

	/* Registers that carry no argument must not carry the host's secrets either. */
	lw	t1, CALL_ARGUMENTS(t2)
	la	t3, clear_unused
	slli	t1, t1, 2
	add	t3, t3, t1
	jr	t3
	.option	push
	.option	norvc
clear_unused:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7
	li	a\n, 0
	.endr
	.option	pop
	addi	sp, sp, -STACK_SIZE
	each_host_saved sd
	sd	ra, STACK_RETURN(sp)
	sd	t2, STACK_CALL(sp)
	sd	t4, STACK_VCPU(sp)
	la	t1, trapped
	sd	t1, STACK_RA(sp)
	sd	sp, FRAME_HOST_SP(t4)
	ld	t1, BOX_TRY(t0)
	sd	t1, VCPU_RUNNING(t4)
	li	t1, BOX_IS_RUNNING
	sd	t1, BOX_STATE(t0)
	la	t1, call_vector
	csrw	stvec, t1
	csrw	sscratch, t4
	ld	t1, CALL_FUNCTION(t2)
	csrw	sepc, t1
	li	t1, HSTATUS_SPV
	csrs	hstatus, t1
	li	t1, SSTATUS_SPP
	csrc	sstatus, t1		/* to VU-mode */
	li	t1, SSTATUS_FS
	csrs	sstatus, t1
	la	ra, hatch_call_return
	ld	sp, BOX_STACK_TOP(t0)
	ld	tp, BOX_TLS(t0)
	.irp	n, 0, 1, 2, 3, 4, 5, 6
	li	t\n, 0
	.endr
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
	li	s\n, 0
	.endr
	li	gp, 0
	sret

/* stvec on the short road. */
	.balign	4
call_vector:
	csrrw	a0, sscratch, a0
	sd	t0, FRAME_X(5)(a0)
	sd	t1, FRAME_X(6)(a0)
	csrr	t0, scause
	addi	t0, t0, -CAUSE_USER_ECALL
	bnez	t0, 1f
	csrr	t0, sepc
	la	t1, hatch_call_return
	bne	t0, t1, 1f
	ld	sp, FRAME_HOST_SP(a0)
	ld	tp, FRAME_HOST_TP(a0)
	ld	t0, FRAME_HOST_FRAME(a0)
	csrrw	t1, sscratch, t0	/* the value, for the hart's own frame */
	ld	t2, STACK_CALL(sp)
	sd	t1, CALL_VALUE(t2)
	sd	zero, CALL_OUTCOME(t2)	/* HATCH_DONE, HATCH_STOP_NONE */
	sd	zero, (BOX_STATE - BOX_VCPU)(a0)
	sd	zero, VCPU_RUNNING(a0)
	li	t0, SSTATUS_FS
	csrc	sstatus, t0
	la	t0, hatch_vector
	csrw	stvec, t0
	each_host_saved ld
	ld	ra, STACK_RETURN(sp)
	addi	sp, sp, STACK_SIZE
	ret
1:	/* as if nothing had been done yet, and hatch_vector had been in force */
	la	t0, hatch_vector
	csrw	stvec, t0
	ld	t0, FRAME_X(5)(a0)
	ld	t1, FRAME_X(6)(a0)
	csrrw	a0, sscratch, a0
	j	hatch_vector

/* Where hatch_vector returns to: sp is above hatch_enter's stack. */
trapped:
	ld	a0, (STACK_CALL - STACK_CALL)(sp)
	ld	ra, (STACK_RETURN - STACK_CALL)(sp)
	addi	sp, sp, STACK_SIZE - STACK_CALL
	tail	hatch_call_go_on

with_fp:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7
	fsd	fa\n, (BOX_VCPU + VCPU_FP + (10 + \n) * 8)(t0)
	.endr
with_integers:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7
	sd	a\n, (BOX_VCPU + FRAME_X(10 + \n))(t0)
	.endr
long_road:
	mv	a0, t2
	tail	hatch_call_run
	.size	hatch_call_door, . - hatch_call_door

/* Where a boxed function returns to: its value is in a0 or fa0. */
	.globl	hatch_call_return
	.type	hatch_call_return, @function
hatch_call_return:
	ecall
	ebreak
	.size	hatch_call_return, . - hatch_call_return

/* uint64_t hatch_ask(const char *name, ...): the host finds the name in a0. */
	.globl	hatch_ask
	.type	hatch_ask, @function
hatch_ask:
	ecall
	ret
	.size	hatch_ask, . - hatch_ask
