/* SPDX-License-Identifier: MIT */
/* The emulator of missing instructions: names, patterns, registers, memory, and its report. */
#include "isa_guest.h"

/* ---- registers ---------------------------------------------------------------------------- */

static uint32_t with_registers(uint32_t insn, unsigned int rd, unsigned int rs1, unsigned int rs2)
{
	return (insn & ~(31U << 7 | 31U << 15 | 31U << 20)) | rd << 7 | rs1 << 15 | rs2 << 20;
}

/* andn x, y, z with all registers, x0 among them. */
static void test_registers(void **state)
{
	const struct form *andn = form_of("andn");

	(void)state;
	for (unsigned int all = 0; all < 1 << 15; all++) {
		unsigned int rd = all & 31, rs1 = all >> 5 & 31, rs2 = all >> 10;
		const uint32_t insn = with_registers(andn->insn, rd, rs1, rs2);
		uint64_t a, b;

		world_init(&world);
		a = world.vcpu.frame.x[rs1];
		b = world.vcpu.frame.x[rs2];
		assert_int_equal(execute(clause_of(insn), insn), HATCH_RESUME);
		assert_int_equal(world.vcpu.frame.x[rd], rd ? a & ~b : 0);
		assert_int_equal(world.vcpu.frame.pc, RAM_BASE + 0x1004);
	}
}

/* c.mul and c.not with all of their registers. */
static void test_low_registers(void **state)
{
	(void)state;
	for (unsigned int all = 0; all < 64; all++) {
		unsigned int rd = 8 + (all & 7), rs2 = 8 + (all >> 3);
		const uint32_t mul = 0x9c41 | (rd - 8) << 7 | (rs2 - 8) << 2;
		uint64_t product, not ;

		world_init(&world);
		product = world.vcpu.frame.x[rd] * world.vcpu.frame.x[rs2];
		assert_int_equal(execute(clause_of(mul), mul), HATCH_SKIP);
		assert_int_equal(world.vcpu.frame.x[rd], product);
		assert_int_equal(world.vcpu.frame.pc, RAM_BASE + 0x1002);
		not = ~product;
		execute(clause_of(0x9c75 | (rd - 8) << 7), 0x9c75 | (rd - 8) << 7);
		assert_int_equal(world.vcpu.frame.x[rd], not );
	}
}

/* ---- memory ------------------------------------------------------------------------------- */

/* Zcb's offset: of a byte bit 6 is its lower half, of a halfword bit 5 tells 2. */
static unsigned int offset_of(const struct form *form, unsigned int field)
{
	bool byte = !strcmp(form->name, "c.lbu") || !strcmp(form->name, "c.sb");

	return byte ? (field & 1) * 2 + field / 2 : field * 2;
}

static void test_memory(void **state)
{
	static const char *const names[] = { "c.lbu", "c.lhu", "c.lh", "c.sb", "c.sh" };

	(void)state;
	for (unsigned int i = 0; i < COUNT_OF(names) * 4; i++) {
		const struct form *form = form_of(names[i / 4]);
		unsigned int field = i % form->variants, at = 20 + offset_of(form, field);
		const uint32_t insn = form->insn | field << form->shift;
		bool store = form->insn & 0x800;
		uint64_t expected;

		for (unsigned int n = 0; n < sizeof(bytes); n++)
			bytes[n] = (uint8_t)(0x80 + n * 3);
		expected = bytes[at] + (i / 4 == 0 ? 0 : bytes[at + 1] * 256U);
		world.vcpu.frame.x[10] = 20;
		world.vcpu.frame.x[11] = 0xabcd;
		assert_int_equal(execute(clause_of(insn), insn), HATCH_SKIP);
		if (!store)
			assert_int_equal(world.vcpu.frame.x[11],
					 i / 4 == 2 ? (uint64_t)(int16_t)expected : expected);
		else
			assert_int_equal(bytes[at], 0xcd);
		assert_int_equal(bytes[at + 1], i / 4 == 4 ? 0xab : (uint8_t)(0x83 + at * 3));
		world.vcpu.frame.x[10] = 64;
		assert_int_equal(execute(clause_of(insn), insn), HATCH_THROW);
		assert_int_equal(world.cont.thrown.stval, 64 + at - 20);
	}
}

