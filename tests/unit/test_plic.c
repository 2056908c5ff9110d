/* SPDX-License-Identifier: MIT */
#include "device_bus.h"

#include <hatch/handlers/plic.h>

enum {
	SOURCES = 70, /* ends in the middle of a word */
	CONTEXTS = 4,
	PENDING = 0x1000,
	STEPS = 60000,
};

#define ENABLE(context)	   (0x2000u + 0x80u * (context))
#define THRESHOLD(context) (0x200000u + 0x1000u * (context))
#define CLAIM(context)	   (THRESHOLD(context) + 4u)

static struct hatch_plic plic;
static bool output[CONTEXTS]; /* what the sink heard last */
static unsigned int outputs;

static void on_output(void *arg, unsigned int context, bool level)
{
	assert_ptr_equal(arg, &plic);
	assert_true(context < CONTEXTS);
	assert_int_not_equal(output[context], level); /* changes only */
	output[context] = level;
	outputs++;
}

static uint32_t load(uint64_t offset)
{
	return (uint32_t)bus_load(&plic.clause, offset, 4);
}

static void store(uint64_t offset, uint32_t value)
{
	bus_store(&plic.clause, offset, 4, value);
}

static int setup(void **state)
{
	(void)state;
	memset(output, 0, sizeof(output));
	outputs = 0;
	assert_int_equal(hatch_plic_init(&plic, hatch_gpa_of(0xc000000), SOURCES, CONTEXTS), 0);
	plic.output = on_output;
	plic.arg = &plic;
	return 0;
}

static void enable(unsigned int context, unsigned int source, uint32_t priority)
{
	uint64_t word = ENABLE(context) + source / 32 * 4;

	store(source * 4, priority);
	store(word, load(word) | 1U << source % 32);
}

static void test_limits(void **state)
{
	struct hatch_plic other;

	(void)state;
	assert_int_equal(hatch_plic_init(&other, hatch_gpa_of(0), 0, 1), HATCH_EINVAL);
	assert_int_equal(hatch_plic_init(&other, hatch_gpa_of(0), 128, 1), HATCH_EINVAL);
	assert_int_equal(hatch_plic_init(&other, hatch_gpa_of(0), 1, 0), HATCH_EINVAL);
	assert_int_equal(hatch_plic_init(&other, hatch_gpa_of(0), 1, 65), HATCH_EINVAL);
	for (unsigned int n = 1; n <= 127; n++) {
		assert_int_equal(hatch_plic_init(&other, hatch_gpa_of(0), n, 64), 0);
		for (unsigned int word = 0; word < 4; word++)
			bus_store(&other.clause, ENABLE(63) + word * 4, 4, UINT32_MAX);
		for (unsigned int i = 0; i < 128; i++) {
			uint64_t bits = bus_load(&other.clause, ENABLE(63) + i / 32 * 4, 4);

			assert_int_equal(bits >> i % 32 & 1, i >= 1 && i <= n);
		}
	}
	assert_int_equal(plic.clause.first, 0xc000000);
	assert_int_equal(plic.clause.last, 0xc5fffff);
}

static void test_interrupt(void **state)
{
	(void)state;
	enable(1, 10, 1);
	hatch_plic_set(&plic, 10, true);
	assert_true(output[1]);
	assert_false(output[0]);
	assert_int_equal(load(PENDING), 1U << 10);
	assert_int_equal(load(CLAIM(1)), 10);
	assert_false(output[1]);
	assert_int_equal(load(PENDING), 0);
	assert_int_equal(load(CLAIM(1)), 0);
	/* In service the level is not looked at; the completion looks at it again. */
	store(CLAIM(1), 10);
	assert_true(output[1]);
	assert_int_equal(load(CLAIM(1)), 10);
	hatch_plic_set(&plic, 10, false);
	store(CLAIM(1), 10);
	assert_false(output[1]);
	assert_int_equal(outputs, 4);
}

/* A forwarded request outlives its level, and is forwarded once. */
static void test_request_stays(void **state)
{
	(void)state;
	enable(0, 33, 2);
	hatch_plic_set(&plic, 33, true);
	hatch_plic_set(&plic, 33, false);
	assert_true(output[0]);
	assert_int_equal(load(PENDING + 4), 2);
	assert_int_equal(load(CLAIM(0)), 33);
	store(CLAIM(0), 33);
	assert_false(output[0]);
	assert_int_equal(load(CLAIM(0)), 0);
}

