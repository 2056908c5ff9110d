/* SPDX-License-Identifier: MIT */
/* File trees out of cpio archives: sound ones, damaged ones, and paths through them. */
#include "process_fake.h"

enum { FOLLOW = true, STOP = false };

static int setup(void **state)
{
	static struct hatch_gstage unused;

	(void)state;
	begin(&unused, HATCH_SV39X4);
	hatch_gstage_fini(&unused);
	archive.size = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	hatch_files_fini(&files);
	assert_int_equal(arena.bytes, 0);
	return 0;
}

static int init(void)
{
	return hatch_files_init(&files, &arena.memory, archive.bytes, archive.size);
}

static int64_t find(const char *path)
{
	return hatch_files_find(&files, HATCH_FILES_ROOT, path, FOLLOW);
}

static void tree(void)
{
	archive_folder(&archive, ".");
	archive_folder(&archive, "./bin");
	archive_text(&archive, "./bin/prog", "program");
	archive_link(&archive, "sh", "bin/prog");
	archive_folder(&archive, "/usr");
	archive_link(&archive, "usr/bin", "../bin");
	archive_link(&archive, "usr/up", "..");
	archive_link(&archive, "loop", "loop");
	archive_link(&archive, "a", "b");
	archive_link(&archive, "b", "a");
	archive_link(&archive, "out", "/../../../bin");
	archive_link(&archive, "empty", "");
	archive_add(&archive, "null", 0020666, NULL, 0); /* a device: passed over */
	archive_end(&archive);
	assert_int_equal(init(), 0);
}

static void test_tree(void **state)
{
	const struct hatch_file *file;

	(void)state;
	tree();
	assert_null(files.problem);
	file = &files.file[find("/bin/prog")];
	assert_int_equal(file->size, 7);
	assert_memory_equal(file->data, "program", 7);
	assert_int_equal(file->mode, HATCH_FILE_REGULAR | 0644);
	assert_int_equal(file->time, 86400);
	assert_int_equal(find("/null"), -LINUX_ENOENT);
	assert_int_equal(files.file[HATCH_FILES_ROOT].child, find("/bin"));
}

static void test_paths(void **state)
{
	int64_t prog;

	(void)state;
	tree();
	prog = find("/bin/prog");
	assert_true(prog > 0);
	assert_int_equal(find("bin/prog"), prog);
	assert_int_equal(find("//bin///prog"), prog);
	assert_int_equal(find("/./bin/./prog"), prog);
	assert_int_equal(find("/bin/../bin/prog"), prog);
	assert_int_equal(find("/../../bin/prog"), prog); /* above the root is the root */
	assert_int_equal(find("/.."), HATCH_FILES_ROOT);
	assert_int_equal(find("/bin/"), find("/bin"));
	assert_int_equal(hatch_files_find(&files, (uint32_t)find("/usr"), "../bin/prog", FOLLOW),
			 prog);
	assert_int_equal(find(""), -LINUX_ENOENT);
	assert_int_equal(find("/bin/nothing"), -LINUX_ENOENT);
	assert_int_equal(find("/bin/pro"), -LINUX_ENOENT);
	assert_int_equal(find("/bin/progs"), -LINUX_ENOENT);
	assert_int_equal(find("/bin/prog/"), -LINUX_ENOTDIR);
	assert_int_equal(find("/bin/prog/.."), -LINUX_ENOTDIR);
}

static void test_links(void **state)
{
	int64_t prog;

	(void)state;
	tree();
	prog = find("/bin/prog");
	assert_int_equal(find("/sh"), prog);
	assert_int_not_equal(hatch_files_find(&files, 0, "/sh", STOP), prog);
	assert_int_equal(find("/usr/bin/prog"), prog);
	assert_int_equal(hatch_files_find(&files, 0, "/usr/bin/prog", STOP), prog);
	assert_int_equal(find("/usr/up/usr/up/bin/prog"), prog);
	assert_int_equal(find("/out/prog"), prog); /* a link does not lead out either */
	assert_int_equal(find("/loop"), -LINUX_ELOOP);
	assert_int_equal(find("/a"), -LINUX_ELOOP);
	assert_int_equal(find("/empty"), -LINUX_ENOENT);
	assert_int_equal(find("/sh/x"), -LINUX_ENOTDIR);
	/* Eight links in one path are enough for anybody. */
	assert_int_equal(find("/usr/up/usr/up/usr/up/usr/up/usr/up/usr/up/usr/up/usr/up/sh"),
			 -LINUX_ELOOP);
}

