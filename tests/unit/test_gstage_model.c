/* SPDX-License-Identifier: MIT */
/*
 * G-stage tables under thousands of random changes against a plain model, and with memory that
 * runs out at every single allocation.
 */
#include "gstage_arena.h"

enum {
	UNITS = 96, /* of a model */
	STEPS = 6000,
	SHAPE_WORDS = 1 << 15,
};

/* ---- Memory that runs out ---- */

struct shape {
	uint64_t pte[SHAPE_WORDS];
	size_t used;
};

/* The non-empty entries of all tables, in order: equal shapes translate equally. */
static void take_shape(struct shape *shape, hatch_hpa table, unsigned int entries)
{
	for (unsigned int i = 0; i < entries; i++) {
		uint64_t pte = pte_at(table, i);

		if (!pte)
			continue;
		assert_true(shape->used + 2 <= SHAPE_WORDS);
		shape->pte[shape->used++] = i;
		shape->pte[shape->used++] = pte;
		if (!(pte & 0xe))
			take_shape(shape, hatch_hpa_of(pte >> 10 << 12), 512);
	}
}

static void expect_same_shape(const struct shape *before, const struct hatch_gstage *stage)
{
	struct shape *now = calloc(1, sizeof(*now));

	take_shape(now, arena_physical(&arena, stage->root), 2048);
	assert_int_equal(now->used, before->used);
	assert_memory_equal(now->pte, before->pte, now->used * sizeof(*now->pte));
	free(now);
}

enum change { MAP, UNMAP, PROTECT };

static int do_change(struct hatch_gstage *stage, enum change change, uint64_t gpa, uint64_t size)
{
	switch (change) {
	case MAP:
		return map(stage, gpa, gpa + TIB, size, 5);
	case UNMAP:
		return unmap(stage, gpa, size);
	default:
		return protect(stage, gpa, size, 1);
	}
}

/* Fails each allocation of the change in turn; the number of them is what it needs. */
static void run_out(struct hatch_gstage *stage, enum change change, uint64_t gpa, uint64_t size,
		    int need)
{
	struct shape *before = calloc(1, sizeof(*before));
	size_t pages = stage->pages;
	int allowed;

	take_shape(before, arena_physical(&arena, stage->root), 2048);
	for (allowed = 0; allowed < 100; allowed++) {
		arena.fail_after = allowed;
		if (do_change(stage, change, gpa, size) == HATCH_OK)
			break;
		expect_same_shape(before, stage);
		assert_int_equal(stage->pages, pages);
		check_tables(stage);
	}
	arena.fail_after = NEVER;
	assert_int_equal(allowed, need);
	check_tables(stage);
	free(before);
}

static void test_no_memory(void **state)
{
	struct hatch_gstage stage;

	(void)state;
	begin(&stage, HATCH_SV48X4);
	assert_int_equal(map(&stage, 0, 0, 4 * KIB, 7), HATCH_OK);
	/* Tables that are there already are not asked for again. */
	run_out(&stage, MAP, 2 * MIB - 4 * KIB, GIB + 4 * KIB, 1);
	run_out(&stage, MAP, 2 * GIB - 4 * KIB, GIB + 8 * KIB, 3);
	run_out(&stage, MAP, 512 * GIB, 512 * GIB, 0);
	run_out(&stage, UNMAP, 513 * GIB, 4 * KIB, 3);
	run_out(&stage, MAP, 1024 * GIB, 512 * GIB, 0);
	/* Both ends in one leaf share what they can. */
	run_out(&stage, PROTECT, TIB + GIB + 4 * KIB, 4 * KIB, 3);
	run_out(&stage, MAP, 1536 * GIB, 512 * GIB, 0);
	run_out(&stage, PROTECT, 1536 * GIB + 4 * KIB, 8 * MIB, 4);
	run_out(&stage, MAP, 2 * TIB, TIB, 0);
	run_out(&stage, UNMAP, 2 * TIB + 4 * KIB, TIB - 8 * KIB, 6);
	end(&stage);
}

/* ---- Against a model ---- */

/*
 * The model is an array of units, which it maps, unmaps and protects one by one; the unit's size
 * decides which leaves come up. `seed` makes a failure repeatable.
 */
struct model {
	uint64_t base, unit;
	uint64_t hpa[UNITS];
	unsigned int prot[UNITS]; /* 0: not mapped */
	uint64_t seed;
};

static unsigned int pick(struct model *m, unsigned int below)
{
	m->seed = m->seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned int)(m->seed >> 33) % below;
}

static bool any(const struct model *m, unsigned int at, unsigned int n, bool mapped)
{
	for (unsigned int i = at; i < at + n; i++) {
		if (!m->prot[i] == !mapped)
			return true;
	}
	return false;
}

