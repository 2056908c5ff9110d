/* SPDX-License-Identifier: MIT */
/*
 * Control and status registers: the specification's names and bits, verbatim.
 *
 * Privileged ISA 20240411: chapter 10 (supervisor), chapter 18 (hypervisor extension).
 * The accessors exist on the target only; the bits are plain numbers and serve native tests too.
 */
#ifndef HATCH_CSR_H
#define HATCH_CSR_H

/* Exception causes, scause without the interrupt bit (18.6.1). */
#define CAUSE_FETCH_MISALIGNED	     0
#define CAUSE_FETCH_ACCESS	     1
#define CAUSE_ILLEGAL_INSTRUCTION    2
#define CAUSE_BREAKPOINT	     3
#define CAUSE_LOAD_MISALIGNED	     4
#define CAUSE_LOAD_ACCESS	     5
#define CAUSE_STORE_MISALIGNED	     6
#define CAUSE_STORE_ACCESS	     7
#define CAUSE_USER_ECALL	     8
#define CAUSE_SUPERVISOR_ECALL	     9
#define CAUSE_VIRTUAL_ECALL	     10
#define CAUSE_FETCH_PAGE_FAULT	     12
#define CAUSE_LOAD_PAGE_FAULT	     13
#define CAUSE_STORE_PAGE_FAULT	     15
#define CAUSE_FETCH_GUEST_PAGE_FAULT 20
#define CAUSE_LOAD_GUEST_PAGE_FAULT  21
#define CAUSE_VIRTUAL_INSTRUCTION    22
#define CAUSE_STORE_GUEST_PAGE_FAULT 23
#define CAUSE_INTERRUPT		     (1ULL << 63)

/* Interrupt numbers: bit positions in sie, sip, hie, hip, hvip, hideleg. */
#define IRQ_S_SOFT		     1
#define IRQ_VS_SOFT		     2
#define IRQ_S_TIMER		     5
#define IRQ_VS_TIMER		     6
#define IRQ_S_EXT		     9
#define IRQ_VS_EXT		     10
#define IRQ_S_GEXT		     12

#define HVIP_VSSIP		     (1UL << IRQ_VS_SOFT)
#define HVIP_VSTIP		     (1UL << IRQ_VS_TIMER)
#define HVIP_VSEIP		     (1UL << IRQ_VS_EXT)

/* sstatus and vsstatus (10.1.1) */
#define SSTATUS_SIE		     (1UL << 1)
#define SSTATUS_SPIE		     (1UL << 5)
#define SSTATUS_SPP		     (1UL << 8)
#define SSTATUS_VS		     (3UL << 9)
#define SSTATUS_FS		     (3UL << 13)
#define SSTATUS_FS_CLEAN	     (2UL << 13)
#define SSTATUS_FS_DIRTY	     (3UL << 13)
#define SSTATUS_SUM		     (1UL << 18)
#define SSTATUS_MXR		     (1UL << 19)
#define SSTATUS_UXL_64		     (2UL << 32)

/* hstatus (18.2.1) */
#define HSTATUS_VSBE		     (1UL << 5)
#define HSTATUS_GVA		     (1UL << 6)
#define HSTATUS_SPV		     (1UL << 7)
#define HSTATUS_SPVP		     (1UL << 8)
#define HSTATUS_HU		     (1UL << 9)
#define HSTATUS_VTVM		     (1UL << 20)
#define HSTATUS_VTW		     (1UL << 21)
#define HSTATUS_VTSR		     (1UL << 22)
#define HSTATUS_VSXL		     (2UL << 32) /* 64 bit */

/* henvcfg (18.2.5): what of the environment the guest may configure */
#define HENVCFG_FIOM		     (1UL << 0)
#define HENVCFG_CBIE		     (3UL << 4)
#define HENVCFG_CBCFE		     (1UL << 6)
#define HENVCFG_CBZE		     (1UL << 7)
#define HENVCFG_ADUE		     (1UL << 61)
#define HENVCFG_PBMTE		     (1UL << 62)
#define HENVCFG_STCE		     (1UL << 63)

/* hstateen0 (Smstateen): which extension state the guest may reach */
#define HSTATEEN0_SENVCFG	     (1UL << 62)

/* hgatp (18.2.10) */
#define HGATP_MODE_SHIFT	     60
#define HGATP_BARE		     0UL
#define HGATP_SV39X4		     8UL
#define HGATP_SV48X4		     9UL
#define HGATP_VMID_SHIFT	     44
#define HGATP_VMID_MASK		     0x3fffUL
#define HGATP_PPN_MASK		     ((1UL << 44) - 1)

/* Numbers of registers that events and clauses name. */
#define CSR_CYCLE		     0xc00
#define CSR_TIME		     0xc01
#define CSR_INSTRET		     0xc02

#ifdef __riscv
#define csr_read(name)                                                                             \
	({                                                                                         \
		unsigned long value_;                                                              \
		__asm__ volatile("csrr %0, " #name : "=r"(value_)::"memory");                      \
		value_;                                                                            \
	})

#define csr_write(name, value) __asm__ volatile("csrw " #name ", %0" ::"rK"(value) : "memory")
#define csr_set(name, value)   __asm__ volatile("csrs " #name ", %0" ::"rK"(value) : "memory")
#define csr_clear(name, value) __asm__ volatile("csrc " #name ", %0" ::"rK"(value) : "memory")

#define csr_swap(name, value)                                                                      \
	({                                                                                         \
		unsigned long old_;                                                                \
		__asm__ volatile("csrrw %0, " #name ", %1" : "=r"(old_) : "rK"(value) : "memory"); \
		old_;                                                                              \
	})
#endif

#endif
