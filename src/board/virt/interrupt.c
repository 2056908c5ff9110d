/* SPDX-License-Identifier: MIT */
/*
 * Interrupts of the real machine: its devices, through the PLIC. They are never taken in host code
 * (sstatus.SIE is off); they end a run of guest code, which the framework turns into an event.
 *
 * RISC-V Platform-Level Interrupt Controller Specification 1.0.0.
 */
#include <libfdt.h>

#include <hatch/csr.h>

#include "virt.h"

/* Byte offsets from the PLIC's base */
#define PLIC_PRIORITY(irq)	  (4UL * (irq))
#define PLIC_ENABLE(context, irq) (0x2000 + 0x80UL * (context) + (irq) / 32 * 4UL)
#define PLIC_THRESHOLD(context)	  (0x200000 + 0x1000UL * (context))
#define PLIC_CLAIM(context)	  (0x200004 + 0x1000UL * (context))
#define PLIC_IRQ_NONE		  0
#define PLIC_SOURCES		  1024

/*
 * Invariants: `taker` is NULL until the rest is true of it, and never changes again. `lock` guards
 * the PLIC's registers but for the claims, which are the taker's alone, and `claimed` with them.
 */
struct plic {
	struct hatch_lock lock;
	const struct virt_hart *taker; /* the hart that all interrupts come to */
	uintptr_t base;
	unsigned int context;	     /* the taker's */
	uint32_t claimed;	     /* handled just now, or PLIC_IRQ_NONE */
	uint8_t names[PLIC_SOURCES]; /* enum hatch_board_irq; 0: not enabled here */
};
static struct plic plic;

/* The phandle of the interrupt controller inside this hart's cpu node, 0 if there is none. */
static uint32_t hart_controller(const void *fdt)
{
	int cpu = -1, controller;
	uint64_t id;

	do
		cpu = virt_tree_next_cpu(cpu, &id);
	while (cpu >= 0 && id != virt_hart_this()->id);
	if (cpu < 0)
		return 0;
	controller = fdt_subnode_offset(fdt, cpu, "interrupt-controller");
	return controller < 0 ? 0 : fdt_get_phandle(fdt, controller);
}

/* A PLIC context is a position in its list of (controller, interrupt): ours, for HS-mode. */
static bool find_context(const void *fdt, int node, unsigned int *context)
{
	int length;
	const fdt32_t *pair = fdt_getprop(fdt, node, "interrupts-extended", &length);
	uint32_t controller = hart_controller(fdt);

	if (!pair || !controller)
		return false;
	for (int i = 0; i < length / (int)(2 * sizeof(*pair)); i++) {
		if (fdt32_to_cpu(pair[2 * i]) == controller &&
		    fdt32_to_cpu(pair[2 * i + 1]) == IRQ_S_EXT) {
			*context = i;
			return true;
		}
	}
	return false;
}

/* With the lock: this hart takes them all. */
static void plic_find(void)
{
	int node = virt_tree_find("riscv,plic0");
	uint64_t base, size;

	if (node < 0)
		node = virt_tree_find("sifive,plic-1.0.0");
	if (node < 0 || !virt_tree_reg(node, &base, &size) ||
	    !find_context(hatch_board_fdt(), node, &plic.context))
		virt_die("this machine has no PLIC for its devices' interrupts",
			 "run QEMU's virt machine without aia=");
	plic.base = base;
	virt_write32(base + PLIC_THRESHOLD(plic.context), 0);
	csr_set(sie, 1UL << IRQ_S_EXT);
	__atomic_store_n(&plic.taker, virt_hart_this(), __ATOMIC_RELEASE);
}

void virt_interrupt_enable(uint32_t irq, enum hatch_board_irq name)
{
	uintptr_t enable;

	if (irq == PLIC_IRQ_NONE || irq >= PLIC_SOURCES)
		return;
	hatch_lock_acquire(&plic.lock);
	if (!plic.taker)
		plic_find();
	if (!plic.names[irq]) {
		__atomic_store_n(&plic.names[irq], name, __ATOMIC_RELAXED);
		enable = plic.base + PLIC_ENABLE(plic.context, irq);
		virt_write32(plic.base + PLIC_PRIORITY(irq), 1);
		virt_write32(enable, virt_read32(enable) | 1U << irq % 32);
	}
	hatch_lock_release(&plic.lock);
}

/* Off is done in the UART: turned on again, it still knows of the byte that waits. */
void hatch_board_console_interrupt(bool on)
{
	if (on)
		virt_interrupt_enable(
			virt_tree_cell(virt_tree_find("ns16550a"), "interrupts", PLIC_IRQ_NONE),
			HATCH_BOARD_IRQ_CONSOLE);
	virt_console_rx_interrupt(on);
}

/*
 * A source stays claimed, and so silent, until its handler is done and asks what else there is: had
 * it been completed before, the device's level would raise it once more.
 */
enum hatch_board_irq hatch_board_interrupt_claim(void)
{
	uintptr_t claim;

	if (__atomic_load_n(&plic.taker, __ATOMIC_ACQUIRE) != virt_hart_this())
		return HATCH_BOARD_IRQ_NONE;
	claim = plic.base + PLIC_CLAIM(plic.context);
	virt_io_barrier();
	if (plic.claimed != PLIC_IRQ_NONE)
		virt_write32(claim, plic.claimed);
	plic.claimed = virt_read32(claim);
	if (plic.claimed == PLIC_IRQ_NONE)
		return HATCH_BOARD_IRQ_NONE;
	return plic.claimed < PLIC_SOURCES && plic.names[plic.claimed] ? plic.names[plic.claimed]
								       : HATCH_BOARD_IRQ_OTHER;
}
