/* SPDX-License-Identifier: MIT */
/*
 * Interrupts of the real machine: the UART through the PLIC. They are never taken in host code
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

/* A hart's way into the PLIC; base is 0 until it is found. */
struct plic {
	uintptr_t base;
	unsigned int context;
	uint32_t console_irq;
};
static _Thread_local struct plic plic;

/* The phandle of the interrupt controller inside this hart's cpu node, 0 if there is none. */
static uint32_t hart_controller(const void *fdt)
{
	int cpu = -1, controller;

	for (;;) {
		cpu = fdt_node_offset_by_prop_value(fdt, cpu, "device_type", "cpu", sizeof("cpu"));
		if (cpu < 0)
			return 0;
		if (virt_tree_cell(cpu, "reg", UINT32_MAX) != virt_hart_id())
			continue;
		controller = fdt_subnode_offset(fdt, cpu, "interrupt-controller");
		return controller < 0 ? 0 : fdt_get_phandle(fdt, controller);
	}
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

static void plic_find(void)
{
	const void *fdt = hatch_board_fdt();
	int node = virt_tree_find("riscv,plic0");
	uint64_t base, size;

	if (node < 0)
		node = virt_tree_find("sifive,plic-1.0.0");
	if (node < 0 || !virt_tree_reg(node, &base, &size) ||
	    !find_context(fdt, node, &plic.context))
		virt_die("this machine has no PLIC for the console's interrupt",
			 "run QEMU's virt machine without aia=");
	plic.base = base;
	plic.console_irq = virt_tree_cell(virt_tree_find("ns16550a"), "interrupts", PLIC_IRQ_NONE);
}

static void plic_enable(uint32_t irq)
{
	uintptr_t enable = plic.base + PLIC_ENABLE(plic.context, irq);

	virt_write32(plic.base + PLIC_PRIORITY(irq), 1);
	virt_write32(plic.base + PLIC_THRESHOLD(plic.context), 0);
	virt_write32(enable, virt_read32(enable) | 1U << irq % 32);
	csr_set(sie, 1UL << IRQ_S_EXT);
}

/* Off is done in the UART: turned on again, it still knows of the byte that waits. */
void hatch_board_console_interrupt(bool on)
{
	if (on && !plic.base) {
		plic_find();
		plic_enable(plic.console_irq);
	}
	virt_console_rx_interrupt(on);
}

/* Whoever asks reads the console until it is empty: a byte that came meanwhile is claimed anew. */
enum hatch_board_irq hatch_board_interrupt_claim(void)
{
	uint32_t irq;

	if (!plic.base)
		return HATCH_BOARD_IRQ_NONE;
	irq = virt_read32(plic.base + PLIC_CLAIM(plic.context));
	if (irq == PLIC_IRQ_NONE)
		return HATCH_BOARD_IRQ_NONE;
	virt_write32(plic.base + PLIC_CLAIM(plic.context), irq);
	return irq == plic.console_irq ? HATCH_BOARD_IRQ_CONSOLE : HATCH_BOARD_IRQ_OTHER;
}
