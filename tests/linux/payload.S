/* SPDX-License-Identifier: MIT */
/*
 * A program for hatch boot --payload: checks how it was started, says so, and ends the machine as
 * END bids: -DEND=SRST with -DTYPE and -DREASON, or -DEND=FINISHER with -DWORD. Legacy console
 * calls only, so that each step is one line of -v.
 */
#define SRST		  1
#define FINISHER	  2

#define SBI_EID_PUTCHAR	  1
#define SBI_EID_SRST	  0x53525354
#define FINISHER_ADDRESS  0x100000
#define FDT_MAGIC_LE	  0xedfe0dd0 /* big endian d00dfeed, read little endian */

	.macro	say character
	li	a0, \character
	li	a7, SBI_EID_PUTCHAR
	ecall
	.endm

	.section .text.start, "ax", @progbits
	.globl	_start
_start:
	lla	t0, _start		/* where we are, and where we should be */
	li	t1, START
	bne	t0, t1, wrong
	bnez	a0, wrong		/* the first hart */
	csrr	t0, satp
	bnez	t0, wrong
	lwu	t0, 0(a1)
	li	t1, FDT_MAGIC_LE
	bne	t0, t1, wrong
	say	'o'
	say	'k'
	say	'\n'
#if END == SRST
	li	a0, TYPE
	li	a1, REASON
	li	a6, 0
	li	a7, SBI_EID_SRST
	ecall
#else
	li	t0, FINISHER_ADDRESS
	li	t1, WORD
	sw	t1, 0(t0)
#endif
wrong:
	say	'?'
1:	wfi
	j	1b
