/* SPDX-License-Identifier: MIT */
/*
 * The registry against a model: tables of 0, 1, 2 and 1,000 clauses, in which every key is looked
 * for by the tree and by asking one clause after the other.
 */
#include "support.h"

enum { MASKS = 5, MANY = 1000, LOOKS = 20000, ATTEMPTS = 100000 };

static struct hatch_catch clauses[MANY];

static enum hatch_verdict handler(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	(void)ev;
	return hatch_retry(k);
}

/* ---- The model ---- */

static bool is_between(uint64_t n, uint64_t first, uint64_t last)
{
	return n >= first && n <= last;
}

static bool model_catches(const struct hatch_catch *c, const struct hatch_event *ev)
{
	switch (ev->kind) {
	case HATCH_HYPERCALL:
		return is_between(ev->hypercall.extension, c->first, c->last) &&
		       is_between(ev->hypercall.function, c->function_first, c->function_last);
	case HATCH_SYSCALL:
		return is_between(ev->hypercall.extension, c->first, c->last);
	case HATCH_MMIO:
		for (unsigned int i = 0; i < ev->mmio.width; i++)
			if (ev->mmio.gpa.addr > UINT64_MAX - i ||
			    !is_between(ev->mmio.gpa.addr + i, c->first, c->last))
				return false;
		return true;
	case HATCH_PAGE:
		return is_between(ev->page.gpa.addr, c->first, c->last);
	case HATCH_ILLEGAL:
		return (ev->illegal.encoding & c->last) == c->first;
	case HATCH_CSR:
		return is_between(ev->csr.number, c->first, c->last);
	case HATCH_FAULT:
		return is_between(ev->fault.cause, c->first, c->last);
	default:
		return is_between(ev->interrupt.irq, c->first, c->last);
	}
}

static struct hatch_catch *model_find(unsigned int n, const struct hatch_event *ev)
{
	struct hatch_catch *found = NULL;

	for (unsigned int i = 0; i < n; i++) {
		if (!model_catches(&clauses[i], ev))
			continue;
		assert_null(found); /* two clauses for one event: they should not stand together */
		found = &clauses[i];
	}
	return found;
}

/* Two clauses overlap if there is a key that both take; these are the keys to ask about. */
static bool model_overlaps(const struct hatch_catch *a, const struct hatch_catch *b)
{
	uint64_t key = a->first > b->first ? a->first : b->first;
	uint64_t function = a->function_first > b->function_first ? a->function_first
								  : b->function_first;

	if (a->kind == HATCH_ILLEGAL) {
		key = a->first | b->first;
		return (key & a->last) == a->first && (key & b->last) == b->first;
	}
	return key <= a->last && key <= b->last && function <= a->function_last &&
	       function <= b->function_last;
}

/* ---- Random clauses and events ---- */

static uint64_t key_limit(enum hatch_kind kind)
{
	return kind == HATCH_CSR ? 0xfff : UINT64_MAX;
}

static struct hatch_catch random_illegal(void)
{
	static const uint32_t masks[MASKS] = { 0xffffffff, 0xfe00707f, 0xfff0707f, 0xfe007fff,
					       0xffff };
	uint32_t mask = masks[random_below(MASKS)];

	return HATCH_ON_ILLEGAL(mask, (uint32_t)random_bits() & mask, handler, NULL);
}

static struct hatch_catch random_clause(enum hatch_kind kind)
{
	uint64_t limit = key_limit(kind);
	uint64_t first = limit == UINT64_MAX ? random_bits() : random_below(limit + 1);
	uint64_t size = random_below(limit == UINT64_MAX ? BIT(40) : 6);
	struct hatch_catch c = HATCH_KEYED_(kind, first, first, handler, NULL);

	if (kind == HATCH_ILLEGAL)
		return random_illegal();
	if (kind == HATCH_HYPERCALL && random_below(4)) { /* few extensions, many functions */
		c.first = c.last = random_below(20);
		c.function_first = random_number();
		c.function_last = c.function_first + random_below(8);
		if (c.function_last < c.function_first)
			c.function_last = UINT64_MAX;
	} else if (random_below(4)) {
		c.last = size > limit - first ? limit : first + size;
	}
	return c;
}

static struct hatch_event event_at(enum hatch_kind kind, uint64_t key, uint64_t function)
{
	struct hatch_event ev = { .kind = kind };

