/* SPDX-License-Identifier: MIT */
/*
 * The first instructions. OpenSBI jumps here on one hart, the boot hart, in HS-mode with
 * a0 = hart id and a1 = device tree, translation off. The other harts stay parked in OpenSBI
 * until someone starts them through SBI HSM.
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

/* Traps before hatch_hart_init takes stvec over. */
	.balign	4
early_vector:
	csrr	a0, scause
	csrr	a1, sepc
	csrr	a2, stval
	tail	virt_trap_early