/* ---- the emulator ------------------------------------------------------------------------- */

static void test_names(void **state)
{
	static struct hatch_emulator other;

	(void)state;
	assert_int_equal(hatch_emulator_init(&other, "zbs"), 0);
	assert_int_equal(other.ops, 8);
	assert_int_equal(hatch_emulator_init(&other, "zicond,zbs,zicond"), 0);
	assert_int_equal(other.ops, 10);
	for (const char *const *bad = (const char *const[]){ "zbx", "", "zbs,", "zb", "ZBS", NULL };
	     *bad; bad++) {
		assert_int_equal(hatch_emulator_init(&other, *bad), HATCH_ENOENT);
		assert_int_equal(other.ops, 0);
	}
	assert_int_equal(hatch_emulator_init(&other, "zbb,zacas"), HATCH_ENOTSUP);
	assert_int_equal(other.ops, 0);
	assert_true(emulator.ops <= HATCH_EMULATOR_OPS);
}

/* What the command line offers is what there is: each once, and nothing else. */
static void test_list(void **state)
{
	static struct hatch_emulator other;

	(void)state;
	assert_int_equal(hatch_emulator_init(&other, "all"), 0);
	assert_string_equal(other.extensions, HATCH_EMULATED);
	assert_int_equal(hatch_emulator_init(&other, HATCH_EMULATED), 0);
	assert_string_equal(other.extensions, HATCH_EMULATED);
	assert_int_equal(hatch_emulator_init(&other, "zfa,zbs,zfa"), 0);
	assert_string_equal(other.extensions, "zbs,zfa");
	assert_int_equal(hatch_emulator_init(&other, "zbx"), HATCH_ENOENT);
	assert_string_equal(other.extensions, "");
}

/* Every instruction of the table is there, under its own name. */
static void test_forms(void **state)
{
	(void)state;
	for (const struct form *form = forms; form->name; form++) {
		const struct hatch_catch *clause = clause_of(form->insn);
		const struct hatch_emulated *emulated = clause ? clause->arg : NULL;

		assert_non_null(emulated);
		assert_string_equal(emulated->name, form->name);
		assert_string_equal(emulated->extension, form->extension);
	}
	assert_null(clause_of(0x0000000b));
	assert_null(clause_of(0x00b50633)); /* add */
}

/* All or none: a clause in the way leaves the scope as it was. */
static void test_add(void **state)
{
	static struct hatch_emulator other;
	struct hatch_catch mine =
		HATCH_ON_ILLEGAL(0xfe00707f, 0x40007033, emulator.op[0].clause.handler, NULL);
	struct hatch_scope place;

	(void)state;
	hatch_scope_init(&place, "place", NULL);
	assert_int_equal(hatch_catch_add(&place, &mine), 0); /* andn's */
	assert_int_equal(hatch_emulator_init(&other, "all"), 0);
	assert_int_equal(hatch_emulator_add(&other, &place), HATCH_EOVERLAP);
	assert_ptr_equal(place.clauses, &mine);
	assert_null(mine.next);
	assert_null(other.atomic.clause.scope);
	assert_int_equal(hatch_catch_remove(&place, &mine), 0);
	assert_int_equal(hatch_emulator_add(&other, &place), 0);
}

static void test_report(void **state)
{
	(void)state;
	assert_null(hatch_emulator_rank(&emulator, 0));
	assert_int_equal(hatch_emulator_total(&emulator), 0);
	for (unsigned int i = 0; i < 5; i++) {
		execute(clause_of(form_of("rev8")->insn), form_of("rev8")->insn);
		if (i < 2)
			execute(clause_of(form_of("c.not")->insn), form_of("c.not")->insn);
	}
	assert_string_equal(hatch_emulator_rank(&emulator, 0)->name, "rev8");
	assert_int_equal(hatch_emulator_rank(&emulator, 0)->count, 5);
	assert_string_equal(hatch_emulator_rank(&emulator, 1)->name, "c.not");
	assert_null(hatch_emulator_rank(&emulator, 2));
	assert_int_equal(hatch_emulator_total(&emulator), 7);
}

