/* SPDX-License-Identifier: MIT */
/*
 * The guest's device tree, built from one like that of QEMU's virt machine.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <libfdt.h>

#include <hatch/csr.h>
#include <hatch/handlers/tree.h>

#define RAM_BASE UINT64_C(0x80000000)
#define ALL_ON	 (HENVCFG_STCE | HENVCFG_PBMTE | HENVCFG_CBZE | HENVCFG_CBCFE | HENVCFG_CBIE)

static char host[16384], guest[HATCH_TREE_ROOM];
static const char seed[] = "0123456789abcdef";

/* ---- the real machine's tree ---- */

/* A cpu node; the property that tells the instruction set is given as it is. */
static void put_cpu(uint32_t hart, const char *property, const void *isa, size_t size)
{
	char name[16];

	snprintf(name, sizeof(name), "cpu@%x", hart);
	fdt_begin_node(host, name);
	fdt_property_string(host, "device_type", "cpu");
	fdt_property_u32(host, "reg", hart);
	fdt_property_string(host, "mmu-type", hart ? "riscv,sv48" : "riscv,sv39");
	fdt_property_u32(host, "riscv,cbom-block-size", 64);
	fdt_property_u32(host, "riscv,cboz-block-size", 128);
	if (property)
		fdt_property(host, property, isa, (int)size);
	fdt_end_node(host);
}

static void begin_host(void)
{
	fdt_create(host, sizeof(host));
	fdt_finish_reservemap(host);
	fdt_begin_node(host, "");
	fdt_begin_node(host, "cpus");
	fdt_property_u32(host, "#address-cells", 1);
	fdt_property_u32(host, "#size-cells", 0);
}

static void end_host(uint32_t boot_hart)
{
	fdt_end_node(host);
	fdt_end_node(host);
	assert_int_equal(fdt_finish(host), 0);
	fdt_set_boot_cpuid_phys(host, boot_hart);
}

#define SLOW "rv64imac_zicsr"
#define FAST "rv64imafdcvh_zicbom_zicboz_zihintpause_zba_sstc_svadu_svpbmt_smaia"

static int set_up(void **state)
{
	(void)state;
	begin_host();
	fdt_property_u32(host, "timebase-frequency", 10000000);
	put_cpu(0, "riscv,isa", SLOW, sizeof(SLOW));
	put_cpu(1, "riscv,isa", FAST, sizeof(FAST));
	fdt_begin_node(host, "cpu-map");
	fdt_end_node(host);
	end_host(1);
	return 0;
}

static int put_device(void *arg, void *fdt)
{
	int error = fdt_begin_node(fdt, arg);

	return error ? error : fdt_end_node(fdt);
}

static const struct hatch_tree usual = {
	.host = host,
	.harts = 2,
	.henvcfg = ALL_ON,
	.ram = { RAM_BASE },
	.ram_size = UINT64_C(0x140000000),
	.initrd = { UINT64_C(0x123456000) },
	.initrd_size = 777,
	.bootargs = "console=ttyS0",
	.stdout_path = "/soc/serial@10000000",
	.seed = seed,
	.seed_size = sizeof(seed),
	.devices = put_device,
	.arg = "serial@10000000",
};

/* ---- questions to the guest's tree ---- */

static const void *property(const char *path, const char *name, int *size)
{
	int node = fdt_path_offset(guest, path);

	return node < 0 ? NULL : fdt_getprop(guest, node, name, size);
}

static void expect_text(const char *path, const char *name, const char *value)
{
	int size;
	const char *found = property(path, name, &size);

	assert_non_null(found);
	assert_int_equal(size, strlen(value) + 1);
	assert_string_equal(found, value);
}

static void expect_cell(const char *path, const char *name, uint32_t value)
{
	int size;
	const void *found = property(path, name, &size);

	assert_non_null(found);
	assert_int_equal(size, 4);
	assert_int_equal(fdt32_ld(found), value);
}

static void expect_absent(const char *path, const char *name)
{
	assert_null(property(path, name, NULL));
}