	switch (kind) {
	case HATCH_HYPERCALL:
	case HATCH_SYSCALL:
		ev.hypercall.extension = key;
		ev.hypercall.function = function;
		break;
	case HATCH_MMIO:
		ev.mmio.gpa = hatch_gpa_of(key);
		ev.mmio.width = (uint8_t)BIT(function % 4);
		break;
	case HATCH_PAGE:
		ev.page.gpa = hatch_gpa_of(key);
		break;
	case HATCH_ILLEGAL:
		ev.illegal.encoding = (uint32_t)key;
		break;
	case HATCH_CSR:
		ev.csr.number = key & 0xfff;
		break;
	case HATCH_FAULT:
		ev.fault.cause = key;
		break;
	default:
		ev.interrupt.irq = (unsigned int)key;
	}
	return ev;
}

/* Mostly at the edges of a clause, where an order that is wrong by one shows. */
static struct hatch_event random_event(enum hatch_kind kind, unsigned int n)
{
	const struct hatch_catch *c = &clauses[n ? random_below(n) : 0];
	uint64_t keys[] = { c->first,	     c->last, c->first - 1, c->last + 1, random_bits(),
			    random_number(), 0,	      UINT64_MAX };
	uint64_t functions[] = { c->function_first,
				 c->function_last,
				 c->function_first - 1,
				 c->function_last + 1,
				 random_number(),
				 0,
				 UINT64_MAX };
	uint64_t key = keys[random_below(COUNT_OF(keys))];

	if (kind == HATCH_ILLEGAL && random_below(4))
		key = c->first | (random_bits() & ~c->last);
	return event_at(kind, key, functions[random_below(COUNT_OF(functions))]);
}

/* ---- The comparison ---- */

/* Adds random clauses until there are n, and checks each refusal. */
static void fill(struct hatch_scope *scope, enum hatch_kind kind, unsigned int n)
{
	unsigned int have = 0;

	hatch_scope_init(scope, "model", NULL);
	for (unsigned int i = 0; have < n && i < ATTEMPTS; i++) {
		int expected = HATCH_OK;

		clauses[have] = random_clause(kind);
		for (unsigned int j = 0; j < have; j++)
			if (model_overlaps(&clauses[j], &clauses[have]))
				expected = HATCH_EOVERLAP;
		assert_int_equal(hatch_catch_add(scope, &clauses[have]), expected);
		have += expected == HATCH_OK;
	}
	assert_int_equal(have, n);
}

static unsigned int depth(const struct hatch_catch *node)
{
	unsigned int left, right;

	if (!node)
		return 0;
	left = depth(node->left);
	right = depth(node->right);
	return 1 + (left > right ? left : right);
}

/* Balanced: of 1,000 clauses at most ten are looked at; of illegal ones ten for each mask. */
static void check_trees(const struct hatch_catch *tree, enum hatch_kind kind, unsigned int n)
{
	unsigned int groups = 0;

	for (; tree; tree = kind == HATCH_ILLEGAL ? tree->group : NULL, groups++)
		assert_true(BIT(depth(tree) - 1) <= n);
	assert_true(groups <= MASKS);
}

static void compare(enum hatch_kind kind, unsigned int n)
{
	struct hatch_scope scope;
	unsigned int found = 0, missed = 0;

	fill(&scope, kind, n);
	hatch_scope_seal(&scope);
	for (unsigned int i = 0; i < n; i++) {
		struct hatch_event ev = event_at(kind, clauses[i].first, clauses[i].function_first);

		if (kind == HATCH_MMIO)
			ev.mmio.width = 1;
		assert_ptr_equal(hatch_scope_find(&scope, &ev), &clauses[i]);
	}
	for (unsigned int i = 0; i < LOOKS; i++) {
		struct hatch_event ev = random_event(kind, n);
		struct hatch_catch *expected = model_find(n, &ev);

		assert_ptr_equal(hatch_scope_find(&scope, &ev), expected);
		found += expected != NULL;
		missed += expected == NULL;
	}
	check_trees(scope.tree[kind], kind, n);
	if (n > 2)
		assert_true(found > LOOKS / 20 && missed > LOOKS / 20);
	hatch_scope_unseal(&scope);
}