static void check_unit(struct hatch_gstage *stage, const struct model *m, unsigned int i,
		       uint64_t offset)
{
	uint64_t gpa = m->base + i * m->unit + offset, hpa = 0;
	struct hatch_mapping out = { .prot = 0 };
	unsigned int prot = 0;
	bool found = walk(stage, gpa, &hpa, &prot);

	assert_int_equal(found, m->prot[i] != 0);
	assert_int_equal(hatch_gstage_lookup(stage, hatch_gpa_of(gpa), &out) == HATCH_OK, found);
	if (!found)
		return;
	assert_int_equal(prot, m->prot[i]);
	assert_int_equal(hpa, m->hpa[i] + offset);
	assert_int_equal(out.prot, prot);
	assert_int_equal(out.hpa.addr + (gpa - out.gpa.addr), hpa);
}

/* Does the fence cover [first, last] of the units that changed, and was there none otherwise? */
static void check_fence(const struct model *m, int first, int last, bool is_exact)
{
	uint64_t from = m->base + (unsigned int)first * m->unit;
	uint64_t to = m->base + (unsigned int)(last + 1) * m->unit;

	assert_int_equal(arena.fences, first >= 0);
	if (first < 0)
		return;
	assert_true(arena.fenced <= from && arena.fenced + arena.fenced_size >= to);
	if (is_exact)
		assert_int_equal(arena.fenced_size, to - from);
}

static void update(struct model *m, unsigned int at, unsigned int n, unsigned int prot,
		   uint64_t hpa, int *first, int *last)
{
	*first = *last = -1;
	for (unsigned int i = at; i < at + n; i++) {
		if (m->prot[i] != prot) {
			*first = *first < 0 ? (int)i : *first;
			*last = (int)i;
		}
		if (!m->prot[i])
			m->hpa[i] = hpa + (i - at) * m->unit;
		m->prot[i] = prot;
	}
}

static void step(struct hatch_gstage *stage, struct model *m)
{
	static const unsigned int rights[] = { 1, 3, 4, 5, 7 };
	unsigned int at = pick(m, UNITS), n = 1 + pick(m, UNITS - at), prot = rights[pick(m, 5)];
	uint64_t gpa = m->base + at * m->unit, hpa = gpa + pick(m, 3) * m->unit, size;
	size_t pages = stage->pages;
	int first, last;

	n = pick(m, 4) ? 1 + pick(m, n < 8 ? n : 8) : n;
	size = n * m->unit;
	switch (pick(m, 3)) {
	case MAP:
		if (any(m, at, n, true)) {
			assert_int_equal(map(stage, gpa, hpa, size, prot), HATCH_EOVERLAP);
			break;
		}
		assert_int_equal(map(stage, gpa, hpa, size, prot), HATCH_OK);
		update(m, at, n, prot, hpa, &first, &last);
		check_fence(m, first, last, stage->pages == pages);
		break;
	case UNMAP:
		assert_int_equal(unmap(stage, gpa, size), HATCH_OK);
		update(m, at, n, 0, 0, &first, &last);
		check_fence(m, first, last, false);
		break;
	case PROTECT:
		if (any(m, at, n, false)) {
			assert_int_equal(protect(stage, gpa, size, prot), HATCH_EFAULT);
			break;
		}
		assert_int_equal(protect(stage, gpa, size, prot), HATCH_OK);
		update(m, at, n, prot, 0, &first, &last);
		check_fence(m, first, last, stage->pages == pages);
		break;
	}
}

static void run_model(enum hatch_gstage_mode mode, uint64_t base, uint64_t unit)
{
	struct model m = { .base = base, .unit = unit, .seed = base ^ unit ^ mode };
	struct hatch_gstage stage;

	begin(&stage, mode);
	for (unsigned int i = 0; i < STEPS; i++) {
		step(&stage, &m);
		for (unsigned int u = 0; u < UNITS; u++)
			check_unit(&stage, &m, u, pick(&m, 4096) * (unit / 4096));
		if (i % 16 == 0)
			check_tables(&stage);
	}
	assert_int_equal(unmap(&stage, m.base, UNITS * m.unit), HATCH_OK);
	assert_int_equal(stage.pages, 4);
	end(&stage);
}

static void test_model(void **state)
{
	(void)state;
	/* Around a boundary of each level: windows of 384 KiB, 48 MiB, 24 GiB, 12 TiB. */
	run_model(HATCH_SV39X4, GIB - 48 * 4 * KIB, 4 * KIB);
	run_model(HATCH_SV48X4, 512 * GIB - 48 * 4 * KIB, 4 * KIB);
	run_model(HATCH_SV39X4, GIB - 24 * MIB, 512 * KIB);
	run_model(HATCH_SV48X4, 512 * GIB - 16 * GIB, 256 * MIB);
	run_model(HATCH_SV39X4, 2 * TIB - 24 * GIB, 256 * MIB);
	run_model(HATCH_SV48X4, 1024 * TIB - 12 * TIB, 128 * GIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_model),
	};

	return cmocka_run_group_tests_name("gstage_model", tests, NULL, NULL);
}
