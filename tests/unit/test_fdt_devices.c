/* SPDX-License-Identifier: MIT */
/*
 * The nodes of the device clauses, read back from a finished tree.
 */
#include "device_bus.h"

#include <libfdt.h>

#include <hatch/handlers/finisher.h>
#include <hatch/handlers/plic.h>
#include <hatch/handlers/rtc.h>
#include <hatch/handlers/uart.h>
#include <hatch/handlers/virtio_empty.h>

enum { PLIC_PHANDLE = 7, FINISHER_PHANDLE = 8, TREE_SIZE = 4096 };

static struct hatch_plic plic;
static struct hatch_uart uart;
static struct hatch_rtc rtc;
static struct hatch_finisher finisher;
static struct hatch_catch empty;
static const uint32_t intc[] = { 1, 1, 2, 2 };
static const uint32_t mode[] = { UINT32_MAX, 9, UINT32_MAX, 9 };
static char tree[TREE_SIZE];

/* Writes a whole tree into `size` bytes. Returns the first error. */
static int write_tree(int size)
{
	int error = fdt_create(tree, size);

	error = error ? error : fdt_finish_reservemap(tree);
	error = error ? error : fdt_begin_node(tree, "");
	error = error ? error : fdt_begin_node(tree, "soc");
	error = error ? error : hatch_plic_fdt(&plic, tree, PLIC_PHANDLE, intc, mode);
	error = error ? error : hatch_uart_fdt(&uart, tree, PLIC_PHANDLE, 10);
	error = error ? error : hatch_rtc_fdt(&rtc, tree, PLIC_PHANDLE, 11);
	error = error ? error : hatch_finisher_fdt(&finisher, tree, FINISHER_PHANDLE);
	error = error ? error : hatch_virtio_empty_fdt(&empty, tree, PLIC_PHANDLE, 1);
	error = error ? error : fdt_end_node(tree);
	error = error ? error : fdt_end_node(tree);
	return error ? error : fdt_finish(tree);
}

static int setup(void **state)
{
	(void)state;
	assert_int_equal(hatch_plic_init(&plic, hatch_gpa_of(0xc000000), 95, 4), 0);
	hatch_uart_init(&uart, hatch_gpa_of(0x10000000));
	hatch_rtc_init(&rtc, hatch_gpa_of(0x101000));
	hatch_finisher_init(&finisher, hatch_gpa_of(0x100000));
	empty = hatch_virtio_empty_clause(hatch_gpa_of(0x10001000));
	assert_int_equal(write_tree(TREE_SIZE), 0);
	return 0;
}

static uint32_t cell(const char *path, const char *name, unsigned int index)
{
	int size = 0;
	const fdt32_t *cells = fdt_getprop(tree, fdt_path_offset(tree, path), name, &size);

	assert_non_null(cells);
	assert_true((int)(index + 1) * 4 <= size);
	return fdt32_to_cpu(cells[index]);
}

static void expect_device(const char *path, const char *compatible,
			  const struct hatch_catch *clause)
{
	int node = fdt_path_offset(tree, path);

	assert_true(node >= 0);
	assert_int_equal(fdt_node_check_compatible(tree, node, compatible), 0);
	assert_int_equal(cell(path, "reg", 0), 0);
	assert_int_equal(cell(path, "reg", 1), clause->first);
	assert_int_equal(cell(path, "reg", 2), 0);
	assert_int_equal(cell(path, "reg", 3), clause->last - clause->first + 1);
}

static void test_plic(void **state)
{
	const char *path = "/soc/interrupt-controller@c000000";
	int node = fdt_path_offset(tree, path);

	(void)state;
	expect_device(path, "sifive,plic-1.0.0", &plic.clause);
	expect_device(path, "riscv,plic0", &plic.clause);
	assert_int_equal(fdt_get_phandle(tree, node), PLIC_PHANDLE);
	assert_int_equal(cell(path, "riscv,ndev", 0), 95);
	assert_int_equal(cell(path, "#interrupt-cells", 0), 1);
	assert_non_null(fdt_getprop(tree, node, "interrupt-controller", NULL));
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(cell(path, "interrupts-extended", 2 * i), intc[i]);
		assert_int_equal(cell(path, "interrupts-extended", 2 * i + 1), mode[i]);
	}
}

static void test_interrupting_devices(void **state)
{
	(void)state;
	expect_device("/soc/serial@10000000", "ns16550a", &uart.clause);
	assert_int_equal(cell("/soc/serial@10000000", "interrupt-parent", 0), PLIC_PHANDLE);
	assert_int_equal(cell("/soc/serial@10000000", "interrupts", 0), 10);
	assert_int_equal(cell("/soc/serial@10000000", "clock-frequency", 0), 3686400);
	expect_device("/soc/rtc@101000", "google,goldfish-rtc", &rtc.clause);
	assert_int_equal(cell("/soc/rtc@101000", "interrupt-parent", 0), PLIC_PHANDLE);
	assert_int_equal(cell("/soc/rtc@101000", "interrupts", 0), 11);
	expect_device("/soc/virtio_mmio@10001000", "virtio,mmio", &empty);
	assert_int_equal(cell("/soc/virtio_mmio@10001000", "interrupts", 0), 1);
}

static void test_finisher(void **state)
{
	(void)state;
	expect_device("/soc/test@100000", "syscon", &finisher.clause);
	expect_device("/soc/test@100000", "sifive,test0", &finisher.clause);
	assert_int_equal(cell("/soc/test@100000", "phandle", 0), FINISHER_PHANDLE);
	assert_int_equal(cell("/soc/poweroff", "regmap", 0), FINISHER_PHANDLE);
	assert_int_equal(cell("/soc/poweroff", "offset", 0), 0);
	assert_int_equal(cell("/soc/poweroff", "value", 0), 0x5555);
	assert_int_equal(cell("/soc/reboot", "regmap", 0), FINISHER_PHANDLE);
	assert_int_equal(cell("/soc/reboot", "value", 0), 0x7777);
}

/* Wherever the room ends, the error is told. */
static void test_no_room(void **state)
{
	int need = (int)fdt_totalsize(tree), failed = 0;

	(void)state;
	for (int size = (int)sizeof(struct fdt_header) + 64; size < need; size++)
		failed += write_tree(size) == -FDT_ERR_NOSPACE;
	assert_int_equal(failed, need - (int)sizeof(struct fdt_header) - 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_plic, setup),
		cmocka_unit_test_setup(test_interrupting_devices, setup),
		cmocka_unit_test_setup(test_finisher, setup),
		cmocka_unit_test_setup(test_no_room, setup),
	};

	return cmocka_run_group_tests_name("fdt_devices", tests, NULL, NULL);
}