static void test_build(void **state)
{
	int size;
	const fdt64_t *reg;

	(void)state;
	assert_int_equal(hatch_tree_build(&usual, guest, sizeof(guest)), 0);
	assert_int_equal(fdt_check_full(guest, sizeof(guest)), 0);
	reg = property("/memory@80000000", "reg", &size);
	assert_int_equal(size, 16);
	assert_int_equal(fdt64_ld(reg), RAM_BASE);
	assert_int_equal(fdt64_ld(reg + 1), UINT64_C(0x140000000));
	expect_text("/memory@80000000", "device_type", "memory");
	expect_text("/chosen", "bootargs", "console=ttyS0");
	expect_text("/chosen", "stdout-path", "/soc/serial@10000000");
	assert_int_equal(fdt64_ld(property("/chosen", "linux,initrd-start", &size)),
			 UINT64_C(0x123456000));
	assert_int_equal(fdt64_ld(property("/chosen", "linux,initrd-end", &size)),
			 UINT64_C(0x123456000) + 777);
	assert_memory_equal(property("/chosen", "rng-seed", &size), seed, sizeof(seed));
	expect_cell("/cpus", "timebase-frequency", 10000000);
	assert_true(fdt_path_offset(guest, "/soc/serial@10000000") > 0);
	expect_text("/soc", "compatible", "simple-bus");
}

static void test_cpus(void **state)
{
	(void)state;
	assert_int_equal(hatch_tree_build(&usual, guest, sizeof(guest)), 0);
	expect_cell("/cpus/cpu@0", "reg", 0);
	expect_cell("/cpus/cpu@1", "reg", 1);
	assert_true(fdt_path_offset(guest, "/cpus/cpu@2") < 0);
	expect_cell("/cpus/cpu@1", "phandle", HATCH_TREE_CPU_PHANDLE(1));
	expect_cell("/cpus/cpu-map/cluster0/core0", "cpu", HATCH_TREE_CPU_PHANDLE(0));
	expect_cell("/cpus/cpu-map/cluster0/core1", "cpu", HATCH_TREE_CPU_PHANDLE(1));
	assert_true(fdt_path_offset(guest, "/cpus/cpu-map/cluster0/core2") < 0);
	expect_text("/cpus/cpu@1", "mmu-type", "riscv,sv48"); /* as the boot hart's */
	expect_text("/cpus/cpu@0", "mmu-type", "riscv,sv48");
	expect_cell("/cpus/cpu@0", "riscv,cbom-block-size", 64);
	expect_cell("/cpus/cpu@0", "riscv,cboz-block-size", 128);
	expect_text("/cpus/cpu@0", "riscv,isa-base", "rv64i");
	expect_text("/cpus/cpu@0", "riscv,isa",
		    "rv64imafdc_zicbom_zicboz_zihintpause_zba_sstc_svpbmt_zicntr_zicsr_zifencei");
	expect_cell("/cpus/cpu@1/interrupt-controller", "phandle", HATCH_TREE_INTC_PHANDLE(1));
	expect_text("/cpus/cpu@1/interrupt-controller", "compatible", "riscv,cpu-intc");
	assert_true(fdt_stringlist_contains(
		property("/cpus/cpu@0", "riscv,isa-extensions", &(int){ 0 }), 11, "i"));
}

static void test_without(void **state)
{
	struct hatch_tree bare = { .host = host, .harts = 1, .ram_size = 4096 };

	(void)state;
	assert_int_equal(hatch_tree_build(&bare, guest, sizeof(guest)), 0);
	assert_true(fdt_path_offset(guest, "/chosen") > 0);
	expect_absent("/chosen", "bootargs");
	expect_absent("/chosen", "stdout-path");
	expect_absent("/chosen", "linux,initrd-start");
	expect_absent("/chosen", "rng-seed");
	expect_text("/cpus/cpu@0", "riscv,isa", "rv64imafdc_zihintpause_zba_zicntr_zicsr_zifencei");
	expect_absent("/cpus/cpu@0", "riscv,cbom-block-size");
	expect_absent("/cpus/cpu@0", "riscv,cboz-block-size");
}