/* ---- atomics ------------------------------------------------------------------------------ */

static const struct {
	uint32_t insn;
	const char *name;
} atomics[] = {
	{ 0x100525af, "lr.w" },		{ 0x1405b5af, "lr.d.aq" },
	{ 0x18c5a5af, "sc.w" },		{ 0x08c5a5af, "amoswap.w" },
	{ 0x00c5b5af, "amoadd.d" },	{ 0x06c5a5af, "amoadd.w.aqrl" },
	{ 0x28c5b5af, "amocas.d" },	{ 0x28c5a5af, "amocas.w" },
	{ 0x2ac5c5af, "amocas.q.rl" },	{ 0x00c585af, "amoadd.b" },
	{ 0xe4c595af, "amomaxu.h.aq" }, { 0x18c5d5af, "atomic" }, /* a width that is none */
	{ 0xf8c5a5af, "atomic" },				  /* an operation that is none */
};

/* Every one of the opcode goes back to the guest, which is told of its own instruction. */
static void test_atomics(void **state)
{
	char name[HATCH_ATOMIC_NAME], line[300];

	(void)state;
	for (unsigned int i = 0; i < COUNT_OF(atomics); i++) {
		const struct hatch_catch *clause = clause_of(atomics[i].insn);

		assert_ptr_equal(clause, &emulator.atomic.clause);
		assert_string_equal(hatch_atomic_name(atomics[i].insn, name, sizeof(name)),
				    atomics[i].name);
		assert_int_equal(execute(clause, atomics[i].insn), HATCH_INJECT);
		assert_int_equal(world.cont.value, CAUSE_ILLEGAL_INSTRUCTION);
		assert_int_equal(emulator.atomic.count, i + 1);
	}
	assert_int_equal(emulator.atomic.encoding, atomics[0].insn);
	assert_int_equal(hatch_emulator_total(&emulator), 0);
	assert_string_equal(hatch_atomic_name(0x00b50633, name, sizeof(name)), "atomic");
	hatch_emulator_format(&emulator, line, sizeof(line));
	assert_non_null(strstr(line, "nothing of " HATCH_EMULATED " was needed"));
	assert_non_null(
		strstr(line, "; atomics refused, for no handler is atomic: 13, first lr.w at 0x"));
}

/* The report fits into whatever room there is. */
static void test_format(void **state)
{
	const char *const wanted = "emulated: rev8 (zbb) 3, c.not (zcb) 1, in all 4";
	char line[100], guarded[sizeof(line)];

	(void)state;
	for (unsigned int i = 0; i < 3; i++)
		execute(clause_of(form_of("rev8")->insn), form_of("rev8")->insn);
	execute(clause_of(form_of("c.not")->insn), form_of("c.not")->insn);
	assert_string_equal(hatch_emulator_format(&emulator, line, sizeof(line)), wanted);
	for (size_t size = 0; size <= sizeof(guarded); size++) {
		size_t length = size > strlen(wanted) ? strlen(wanted) : size - (size > 0);

		memset(guarded, 'x', sizeof(guarded));
		hatch_emulator_format(&emulator, guarded, size);
		assert_memory_equal(guarded, wanted, length);
		assert_true(!size || !guarded[length]);
		assert_true(size == sizeof(guarded) || guarded[size] == 'x');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_registers, setup),
		cmocka_unit_test_setup(test_low_registers, setup),
		cmocka_unit_test_setup(test_memory, setup),
		cmocka_unit_test_setup(test_names, setup),
		cmocka_unit_test_setup(test_forms, setup),
		cmocka_unit_test_setup(test_add, setup),
		cmocka_unit_test_setup(test_report, setup),
		cmocka_unit_test_setup(test_list, setup),
		cmocka_unit_test_setup(test_atomics, setup),
		cmocka_unit_test_setup(test_format, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