static void test_order(void **state)
{
	static const unsigned int expected[] = { 40, 7, 69, 3 };

	(void)state;
	enable(2, 3, 1);
	enable(2, 69, 5);
	enable(2, 7, 5);
	enable(2, 40, 7);
	enable(2, 5, 0);
	hatch_plic_set(&plic, 5, true);
	assert_false(output[2]); /* priority 0 never interrupts */
	for (unsigned int i = 0; i < 4; i++)
		hatch_plic_set(&plic, expected[3 - i], true);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(load(CLAIM(2)), expected[i]);
	assert_int_equal(load(CLAIM(2)), 0);
}

static void test_threshold(void **state)
{
	(void)state;
	enable(0, 1, 3);
	store(THRESHOLD(0), 3);
	hatch_plic_set(&plic, 1, true);
	assert_false(output[0]);
	store(THRESHOLD(0), 2);
	assert_true(output[0]);
	store(THRESHOLD(0), 7);
	assert_false(output[0]);
	/* It silences the line, not the claim. */
	assert_int_equal(load(CLAIM(0)), 1);
	store(THRESHOLD(0), UINT32_MAX);
	assert_int_equal(load(THRESHOLD(0)), 7);
	store(4, UINT32_MAX);
	assert_int_equal(load(4), 7);
}

static void test_completion(void **state)
{
	(void)state;
	enable(0, 9, 1);
	enable(1, 9, 1);
	hatch_plic_set(&plic, 9, true);
	assert_true(output[0] && output[1]);
	assert_int_equal(load(CLAIM(0)), 9);
	assert_false(output[0] || output[1]);
	/* Not enabled there, not existing, or plain wrong: ignored. */
	store(CLAIM(2), 9);
	store(CLAIM(0), 0);
	store(CLAIM(0), 71);
	store(CLAIM(0), 9 + 128);
	store(CLAIM(0), UINT32_MAX);
	assert_false(output[0]);
	store(ENABLE(0), 0);
	store(CLAIM(0), 9);
	assert_false(output[1]);
	store(CLAIM(1), 9);
	assert_true(output[1]);
	assert_false(output[0]);
}

static void test_line_and_reset(void **state)
{
	struct hatch_plic_line line = { &plic, 12 };

	(void)state;
	enable(3, 12, 1);
	hatch_plic_line(&line, true);
	assert_true(output[3]);
	hatch_plic_reset(&plic);
	assert_false(output[3]);
	assert_int_equal(load(ENABLE(3)), 0);
	assert_int_equal(load(12 * 4), 0);
	assert_int_equal(load(PENDING), 1U << 12); /* the level is still high */
	hatch_plic_line(&line, false);
	hatch_plic_set(&plic, 0, true);
	hatch_plic_set(&plic, 71, true);
	hatch_plic_set(&plic, UINT32_MAX, true);
	assert_int_equal(load(PENDING), 1U << 12);
	plic.output = NULL;
	enable(3, 12, 1);
	assert_int_equal(load(CLAIM(3)), 12);
	/* A reset forgets what is in service and what was only latched. */
	hatch_plic_line(&line, true);
	assert_int_equal(load(PENDING), 0);
	hatch_plic_reset(&plic);
	assert_int_equal(load(PENDING), 1U << 12);
	hatch_plic_line(&line, false);
	hatch_plic_reset(&plic);
	assert_int_equal(load(PENDING), 0);
}

static void test_reserved(void **state)
{
	static const uint32_t reserved[] = { 0,
					     71 * 4,
					     0xffc,
					     0x1010,
					     0x1ffc,
					     ENABLE(0) + 16,
					     ENABLE(CONTEXTS),
					     0x1ffffc,
					     THRESHOLD(0) + 8,
					     THRESHOLD(CONTEXTS),
					     CLAIM(CONTEXTS),
					     0x5ffffc };

	(void)state;
	for (size_t i = 0; i < sizeof(reserved) / sizeof(*reserved); i++) {
		store(reserved[i], UINT32_MAX);
		assert_int_equal(load(reserved[i]), 0);
	}
	store(PENDING, UINT32_MAX);
	assert_int_equal(load(PENDING), 0);
	assert_int_equal(outputs, 0);
	bus_expect_width(&plic.clause, 0x3000, 4);
	for (unsigned int width = 1; width <= 8; width *= 2) {
		if (width != 4)
			bus_expect_fault(&plic.clause, CLAIM(0), width, false);
	}
}

/* ---- Against a model ---- */

/* One struct for each source and no sets: the specification's picture of gateways. */
static struct {
	bool level, pending, service;
	bool enabled[CONTEXTS];
	uint32_t priority;
} model[SOURCES + 1];
static uint32_t thresholds[CONTEXTS];