/* Newer machines list the extensions; then nothing is implied. */
static void test_list(void **state)
{
	static const char list[] = "i\0m\0h\0c\0zicsr\0ssaia\0sstc";

	(void)state;
	begin_host();
	put_cpu(0, "riscv,isa-extensions", list, sizeof(list));
	fdt_property_u32(host, "timebase-frequency", 1);
	end_host(5); /* no such hart: the first one counts */
	assert_int_equal(hatch_tree_build(&usual, guest, sizeof(guest)), HATCH_EFORMAT);
	begin_host();
	fdt_property_u64(host, "timebase-frequency", 4000);
	put_cpu(0, "riscv,isa-extensions", list, sizeof(list));
	end_host(5);
	assert_int_equal(hatch_tree_build(&usual, guest, sizeof(guest)), 0);
	expect_text("/cpus/cpu@0", "riscv,isa", "rv64imc_zicsr_sstc");
	expect_cell("/cpus", "timebase-frequency", 4000);
}

static void test_bad_host(void **state)
{
	static const char unended[] = { 'r', 'v', '6', '4', 'i' };

	(void)state;
	begin_host();
	fdt_property_u32(host, "timebase-frequency", 1);
	end_host(0);
	assert_int_equal(hatch_tree_build(&usual, guest, sizeof(guest)), HATCH_EFORMAT);
	const struct {
		const char *name;
		const void *value;
		size_t size;
	} bad[] = {
		{ NULL, NULL, 0 },
		{ "riscv,isa", "rv32imac", 9 },
		{ "riscv,isa", "", 1 },
		{ "riscv,isa", "", 0 },
		{ "riscv,isa", unended, 5 },
		{ "riscv,isa", "rv64_zba", 9 },
		{ "riscv,isa-extensions", "m\0c", 4 },
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		begin_host();
		fdt_property_u32(host, "timebase-frequency", 1);
		put_cpu(0, bad[i].name, bad[i].value, bad[i].size);
		end_host(0);
		assert_int_equal(hatch_tree_build(&usual, guest, sizeof(guest)), HATCH_EFORMAT);
	}
	memset(host, 0, 64);
	assert_int_equal(hatch_tree_build(&usual, guest, sizeof(guest)), HATCH_EFORMAT);
}

static int refuse(void *arg, void *fdt)
{
	(void)arg;
	(void)fdt;
	return -FDT_ERR_BADSTATE;
}

/* However little room there is, it is not exceeded, and that is what is said. */
static void test_room(void **state)
{
	static char small[HATCH_TREE_ROOM];
	struct hatch_tree bad = usual;
	size_t needed;

	(void)state;
	assert_int_equal(hatch_tree_build(&usual, guest, sizeof(guest)), 0);
	needed = fdt_totalsize(guest);
	for (size_t room = 0; room < needed; room += 13) {
		memset(small, 0x7e, sizeof(small));
		assert_int_equal(hatch_tree_build(&usual, small, room), HATCH_E2BIG);
		assert_int_equal(small[room], 0x7e);
	}
	bad.devices = refuse;
	assert_int_equal(hatch_tree_build(&bad, guest, sizeof(guest)), HATCH_EINVAL);
}

/* Both properties of every hart tell of it. */
static void test_emulated(void **state)
{
	struct hatch_tree tree = usual;
	const char *list;
	int size;

	(void)state;
	tree.emulated = "zbb,zcb";
	assert_int_equal(hatch_tree_build(&tree, guest, sizeof(guest)), 0);
	for (unsigned int hart = 0; hart < 2; hart++) {
		const char *path = hart ? "/cpus/cpu@1" : "/cpus/cpu@0";

		expect_text(path, "riscv,isa",
			    "rv64imafdc_zicbom_zicboz_zihintpause_zba_sstc_svpbmt_zicntr_zicsr_"
			    "zifencei_zbb_zca_zcb");
		list = property(path, "riscv,isa-extensions", &size);
		assert_true(fdt_stringlist_contains(list, size, "zbb"));
		assert_true(fdt_stringlist_contains(list, size, "zca"));
		assert_true(fdt_stringlist_contains(list, size, "zcb"));
	}
	fdt_set_boot_cpuid_phys(host, 0); /* SLOW has no f */
	tree.emulated = "zfa";
	assert_int_equal(hatch_tree_build(&tree, guest, sizeof(guest)), HATCH_ENOTSUP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_build, set_up),
		cmocka_unit_test_setup(test_cpus, set_up),
		cmocka_unit_test_setup(test_without, set_up),
		cmocka_unit_test_setup(test_list, set_up),
		cmocka_unit_test_setup(test_bad_host, set_up),
		cmocka_unit_test_setup(test_room, set_up),
		cmocka_unit_test_setup(test_emulated, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
