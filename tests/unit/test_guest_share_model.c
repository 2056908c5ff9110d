/* SPDX-License-Identifier: MIT */
/*
 * Guests that share memory, under thousands of random steps against plain arrays: clones of
 * clones, writes by guests and by the host, transactions, changes of mappings, and memory that
 * runs out.
 */
#include <inttypes.h>

#include "family_world.h"

/* ---- The guest's accesses ---- */

static void guest_store(struct member *m, unsigned int page)
{
	uint64_t at = random_below(PAGE / 8) * 8, gpa = gpa_of(page) + at, value = random_bits();
	struct tlb_entry *entry = translate(m, gpa);

	if (!entry || !entry->writable) {
		int error = hatch_guest_unshare(&m->guest, hatch_gpa_of(gpa));

		if (!(m->model.prot[page] & HATCH_PROT_WRITE)) {
			assert_int_equal(error, m->model.prot[page] ? HATCH_ENOENT : HATCH_EFAULT);
			return;
		}
		if (!succeeds(error))
			return;
		entry = translate(m, gpa);
	}
	assert_non_null(entry);
	assert_true(entry->writable && m->model.prot[page] & HATCH_PROT_WRITE);
	memcpy(entry->host + at, &value, 8);
	memcpy(model_page(&m->model, page) + at, &value, 8);
}

static void guest_load(struct member *m, unsigned int page)
{
	struct tlb_entry *entry = translate(m, gpa_of(page));

	assert_int_equal(entry != NULL, m->model.prot[page] != 0);
	if (entry)
		assert_memory_equal(entry->host, model_page(&m->model, page), PAGE);
}

/* ---- The host's accesses ---- */

static void host_write(struct member *m, unsigned int page)
{
	static uint8_t bytes[3 * PAGE];
	uint64_t at = random_below(PAGE), size = 1 + random_below(2 * PAGE), done = 0;
	int error = HATCH_OK;

	for (uint64_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)random_bits();
	/* The areas do not touch: a write that leaves one ends there. */
	while (done < size) {
		uint64_t to = at + done, n = PAGE - to % PAGE;
		unsigned int p = page + (unsigned int)(to / PAGE);

		n = n < size - done ? n : size - done;
		if (p >= PAGES || gpa_of(p) != gpa_of(page) + to / PAGE * PAGE ||
		    !(m->model.prot[p] & HATCH_PROT_WRITE)) {
			error = HATCH_EFAULT;
			break;
		}
		memcpy(model_page(&m->model, p) + to % PAGE, bytes + done, n);
		done += n;
	}
	if (hatch_guest_write(&m->guest, hatch_gpa_of(gpa_of(page) + at), bytes, size) == error)
		return;
	/* What was written before memory ran out is written again. */
	assert_true(scarce);
	arena.fail_after = NEVER;
	assert_int_equal(hatch_guest_write(&m->guest, hatch_gpa_of(gpa_of(page) + at), bytes, size),
			 error);
}

static void host_pointer(struct member *m, unsigned int page)
{
	size_t size = 64;
	uint8_t *p = hatch_guest_pointer(&m->guest, hatch_gpa_of(gpa_of(page) + 128), &size,
					 HATCH_PROT_READ | HATCH_PROT_WRITE);

	if (!p && scarce)
		return;
	assert_int_equal(p != NULL, (m->model.prot[page] & 3) == 3);
	if (!p)
		return;
	assert_int_equal(size, 64);
	memset(p, (int)random_below(256), size);
	memcpy(model_page(&m->model, page) + 128, p, size);
}

/* ---- Guests come and go ---- */

static void model_init(struct model *m, const struct model *from)
{
	m->now = malloc(LENT * PAGE);
	m->before = malloc(LENT * PAGE);
	m->open = false;
	if (from) {
		memcpy(m->now, from->now, LENT * PAGE);
		memcpy(m->prot, from->prot, sizeof(m->prot));
	}
}

static void end_member(struct member *m)
{
	hatch_guest_fini(&m->guest);
	assert_null(m->guest.stage.root);
	free(m->model.now);
	free(m->model.before);
	m->alive = false;
}

static void clone_member(struct member *from)
{
	struct member *to = pick_member(false);

	if (!to) {
		to = pick_member(true);
		if (to == from)
			return;
		end_member(to);
	}
	memset(to->tlb, 0, sizeof(to->tlb));
	if (!succeeds(hatch_guest_clone(&to->guest, &from->guest)))
		return;
	model_init(&to->model, &from->model);
	to->alive = true;
}

/* ---- Transactions ---- */

