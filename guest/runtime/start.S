/* SPDX-License-Identifier: MIT */
/*
 * Where a guest begins, and where its own traps go. gp is not set up: guest.ld does not define
 * __global_pointer$, so no code uses it.
 */
#define FRAME_SIZE 128

	.macro	each_caller_saved op
	\op	ra, 0(sp)
	\op	t0, 8(sp)
	\op	t1, 16(sp)
	\op	t2, 24(sp)
	\op	t3, 32(sp)
	\op	t4, 40(sp)
	\op	t5, 48(sp)
	\op	t6, 56(sp)
	\op	a0, 64(sp)
	\op	a1, 72(sp)
	\op	a2, 80(sp)
	\op	a3, 88(sp)
	\op	a4, 96(sp)
	\op	a5, 104(sp)
	\op	a6, 112(sp)
	\op	a7, 120(sp)
	.endm

	.section .boot, "ax", @progbits
	.globl	_start
_start:
	la	t0, vector
	csrw	stvec, t0
	la	sp, guest_stack_top
	la	t0, guest_bss_start
	la	t1, guest_bss_end
1:	bgeu	t0, t1, 2f
	sd	zero, 0(t0)
	addi	t0, t0, 8
	j	1b
2:	call	main
	tail	hatch_guest_exit

/* One stack for all: a guest that breaks its own stack cannot handle its own traps. */
	.balign	4
vector:
	addi	sp, sp, -FRAME_SIZE
	each_caller_saved sd
	csrr	a0, scause
	csrr	a1, sepc
	csrr	a2, stval
	call	hatch_guest_trap
	csrw	sepc, a0
	each_caller_saved ld
	addi	sp, sp, FRAME_SIZE
	sret
