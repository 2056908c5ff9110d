/* SPDX-License-Identifier: MIT */
/*
 * What the device clauses add to a guest's device tree. Each property is written only while no
 * error occurred, so that the first error is the one that the caller gets.
 */
#include <stdio.h>
#include <string.h>

#include <libfdt.h>

#include <hatch/handlers/finisher.h>
#include <hatch/handlers/plic.h>
#include <hatch/handlers/rtc.h>
#include <hatch/handlers/uart.h>
#include <hatch/handlers/virtio_empty.h>
#include <hatch/handlers/virtio_proxy.h>

/* A tree that is being written, and the first error. */
struct tree {
	void *fdt;
	int error;
};

static void begin_node(struct tree *t, const char *name)
{
	if (!t->error)
		t->error = fdt_begin_node(t->fdt, name);
}

static void end_node(struct tree *t)
{
	if (!t->error)
		t->error = fdt_end_node(t->fdt);
}

static void put_bytes(struct tree *t, const char *name, const void *value, size_t size)
{
	if (!t->error)
		t->error = fdt_property(t->fdt, name, value, (int)size);
}

static void put_string(struct tree *t, const char *name, const char *value)
{
	put_bytes(t, name, value, strlen(value) + 1);
}

static void put_cell(struct tree *t, const char *name, uint32_t value)
{
	fdt32_t cell = cpu_to_fdt32(value);

	put_bytes(t, name, &cell, sizeof(cell));
}

static void put_empty(struct tree *t, const char *name)
{
	put_bytes(t, name, NULL, 0);
}

/* Begins the node of a device and tells where its registers are: just where its clause is. */
static void begin_device(struct tree *t, const char *name, const struct hatch_catch *clause)
{
	fdt64_t reg[2] = { cpu_to_fdt64(clause->first),
			   cpu_to_fdt64(clause->last - clause->first + 1) };
	char unit[48];

	snprintf(unit, sizeof(unit), "%s@%llx", name, (unsigned long long)clause->first);
	begin_node(t, unit);
	put_bytes(t, "reg", reg, sizeof(reg));
}

static void put_interrupt(struct tree *t, uint32_t parent, uint32_t source)
{
	put_cell(t, "interrupt-parent", parent);
	put_cell(t, "interrupts", source);
}

int hatch_plic_fdt(const struct hatch_plic *plic, void *fdt, uint32_t phandle, const uint32_t *intc,
		   const uint32_t *mode)
{
	static const char compatible[] = "sifive,plic-1.0.0\0riscv,plic0";
	fdt32_t extended[2 * HATCH_PLIC_CONTEXTS];
	struct tree t = { .fdt = fdt };

	for (unsigned int i = 0; i < plic->contexts; i++) {
		extended[2 * i] = cpu_to_fdt32(intc[i]);
		extended[2 * i + 1] = cpu_to_fdt32(mode[i]);
	}
	begin_device(&t, "interrupt-controller", &plic->clause);
	put_bytes(&t, "compatible", compatible, sizeof(compatible));
	put_cell(&t, "phandle", phandle);
	put_empty(&t, "interrupt-controller");
	put_cell(&t, "#interrupt-cells", 1);
	put_cell(&t, "#address-cells", 0);
	put_cell(&t, "riscv,ndev", plic->sources);
	put_bytes(&t, "interrupts-extended", extended, 2 * plic->contexts * sizeof(*extended));
	end_node(&t);
	return t.error;
}

int hatch_uart_fdt(const struct hatch_uart *uart, void *fdt, uint32_t parent, uint32_t source)
{
	struct tree t = { .fdt = fdt };

	begin_device(&t, "serial", &uart->clause);
	put_string(&t, "compatible", "ns16550a");
	put_cell(&t, "clock-frequency", HATCH_UART_CLOCK);
	put_interrupt(&t, parent, source);
	end_node(&t);
	return t.error;
}

int hatch_rtc_fdt(const struct hatch_rtc *rtc, void *fdt, uint32_t parent, uint32_t source)
{
	struct tree t = { .fdt = fdt };

	begin_device(&t, "rtc", &rtc->clause);
	put_string(&t, "compatible", "google,goldfish-rtc");
	put_interrupt(&t, parent, source);
	end_node(&t);
	return t.error;
}

/* With a device or without: the guest looks into the registers to know. */
int hatch_virtio_empty_fdt(const struct hatch_catch *clause, void *fdt, uint32_t parent,
			   uint32_t source)
{
	struct tree t = { .fdt = fdt };

	begin_device(&t, "virtio_mmio", clause);
	put_string(&t, "compatible", "virtio,mmio");
	put_interrupt(&t, parent, source);
	end_node(&t);
	return t.error;
}

int hatch_virtio_proxy_fdt(const struct hatch_virtio_proxy *proxy, void *fdt, uint32_t parent,
			   uint32_t source)
{
	return hatch_virtio_empty_fdt(&proxy->clause, fdt, parent, source);
}

/* A driver that knows nothing but where to write what. */
static void put_syscon(struct tree *t, const char *name, const char *compatible, uint32_t regmap,
		       uint32_t value)
{
	begin_node(t, name);
	put_string(t, "compatible", compatible);
	put_cell(t, "regmap", regmap);
	put_cell(t, "offset", 0);
	put_cell(t, "value", value);
	end_node(t);
}

int hatch_finisher_fdt(const struct hatch_finisher *finisher, void *fdt, uint32_t phandle)
{
	static const char compatible[] = "sifive,test1\0sifive,test0\0syscon";
	struct tree t = { .fdt = fdt };

	begin_device(&t, "test", &finisher->clause);
	put_bytes(&t, "compatible", compatible, sizeof(compatible));
	put_cell(&t, "phandle", phandle);
	end_node(&t);
	put_syscon(&t, "poweroff", "syscon-poweroff", phandle, FINISHER_PASS);
	put_syscon(&t, "reboot", "syscon-reboot", phandle, FINISHER_RESET);
	return t.error;
}
