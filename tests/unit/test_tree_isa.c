/* SPDX-License-Identifier: MIT */
/* Which extensions of the instruction set a guest is told of. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <hatch/csr.h>
#include <hatch/handlers/tree.h>

#define ALL_ON (HENVCFG_STCE | HENVCFG_PBMTE | HENVCFG_CBZE | HENVCFG_CBCFE | HENVCFG_CBIE)

static void expect_isa(const char *from, uint64_t henvcfg, const char *expected)
{
	struct hatch_isa isa;
	char string[HATCH_ISA_ROOM];

	assert_int_equal(hatch_isa_parse(&isa, from, henvcfg), 0);
	assert_int_equal(hatch_isa_string(&isa, string, sizeof(string)), 0);
	if (strncmp(string, expected, strlen(expected)) ||
	    strcmp(string + strlen(expected), "_zicntr_zicsr_zifencei"))
		fail_msg("%s gives %s", from, string);
}

static void test_isa(void **state)
{
	(void)state;
	expect_isa("rv64imafdch", 0, "rv64imafdc");
	expect_isa("rv64cdafmi", 0, "rv64imafdc"); /* canonical order */
	expect_isa("rv64gcv", 0, "rv64imafdc");
	expect_isa("rv64imafdcsu", 0, "rv64imafdc");
	expect_isa("rv64imafdczba", 0, "rv64imafdc_zba"); /* no separator after single letters */
	expect_isa("rv64i2p1m2a2p0_zba1p0_zbb1p0", 0, "rv64ima_zba_zbb");
	expect_isa("rv64ima_zba_zba_zba", 0, "rv64ima_zba");
	expect_isa("rv64ima__zba_", 0, "rv64ima_zba");
	expect_isa("rv64ima_zvl128b_zve64d_zfh", 0, "rv64ima_zfh");
	expect_isa("rv64ima_zb_zbaa_xzba_zkr_zihpm", 0, "rv64ima");
	expect_isa("rv64ima_ssaia_smaia_smstateen_ssstateen_sscofpmf_shgatpa_zcmt_zicfiss", ALL_ON,
		   "rv64ima");
	expect_isa("rv64ima_svinval_svnapot_svade_svadu", ALL_ON, "rv64ima_svinval_svnapot_svade");
}

static void test_isa_environment(void **state)
{
	static const char from[] = "rv64i_zicbom_zicboz_svpbmt_svadu_sstc";

	(void)state;
	expect_isa(from, 0, "rv64i");
	expect_isa(from, HENVCFG_STCE, "rv64i_sstc");
	expect_isa(from, HENVCFG_PBMTE, "rv64i_svpbmt");
	expect_isa(from, HENVCFG_ADUE, "rv64i_svadu");
	expect_isa(from, HENVCFG_CBZE, "rv64i_zicboz");
	expect_isa(from, HENVCFG_CBCFE, "rv64i"); /* cbo.inval would trap */
	expect_isa(from, HENVCFG_CBCFE | 1 << 4, "rv64i_zicbom");
	expect_isa(from, ALL_ON, "rv64i_zicbom_zicboz_svpbmt_sstc");
}

static void expect_sum(const char *has, const char *emulated, const char *expected)
{
	struct hatch_isa isa;
	char string[HATCH_ISA_ROOM];

	assert_int_equal(hatch_isa_filter(&isa, has, 8, 0), 0); /* eight bytes of names */
	assert_int_equal(hatch_isa_add(&isa, emulated), 0);
	assert_int_equal(hatch_isa_string(&isa, string, sizeof(string)), 0);
	assert_string_equal(string, expected);
}

/* What is emulated joins what is there; nothing comes twice. */
static void test_isa_emulated(void **state)
{
	struct hatch_isa isa;

	(void)state;
	expect_sum("i\0c\0zba", "zba,zbb", "rv64ic_zba_zbb");
	expect_sum("i\0c\0zba", "zbb,zbs,zicond", "rv64ic_zba_zbb_zbs_zicond");
	expect_sum("i\0c\0zca", "zcb", "rv64ic_zca_zcb");
	expect_sum("i\0c\0zba", "zcb,zcb", "rv64ic_zba_zca_zcb");
	expect_sum("i\0c\0zba", "", "rv64ic_zba");
	expect_sum("i\0f\0zba", "zfa", "rv64if_zba_zfa");
	assert_int_equal(hatch_isa_filter(&isa, "i\0f", 4, 0), 0);
	assert_int_equal(hatch_isa_add(&isa, "zbb,zcb"), HATCH_ENOTSUP);
	assert_int_equal(hatch_isa_filter(&isa, "i\0c", 4, 0), 0);
	assert_int_equal(hatch_isa_add(&isa, "zfa"), HATCH_ENOTSUP);
	isa.size = sizeof(isa.name) - 2;
	memset(isa.name, 'q', isa.size - 1);
	isa.name[isa.size - 1] = '\0';
	assert_int_equal(hatch_isa_add(&isa, "zbb"), HATCH_E2BIG);
}

static void test_isa_limits(void **state)
{
	struct hatch_isa isa;
	char string[32];

	(void)state;
	assert_int_equal(hatch_isa_parse(&isa, "rv32imac", 0), HATCH_EFORMAT);
	assert_int_equal(hatch_isa_parse(&isa, "", 0), HATCH_EFORMAT);
	assert_int_equal(hatch_isa_parse(&isa, "rv64imafdc_zba", 0), 0);
	for (size_t room = 0; room < 17; room++)
		assert_int_equal(hatch_isa_string(&isa, string, room), HATCH_E2BIG);
	assert_int_equal(hatch_isa_filter(&isa, "i\0zba\0zicsr", 3, 0), 0); /* cut off */
	assert_true(hatch_isa_has(&isa, "i"));
	assert_false(hatch_isa_has(&isa, "zba"));
	assert_false(hatch_isa_has(&isa, "zicsr"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_isa),
		cmocka_unit_test(test_isa_environment),
		cmocka_unit_test(test_isa_emulated),
		cmocka_unit_test(test_isa_limits),
	};

	return cmocka_run_group_tests_name("tree isa", tests, NULL, NULL);
}