static void test_against_model(void **state)
{
	static const enum hatch_kind kinds[] = { HATCH_HYPERCALL, HATCH_SYSCALL, HATCH_MMIO,
						 HATCH_PAGE,	  HATCH_ILLEGAL, HATCH_FAULT };
	static const unsigned int sizes[] = { 0, 1, 2, 3, 7, 100, MANY };

	(void)state;
	for (size_t k = 0; k < COUNT_OF(kinds); k++)
		for (size_t i = 0; i < COUNT_OF(sizes); i++)
			compare(kinds[k], sizes[i]);
	for (size_t i = 0; i < 6; i++) /* there are only 4,096 CSRs */
		compare(HATCH_CSR, sizes[i]);
}

static void expect_at(struct hatch_scope *scope, enum hatch_kind kind, uint64_t key,
		      const struct hatch_catch *expected)
{
	struct hatch_event ev = event_at(kind, key, 0);

	assert_ptr_equal(hatch_scope_find(scope, &ev), expected);
}

/* Both ends of the key space, where a sum or a difference would wrap. */
static void test_ends(void **state)
{
	struct hatch_catch low = HATCH_KEYED_(HATCH_SYSCALL, 0, 0, handler, NULL);
	struct hatch_catch middle = HATCH_KEYED_(HATCH_SYSCALL, 5, UINT64_MAX - 5, handler, NULL);
	struct hatch_catch high =
		HATCH_KEYED_(HATCH_SYSCALL, UINT64_MAX, UINT64_MAX, handler, NULL);
	struct hatch_scope scope;

	(void)state;
	hatch_scope_init(&scope, "ends", NULL);
	assert_int_equal(hatch_catch_add(&scope, &middle), HATCH_OK);
	assert_int_equal(hatch_catch_add(&scope, &high), HATCH_OK);
	assert_int_equal(hatch_catch_add(&scope, &low), HATCH_OK);
	hatch_scope_seal(&scope);
	expect_at(&scope, HATCH_SYSCALL, 0, &low);
	expect_at(&scope, HATCH_SYSCALL, 1, NULL);
	expect_at(&scope, HATCH_SYSCALL, 4, NULL);
	expect_at(&scope, HATCH_SYSCALL, 5, &middle);
	expect_at(&scope, HATCH_SYSCALL, UINT64_MAX - 5, &middle);
	expect_at(&scope, HATCH_SYSCALL, UINT64_MAX - 4, NULL);
	expect_at(&scope, HATCH_SYSCALL, UINT64_MAX - 1, NULL);
	expect_at(&scope, HATCH_SYSCALL, UINT64_MAX, &high);
	hatch_scope_unseal(&scope);
}

/* An access belongs to a device with all its bytes or not at all. */
static void test_straddling_access(void **state)
{
	struct hatch_catch one = HATCH_ON_MMIO(0x1000, 0x10, handler, NULL);
	struct hatch_catch two = HATCH_ON_MMIO(0x1010, 0x10, handler, NULL);
	struct hatch_catch top = HATCH_ON_MMIO(UINT64_MAX - 3, 4, handler, NULL);
	struct hatch_scope scope;

	(void)state;
	hatch_scope_init(&scope, "devices", NULL);
	assert_int_equal(hatch_catch_add(&scope, &one), HATCH_OK);
	assert_int_equal(hatch_catch_add(&scope, &two), HATCH_OK);
	assert_int_equal(hatch_catch_add(&scope, &top), HATCH_OK);
	hatch_scope_seal(&scope);
	for (uint64_t width = 1; width <= 8; width *= 2) {
		for (uint64_t at = 0xff0; at < 0x1030; at++) {
			struct hatch_event ev = { .kind = HATCH_MMIO };
			struct hatch_catch *expected = NULL;

			ev.mmio.gpa = hatch_gpa_of(at);
			ev.mmio.width = (uint8_t)width;
			if (at >= 0x1000 && at + width <= 0x1010)
				expected = &one;
			if (at >= 0x1010 && at + width <= 0x1020)
				expected = &two;
			assert_ptr_equal(hatch_scope_find(&scope, &ev), expected);
		}
	}
	expect_at(&scope, HATCH_MMIO, UINT64_MAX, &top);
	hatch_scope_unseal(&scope);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_model),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_straddling_access),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
