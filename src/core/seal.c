/* SPDX-License-Identifier: MIT */
/*
 * How a scope's clauses are found: a balanced search tree for each kind, built once when the
 * scope is sealed, out of the clauses themselves.
 */
#include <hatch/catch.h>
#include "fast.h"

/* The order of the keys. Of illegal clauses the mask (`last`) comes first: see build_groups. */
static bool is_before(const struct hatch_catch *a, const struct hatch_catch *b)
{
	if (a->kind == HATCH_ILLEGAL && a->last != b->last)
		return a->last < b->last;
	if (a->first != b->first)
		return a->first < b->first;
	return a->function_first < b->function_first;
}

/* Merges two sorted lists, linked by `right`. */
static struct hatch_catch *merge(struct hatch_catch *a, struct hatch_catch *b)
{
	struct hatch_catch *head = NULL, **tail = &head;

	while (a && b) {
		struct hatch_catch **least = is_before(b, a) ? &b : &a;

		*tail = *least;
		tail = &(*tail)->right;
		*least = *tail;
	}
	*tail = a ? a : b;
	return head;
}

static struct hatch_catch *sort(struct hatch_catch *list)
{
	struct hatch_catch *slow = list, *fast, *second;

	if (!list || !list->right)
		return list;
	for (fast = list->right; fast && fast->right; fast = fast->right->right)
		slow = slow->right;
	second = slow->right;
	slow->right = NULL;
	return merge(sort(list), sort(second));
}

/* Makes a balanced tree of the next n clauses of the sorted list and moves *list behind them. */
static struct hatch_catch *build(struct hatch_catch **list, size_t n)
{
	struct hatch_catch *left, *root;

	if (n == 0)
		return NULL;
	left = build(list, n / 2);
	root = *list;
	*list = root->right;
	root->left = left;
	root->right = build(list, n - n / 2 - 1);
	return root;
}

/* Encodings under one mask are ordered; those under different masks are not. A tree for each. */
static struct hatch_catch *build_groups(struct hatch_catch *list)
{
	struct hatch_catch *first = NULL, **link = &first;

	while (list) {
		size_t n = 0;

		for (struct hatch_catch *c = list; c && c->last == list->last; c = c->right)
			n++;
		*link = build(&list, n);
		(*link)->group = NULL;
		link = &(*link)->group;
	}
	return first;
}

static void build_kind(struct hatch_scope *scope, enum hatch_kind kind)
{
	struct hatch_catch *list = NULL;
	size_t n = 0;

	for (struct hatch_catch *c = scope->clauses; c; c = c->next) {
		if (c->kind != kind)
			continue;
		c->right = list;
		list = c;
		n++;
	}
	list = sort(list);
	scope->tree[kind] = kind == HATCH_ILLEGAL ? build_groups(list) : build(&list, n);
}

static void build_all(struct hatch_scope *scope)
{
	scope->any = NULL;
	for (unsigned int kind = 0; kind < HATCH_KINDS; kind++)
		build_kind(scope, (enum hatch_kind)kind);
	for (struct hatch_catch *c = scope->clauses; c; c = c->next)
		if (c->kind == HATCH_ANY)
			scope->any = c;
	scope->built = true;
}

void hatch_scope_seal(struct hatch_scope *scope)
{
	hatch_lock_acquire(&scope->lock);
	if (!scope->built)
		build_all(scope);
	scope->sealed++;
	hatch_lock_release(&scope->lock);
}

void hatch_scope_unseal(struct hatch_scope *scope)
{
	hatch_lock_acquire(&scope->lock);
	if (scope->sealed)
		scope->sealed--;
	hatch_lock_release(&scope->lock);
}

/* The last clause that begins at or before the key. */
static struct hatch_catch *last_before(struct hatch_catch *node, uint64_t key, uint64_t function)
{
	struct hatch_catch *best = NULL;

	while (node) {
		if (node->first < key || (node->first == key && node->function_first <= function)) {
			best = node;
			node = node->right;
		} else {
			node = node->left;
		}
	}
	return best;
}

static struct hatch_catch *search(struct hatch_catch *tree, uint64_t key, uint64_t function)
{
	struct hatch_catch *best = last_before(tree, key, function);

	return best && key <= best->last && function <= best->function_last ? best : NULL;
}

bool hatch_scope_meets(const struct hatch_scope *scope, enum hatch_kind kind, uint64_t first,
		       uint64_t last)
{
	const struct hatch_catch *best = last_before(scope->tree[kind], last, UINT64_MAX);

	return best && best->last >= first;
}

static struct hatch_catch *search_groups(struct hatch_catch *group, uint64_t encoding)
{
	for (; group; group = group->group) {
		struct hatch_catch *node = group;
		uint64_t key = encoding & group->last;

		while (node && node->first != key)
			node = node->first < key ? node->right : node->left;
		if (node)
			return node;
	}
	return NULL;
}

struct hatch_catch *hatch_scope_find(const struct hatch_scope *scope, const struct hatch_event *ev)
{
	uint64_t key = hatch_event_key(ev);
	struct hatch_catch *clause;

	if (ev->kind == HATCH_ILLEGAL)
		return search_groups(scope->tree[HATCH_ILLEGAL], key);
	clause = search(scope->tree[ev->kind], key,
			ev->kind == HATCH_HYPERCALL ? ev->hypercall.function : 0);
	/* An access that begins in a device and ends outside belongs to neither. */
	if (clause && ev->kind == HATCH_MMIO && ev->mmio.width - 1U > clause->last - key)
		return NULL;
	return clause;
}