static unsigned int model_best(unsigned int context)
{
	unsigned int best = 0;

	for (unsigned int s = SOURCES; s >= 1; s--) {
		if (model[s].pending && model[s].enabled[context] && model[s].priority &&
		    (!best || model[s].priority >= model[best].priority))
			best = s;
	}
	return best;
}

static void model_gateways(void)
{
	for (unsigned int s = 1; s <= SOURCES; s++)
		model[s].pending |= model[s].level && !model[s].service;
}

static void check_model(void)
{
	for (unsigned int c = 0; c < CONTEXTS; c++) {
		unsigned int best = model_best(c);

		assert_int_equal(output[c], best && model[best].priority > thresholds[c]);
		assert_int_equal(load(THRESHOLD(c)), thresholds[c]);
	}
	for (unsigned int s = 0; s < 128; s++) {
		bool pending = s <= SOURCES && model[s].pending;

		assert_int_equal(load(PENDING + s / 32 * 4) >> s % 32 & 1, pending);
		assert_false(plic.pending[s / 32] & plic.service[s / 32]);
		for (unsigned int c = 0; c < CONTEXTS; c++)
			assert_int_equal(load(ENABLE(c) + s / 32 * 4) >> s % 32 & 1,
					 s <= SOURCES && model[s].enabled[c]);
	}
}

static void model_step(uint64_t *seed)
{
	unsigned int s = 1 + bus_random(seed) % SOURCES, c = bus_random(seed) % CONTEXTS, best;
	uint32_t value = bus_random(seed), word = s / 32;

	switch (bus_random(seed) % 8) {
	case 0:
	case 1:
		model[s].level = value & 1;
		model_gateways();
		hatch_plic_set(&plic, s, value & 1);
		break;
	case 2:
		model[s].priority = value & 7;
		store(s * 4, value);
		break;
	case 3:
		for (unsigned int i = word * 32; i < word * 32 + 32 && i <= SOURCES; i++)
			model[i].enabled[c] = i && (value >> i % 32 & 1);
		store(ENABLE(c) + word * 4, value);
		break;
	case 4:
		thresholds[c] = value & 7;
		store(THRESHOLD(c), value);
		break;
	case 5:
	case 6:
		best = model_best(c);
		assert_int_equal(load(CLAIM(c)), best);
		model[best].pending = false;
		model[best].service = best != 0;
		break;
	default:
		model[s].service &= !model[s].enabled[c];
		model_gateways();
		store(CLAIM(c), s);
	}
}

static void test_model(void **state)
{
	uint64_t seed = 1;

	(void)state;
	memset(model, 0, sizeof(model));
	memset(thresholds, 0, sizeof(thresholds));
	for (unsigned int i = 0; i < STEPS; i++) {
		model_step(&seed);
		check_model();
	}
	assert_true(outputs > STEPS / 100);
}

/* Any access: an answer or a fault, sets within their bounds, the outputs as they must be. */
static void test_abuse(void **state)
{
	uint64_t seed = 2;

	(void)state;
	for (unsigned int i = 0; i < STEPS; i++) {
		uint64_t offset = bus_random(&seed) % HATCH_PLIC_SIZE;
		unsigned int width = 1U << bus_random(&seed) % 4;

		offset &= bus_random(&seed) & 1 ? 0x20300c : UINT64_MAX;
		bus_access(&plic.clause, offset, width, bus_random(&seed) & 1, bus_random(&seed));
		hatch_plic_set(&plic, bus_random(&seed) % 80, bus_random(&seed) & 1);
		assert_int_equal((plic.pending[2] | plic.service[2] | plic.level[2]) >> 7, 0);
		assert_int_equal(plic.pending[3] | plic.service[3] | plic.level[3], 0);
		assert_int_equal((plic.pending[0] | plic.service[0] | plic.level[0]) & 1, 0);
		assert_int_equal(plic.pending[0] & plic.service[0], 0);
		assert_int_equal(plic.level[1] & ~(plic.pending[1] | plic.service[1]), 0);
		for (unsigned int c = 0; c < CONTEXTS; c++)
			assert_int_equal(output[c], plic.context[c].output);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_limits, setup),
		cmocka_unit_test_setup(test_interrupt, setup),
		cmocka_unit_test_setup(test_request_stays, setup),
		cmocka_unit_test_setup(test_order, setup),
		cmocka_unit_test_setup(test_threshold, setup),
		cmocka_unit_test_setup(test_completion, setup),
		cmocka_unit_test_setup(test_line_and_reset, setup),
		cmocka_unit_test_setup(test_reserved, setup),
		cmocka_unit_test_setup(test_model, setup),
		cmocka_unit_test_setup(test_abuse, setup),
	};

	return cmocka_run_group_tests_name("plic", tests, NULL, NULL);
}