static void begin_or_end(struct member *m)
{
	struct model *model = &m->model;

	if (!model->open) {
		if (!succeeds(hatch_guest_begin(&m->guest)))
			return;
		memcpy(model->before, model->now, LENT * PAGE);
	} else if (random_below(3) == 0) {
		hatch_guest_commit(&m->guest);
	} else {
		hatch_guest_rollback(&m->guest);
		memcpy(model->now, model->before, LENT * PAGE);
	}
	model->open = !model->open;
	if (model->open)
		assert_int_equal(hatch_guest_begin(&m->guest), HATCH_EBUSY);
}

/* ---- Mappings ---- */

/* How many pages from `page` on lie in one piece. */
static unsigned int pick_count(unsigned int page)
{
	unsigned int n = 1 + (unsigned int)random_below(6);

	while (page + n > PAGES || gpa_of(page + n - 1) != gpa_of(page) + (n - 1) * PAGE)
		n--;
	return n;
}

static void change_rights(struct member *m, unsigned int page)
{
	static const unsigned int rights[] = { 1, 3, 3, 5, 7, 7 };
	unsigned int n = pick_count(page), prot = rights[random_below(COUNT_OF(rights))];
	int expected = HATCH_OK, error;

	for (unsigned int i = page; i < page + n; i++)
		if (!m->model.prot[i])
			expected = HATCH_EFAULT;
	error = hatch_gstage_protect(&m->guest.stage, hatch_gpa_of(gpa_of(page)), n * PAGE, prot);
	if (expected)
		assert_int_equal(error, expected);
	else if (succeeds(error))
		for (unsigned int i = page; i < page + n; i++)
			m->model.prot[i] = prot;
}

static void unmap_pages(struct member *m, unsigned int page)
{
	unsigned int n = pick_count(page);

	if (page < LAZY && random_below(4))
		return; /* for these do not come back */
	if (page >= LAZY && page < LENT && random_below(2)) {
		page = LAZY; /* all of them, and the table */
		n = SMALL_PAGES;
	}
	if (succeeds(hatch_gstage_unmap(&m->guest.stage, hatch_gpa_of(gpa_of(page)), n * PAGE)))
		for (unsigned int i = page; i < page + n; i++)
			m->model.prot[i] = 0;
}

/* A page on demand: until the next rollback it has what it came with. */
static void map_page(struct member *m, unsigned int page)
{
	struct model *model = &m->model;
	uint8_t *fresh;

	if (page < LAZY || page >= LENT || model->prot[page])
		return;
	fresh = arena_alloc(&arena, PAGE, PAGE);
	if (!fresh)
		return;
	memset(fresh, (int)random_below(256), PAGE);
	if (!succeeds(hatch_gstage_map(&m->guest.stage, hatch_gpa_of(gpa_of(page)),
				       arena_physical(&arena, fresh), PAGE, HATCH_PROT_ALL))) {
		arena_free(&arena, fresh, PAGE);
		return;
	}
	lazy_pages[lazy_used++] = fresh;
	model->prot[page] = HATCH_PROT_ALL;
	memcpy(model->now[page], fresh, PAGE);
	memcpy(model->before[page], fresh, PAGE);
}

/* ---- Accounts ---- */

/* How many living guests have this page of the pool. */
static unsigned int users_of(uint64_t ppn)
{
	unsigned int users = 0;
	uint64_t mask;

	for (unsigned int g = 0; g < GUESTS; g++) {
		for (unsigned int i = 0; members[g].alive && i < PAGES; i++) {
			uint64_t pte = leaf_at(&members[g].guest.stage, gpa_of(i), &mask);

			users += pte & 1 << 9 && pte >> 10 == ppn;
		}
	}
	return users;
}

/* While no transaction holds old pages, private is what the tables of the others do not have. */
static void check_private(struct member *m)
{
	size_t pages = m->guest.stage.pages;
	uint64_t mask;

	for (unsigned int g = 0; g < GUESTS; g++)
		if (members[g].alive && members[g].model.open)
			return;
	for (unsigned int i = 0; i < PAGES; i++) {
		uint64_t pte = leaf_at(&m->guest.stage, gpa_of(i), &mask);

		if (pte & 1 << 9)
			pages += users_of(pte >> 10) == 1;
	}
	assert_int_equal(hatch_guest_private_pages(&m->guest), pages);
}