static void test_long_paths(void **state)
{
	static char path[5000];

	(void)state;
	tree();
	memset(path, '/', sizeof(path) - 1);
	assert_int_equal(find(path), -LINUX_ENAMETOOLONG);
	path[4095] = '\0';
	assert_int_equal(find(path), HATCH_FILES_ROOT);
	/* A link that makes it longer. */
	memcpy(path, "/out", 4);
	assert_int_equal(find(path), -LINUX_ENAMETOOLONG);
}

static void test_names(void **state)
{
	char path[16];

	(void)state;
	tree();
	assert_int_equal(hatch_files_path(&files, 0, path, sizeof(path)), 2);
	assert_string_equal(path, "/");
	assert_int_equal(hatch_files_path(&files, (uint32_t)find("/bin/prog"), path, 10), 10);
	assert_string_equal(path, "/bin/prog");
	for (size_t size = 0; size < 10; size++)
		assert_int_equal(hatch_files_path(&files, (uint32_t)find("/bin/prog"), path, size),
				 HATCH_E2BIG);
	assert_int_equal(hatch_files_path(&files, 0, path, 1), HATCH_E2BIG);
	assert_true(
		hatch_files_is_below(&files, (uint32_t)find("/bin/prog"), (uint32_t)find("/bin")));
	assert_true(hatch_files_is_below(&files, (uint32_t)find("/bin"), (uint32_t)find("/bin")));
	assert_false(
		hatch_files_is_below(&files, (uint32_t)find("/bin/prog"), (uint32_t)find("/usr")));
}

/* ---- Damaged archives ---- */

static void refuse(const char *problem)
{
	archive_end(&archive);
	assert_int_equal(init(), HATCH_EFORMAT);
	assert_non_null(files.problem);
	if (!strstr(files.problem, problem))
		fail_msg("the problem is '%s', not '%s'", files.problem, problem);
	assert_null(files.file);
	assert_int_equal(arena.bytes, 0);
	archive.size = 0;
}

static void test_strange_entries(void **state)
{
	char name[300];

	(void)state;
	archive_text(&archive, "a/b", "");
	refuse("did not come before");
	archive_text(&archive, "a", "");
	archive_text(&archive, "a/b", "");
	refuse("did not come before");
	archive_text(&archive, "a", "");
	archive_text(&archive, "./a", "");
	refuse("same name");
	archive_text(&archive, "..", "");
	refuse("without a name");
	archive_folder(&archive, "a");
	archive_text(&archive, "a/..", "");
	refuse("without a name");
	archive_folder(&archive, "a");
	archive_text(&archive, "a/.", "");
	refuse("without a name");
	archive_text(&archive, "a/", "");
	refuse("did not come before");
	archive_text(&archive, "/", "");
	refuse("root that is no folder");
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	archive_text(&archive, name, "");
	refuse("without a name");
}

/* Each eight digits of the first header are made wrong in turn. */
static void test_strange_numbers(void **state)
{
	static const char *const numbers[] = { "0000000g", "        ", "-0000001", "ffffffff" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		static const unsigned int fields[] = { 1, 6, 11 };

		for (size_t f = 0; f < COUNT_OF(fields); f++) {
			archive_text(&archive, "a", "text");
			archive_end(&archive);
			memcpy(archive.bytes + 6 + fields[f] * 8, numbers[i], 8);
			if (i == 3 && f == 0)
				assert_int_equal(init(), 0); /* a mode is what it is */
			else
				assert_int_equal(init(), HATCH_EFORMAT);
			hatch_files_fini(&files);
			archive.size = 0;
		}
	}
}

/* Cut off anywhere, it is refused, and nothing behind the cut is looked at. */
static void test_truncated(void **state)
{
	uint8_t *cut;

	(void)state;
	tree();
	hatch_files_fini(&files);
	for (size_t size = 0; size < archive.size; size++) {
		cut = malloc(size ? size : 1);
		memcpy(cut, archive.bytes, size);
		assert_int_equal(hatch_files_init(&files, &arena.memory, cut, size), HATCH_EFORMAT);
		assert_int_equal(arena.bytes, 0);
		free(cut);
	}
}

/* Whatever the bytes are, the tree that comes of them is sound. */
static void check_tree(void)
{
	uint32_t children = 0;

	for (uint32_t i = 0; i < files.count; i++) {
		const struct hatch_file *file = &files.file[i];
		uint32_t kind = file->mode & HATCH_FILE_KIND;

		assert_true(file->parent <= i);
		assert_true(file->size <= archive.size);
		if (i && kind != HATCH_FILE_FOLDER)
			assert_int_equal(file->child, HATCH_FILES_NONE);
		for (uint32_t c = file->child; c != HATCH_FILES_NONE; c = files.file[c].sibling) {
			assert_int_equal(files.file[c].parent, i);
			children++;
		}
	}
	assert_int_equal(children, files.count - 1);
}

