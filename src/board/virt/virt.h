/* SPDX-License-Identifier: MIT */
/*
 * What the files of this board share. The map of QEMU's virt machine, as seen from HS-mode:
 *
 *	0x00100000  test finisher     0x0c000000  PLIC         0x80000000  RAM: firmware
 *	0x00101000  goldfish RTC      0x10000000  16550 UART   0x80200000  this program
 *	                                                       behind it   free RAM, device tree
 *
 * Only the RAM's start is built in (virt.ld); every other address comes from the device tree.
 */
#ifndef VIRT_H
#define VIRT_H

#include <hatch/board.h>
#include <hatch/event.h>
#include <hatch/lock.h>

/* The exit status of a host that cannot go on. */
#define VIRT_EXIT_BROKEN 125

/* virt.ld */
extern char virt_image_end[];
extern char virt_text_start[], virt_text_end[];

/*
 * A hart of the machine. boot.S knows the first three members and the size. The boot hart starts, summons and
 * counts on the others; `summoned` and `woken` are set by one hart and taken by another, atomically.
 */
struct virt_hart {
	void *stack_top;
	void *tls;   /* tp: a block of its own for what is thread-local */
	uint64_t id; /* mhartid */
	char *stack_bottom;
	uint64_t *stack_guard; /* up to stack_bottom: a pattern that an overflow would destroy */
	unsigned int index;    /* the boot hart's is 0 */
	bool started;
	unsigned int summoned; /* 1: there is work */
	unsigned int woken;    /* 1: hatch_board_wait is to return */
};

/* One SBI call (SBI v2.0, chapter 3). */
struct virt_sbi_result {
	long error;
	long value;
};
struct virt_sbi_result virt_sbi(unsigned long extension, unsigned long function, unsigned long a0,
				unsigned long a1, unsigned long a2);

/* harts.c */
/* The boot hart, as boot.S has set it up. */
void virt_hart_boot(uint64_t id);
/* The other harts of the device tree get their stacks; they are not started yet. */
void virt_harts_init(void);
const struct virt_hart *virt_hart_this(void);
/* Whether some hart's stack overflowed, now or before. */
bool virt_stack_overflowed(void);
/* From now on this hart ends the machine. Another one that is about to do so stays here for ever. */
void virt_hart_is_last(void);

/* boot.S: where every hart begins */
void _start(void);

/* start.c */
/* Prints "hatch: " and the message, ends the machine with VIRT_EXIT_BROKEN. No printf, no heap. */
_Noreturn void virt_die(const char *what, const char *remedy);

/* tree.c: the device tree */
void virt_tree_init(void *fdt);
/* The first node with this `compatible`, or a negative libfdt error. */
int virt_tree_find(const char *compatible);
/* The node's first register block; false if there is none. */
bool virt_tree_reg(int node, uint64_t *base, uint64_t *size);
/* The first register block of the first such device, host-physical; 0 if there is none. */
uintptr_t virt_tree_device(const char *compatible);
/* A property of one cell, or `otherwise`. */
uint32_t virt_tree_cell(int node, const char *property, uint32_t otherwise);
/* The next cpu node that is in order, after `node` (-1: the first); negative: no more. */
int virt_tree_next_cpu(int node, uint64_t *hart_id);
/* Whether the harts have an ISA extension, by its name in lower case ("h", "sstc"). */
bool virt_tree_has_extension(const char *name);

/* blob.c: keeps the allocator away from the RAM that blobs stand in */
void virt_blob_reserve(void);

/* console.c */
void virt_console_init(void);
/* This hart speaks alone, even where it died itself with the console's lock. */
void virt_console_seize(void);
void virt_console_puts(const char *text);
void virt_console_rx_interrupt(bool on);

/* interrupt.c: has this interrupt of the machine come to the hart that takes them all */
void virt_interrupt_enable(uint32_t irq, enum hatch_board_irq name);

/* ram.c and memory.c */
void virt_ram_init(const void *fdt);
/* Keeps a range out of the free RAM; before virt_memory_add. */
void virt_ram_reserve(uint64_t base, uint64_t size);
/* Adds free RAM, page-aligned. `zero`: nothing was ever written there. */
void virt_memory_add(uint64_t base, uint64_t end, bool zero);

/* libc.c */
void virt_heap_init(void);

/* trap.c: hatch_host_trap_fn, and what stands in for it before hatch_hart_init */
_Noreturn void virt_trap(const struct hatch_frame *frame, const struct hatch_trap *trap);
_Noreturn void virt_trap_early(uint64_t scause, uint64_t sepc, uint64_t stval);

/* Registers of a device: one access of exactly this width, in program order with the others. */
static inline void virt_io_barrier(void)
{
	__asm__ volatile("fence iorw, iorw" ::: "memory");
}

static inline uint8_t virt_read8(uintptr_t at)
{
	return *(volatile uint8_t *)at;
}

static inline void virt_write8(uintptr_t at, uint8_t value)
{
	*(volatile uint8_t *)at = value;
}

static inline uint32_t virt_read32(uintptr_t at)
{
	return *(volatile uint32_t *)at;
}

static inline void virt_write32(uintptr_t at, uint32_t value)
{
	*(volatile uint32_t *)at = value;
}

#endif