static void check_member(struct member *m)
{
	static uint8_t bytes[PAGE];
	hatch_hpa root = arena_physical(&arena, m->guest.stage.root);

	for (unsigned int i = 0; i < PAGES; i++) {
		int error = hatch_guest_read(&m->guest, hatch_gpa_of(gpa_of(i)), bytes, PAGE);

		assert_int_equal(error, m->model.prot[i] ? HATCH_OK : HATCH_EFAULT);
		if (!error)
			assert_memory_equal(bytes, model_page(&m->model, i), PAGE);
		assert_int_equal(hatch_guest_check(&m->guest, hatch_gpa_of(gpa_of(i)), PAGE,
						   HATCH_PROT_READ | HATCH_PROT_WRITE),
				 (m->model.prot[i] & 3) == 3 ? HATCH_OK : HATCH_EFAULT);
	}
	assert_int_equal(m->guest.stage.pages,
			 count_pages(root, (int)top_of(m->guest.stage.mode), 2048));
}

/* ---- Runs ---- */

static void step(void)
{
	struct member *m = pick_member(true);
	unsigned int page = pick_page(), what = (unsigned int)random_below(100);

	scarce = random_below(6) == 0;
	arena.fail_after = scarce ? (int)random_below(4) : NEVER;
	if (what < 36)
		guest_store(m, page);
	else if (what < 50)
		guest_load(m, page);
	else if (what < 62)
		host_write(m, page);
	else if (what < 70)
		host_pointer(m, page);
	else if (what < 74)
		clone_member(m);
	else if (what < 76 && pick_member(false) && m != pick_member(true))
		end_member(m);
	else if (what < 83)
		begin_or_end(m);
	else if (what < 87)
		change_rights(m, page);
	else if (what < 90)
		unmap_pages(m, page);
	else
		map_page(m, what < 98 ? LAZY + (unsigned int)random_below(SMALL_PAGES) : page);
	arena.fail_after = NEVER;
}

static void begin_run(enum hatch_gstage_mode mode)
{
	struct member *m = &members[0];
	struct hatch_guest *guest = &m->guest;

	*guest = (struct hatch_guest){ .regions = 0 };
	begin(&guest->stage, mode);
	guest->stage.fence = on_fence;
	memset(m->tlb, 0, sizeof(m->tlb));
	assert_int_equal(
		hatch_guest_add_ram(guest, hatch_gpa_of(base_of_area[0]), LARGE_PAGES * PAGE), 0);
	assert_int_equal(
		hatch_guest_add_ram(guest, hatch_gpa_of(base_of_area[1]), SMALL_PAGES * PAGE), 0);
	assert_int_equal(
		hatch_guest_add_lazy(guest, hatch_gpa_of(base_of_area[2]), SMALL_PAGES * PAGE), 0);
	memset(lent, 0, sizeof(lent));
	memset(lent_model, 0, sizeof(lent_model));
	assert_int_equal(hatch_guest_lend(guest, hatch_gpa_of(base_of_area[3]), lent, sizeof(lent),
					  HATCH_PROT_ALL),
			 0);
	model_init(&m->model, NULL);
	memset(m->model.now, 0, LENT * PAGE);
	for (unsigned int i = 0; i < PAGES; i++)
		m->model.prot[i] = i >= LAZY && i < LENT ? 0 : HATCH_PROT_ALL;
	for (unsigned int i = 0; i < HOT; i++)
		hot[i] = (unsigned int)random_below(PAGES) | (i % 2 ? LARGE_PAGES : 0);
	for (unsigned int i = 0; i < HOT; i++)
		hot[i] = hot[i] < PAGES ? hot[i] : LARGE_PAGES + hot[i] % (3 * SMALL_PAGES);
	m->alive = true;
	lazy_used = 0;
}

static void end_run(void)
{
	struct member *m;

	while ((m = pick_member(true))) {
		check_member(m);
		end_member(m);
	}
	while (lazy_used)
		arena_free(&arena, lazy_pages[--lazy_used], PAGE);
	assert_int_equal(arena.bytes, 0);
}

static void test_model(void **state)
{
	(void)state;
	for (uint64_t run = 0; run < RUNS; run++) {
		random_state = 0x9e3779b97f4a7c15 ^ (run * 0x1234567);
		print_message("seed 0x%" PRIx64 "\n", random_state);
		begin_run(run % 2 ? HATCH_SV48X4 : HATCH_SV39X4);
		for (unsigned int i = 0; i < STEPS; i++) {
			step();
			if (i % 50 == 0)
				check_member(pick_member(true));
			if (i % 200 == 0)
				check_private(pick_member(true));
		}
		end_run();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_model),
	};

	return cmocka_run_group_tests_name("guest_share_model", tests, NULL, NULL);
}