static void test_random_damage(void **state)
{
	static struct archive whole;
	unsigned int sound = 0;

	(void)state;
	tree();
	whole = archive;
	hatch_files_fini(&files);
	for (unsigned int round = 0; round < 20000; round++) {
		archive = whole;
		for (uint64_t i = random_below(4) + 1; i--;)
			archive.bytes[random_below(archive.size)] =
				random_below(2) ? "0123456789abcdef/."[random_below(18)]
						: (uint8_t)random_bits();
		if (init()) {
			assert_non_null(files.problem);
		} else {
			check_tree();
			find("/usr/bin/prog");
			sound++;
		}
		hatch_files_fini(&files);
		assert_int_equal(arena.bytes, 0);
	}
	assert_true(sound > 100);
}

/* ---- Many names ---- */

enum { NAMES = 100000, NAME_ENTRY = 120 };

/* One folder with `count` files, named by what `name_of` makes of their numbers. */
static int init_names(uint8_t *bytes, uint32_t count, uint32_t (*name_of)(uint32_t))
{
	size_t size = 0;

	for (uint32_t i = 0; i <= count; i++, size += NAME_ENTRY) {
		char *to = (char *)bytes + size;

		sprintf(to, "070701%08x%08x%072x%08x%08x", 0, HATCH_FILE_REGULAR, 0, 9, 0);
		sprintf(to + 110, "%08x", i < count ? name_of(i) : 0);
		if (i == count)
			sprintf(to, "070701%088x%08x%08xTRAILER!!!", 0, 11, 0);
	}
	return hatch_files_init(&files, &arena.memory, bytes, size + 4);
}

static uint32_t itself(uint32_t number)
{
	return number;
}

/* A folder of many files takes a second or less, not minutes. */
static void test_many_names(void **state)
{
	uint8_t *bytes = calloc(NAMES + 2, NAME_ENTRY);
	char name[16];

	(void)state;
	assert_int_equal(init_names(bytes, NAMES, itself), 0);
	assert_int_equal(files.count, NAMES + 1);
	for (uint32_t i = 0; i < NAMES; i++) {
		sprintf(name, "%08x", i);
		assert_int_equal(find(name), i + 1);
	}
	check_tree();
	assert_int_equal(find("ffffffff"), -LINUX_ENOENT);
	hatch_files_fini(&files);
	free(bytes);
}

/* The slot that a number's name has in an index of 512, which 66 entries make. */
static uint32_t slot_of(uint32_t number)
{
	uint64_t sum = HATCH_FILES_ROOT;
	char name[16];

	sprintf(name, "%08x", number);
	for (unsigned int i = 0; i < 8; i++)
		sum = (sum ^ (uint8_t)name[i]) * UINT64_C(0x100000001b3);
	return (uint32_t)(sum * UINT64_C(0x9e3779b97f4a7c15) >> 32) % 512;
}

/* Numbers whose names all want the same slot. */
static uint32_t fellow(uint32_t number)
{
	static uint32_t last;

	for (last = number ? last + 1 : 0; slot_of(last) != 5;)
		last++;
	return last;
}

/* Nobody's files are called so by chance. */
static void test_names_that_fall_together(void **state)
{
	static uint8_t bytes[68 * NAME_ENTRY];

	(void)state;
	assert_int_equal(init_names(bytes, 64, fellow), 0);
	hatch_files_fini(&files);
	memset(bytes, 0, sizeof(bytes));
	assert_int_equal(init_names(bytes, 65, fellow), HATCH_EFORMAT);
	assert_non_null(strstr(files.problem, "slow to find"));
}

static void test_no_memory(void **state)
{
	(void)state;
	archive_end(&archive);
	arena.fail_after = 0;
	assert_int_equal(init(), HATCH_ENOMEM);
	arena.fail_after = NEVER;
	assert_int_equal(init(), 0);
	assert_int_equal(files.count, 1);
	assert_int_equal(hatch_files_init(NULL, &arena.memory, archive.bytes, 1), HATCH_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_tree, setup, teardown),
		cmocka_unit_test_setup_teardown(test_paths, setup, teardown),
		cmocka_unit_test_setup_teardown(test_links, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_paths, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_strange_entries, setup, teardown),
		cmocka_unit_test_setup_teardown(test_strange_numbers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_truncated, setup, teardown),
		cmocka_unit_test_setup_teardown(test_random_damage, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names_that_fall_together, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
