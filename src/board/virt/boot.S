/* SPDX-License-Identifier: MIT */
/*
 * The first instructions of every hart: HS-mode, translation off, a0 = hart id. OpenSBI brings one
 * hart here, the boot hart, with a1 = device tree; the others stay parked in OpenSBI until harts.c
 * has them started here, too, through SBI HSM. What they are told in a1 is not looked at: OpenSBI
 * 1.1 lets a hart go that is awake when the call comes, before it has set the new address and a1.
 *
 * gp is never set up: nothing here uses it, and a guest may have it.
 */
	.section .boot, "ax", @progbits
	.globl	_start
_start:
	csrw	sie, zero
	csrci	sstatus, 2		/* SIE: host code runs with interrupts off */
	csrw	satp, zero
	la	t0, early_vector
	csrw	stvec, t0
	la	t0, boot_taken
	li	t1, 1
	amoswap.w.aqrl t1, t1, (t0)
	bnez	t1, other_hart

	la	t0, virt_bss_start	/* both ends are aligned to 16 */
	la	t1, virt_bss_end
1:	bgeu	t0, t1, 2f
	sd	zero, 0(t0)
	sd	zero, 8(t0)
	addi	t0, t0, 16
	j	1b

2:	la	t0, virt_tdata_start	/* the boot hart's thread-local storage: */
	la	t1, virt_tdata_end	/* .tdata copied, .tbss cleared with .bss */
	la	tp, virt_boot_tls
	mv	t2, tp
3:	bgeu	t0, t1, 4f
	ld	t3, 0(t0)
	sd	t3, 0(t2)
	addi	t0, t0, 8
	addi	t2, t2, 8
	j	3b

4:	la	sp, virt_stack_top
	mv	s0, zero
	tail	virt_start

/* No hart is started that has no struct virt_hart: see the offsets there. */
other_hart:
	fence	rw, rw
	la	t0, virt_harts
1:	ld	t1, 16(t0)
	beq	t1, a0, 2f
	addi	t0, t0, 56
	j	1b
2:	ld	sp, 0(t0)
	ld	tp, 8(t0)
	mv	a0, t0
	mv	s0, zero
	tail	virt_hart_main

/* Traps before hatch_hart_init takes stvec over. */
	.balign	4
early_vector:
	csrr	a0, scause
	csrr	a1, sepc
	csrr	a2, stval
	tail	virt_trap_early

/* 1: there is a boot hart. Not in .bss, which that one clears. */
	.data
	.balign	4
boot_taken:
	.word	0
