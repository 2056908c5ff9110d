/* SPDX-License-Identifier: MIT */
/* Who runs the agent's command, with which variables, and which file is its program. */
#include <stdlib.h>

#include "support.h"

#include "words.h"

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
			     "broken\n"
			     ":::\n"
			     "huge:x:99999999999:1::/:\n"
			     "anna:x:1000:100:Anna,,,:/srv/anna:/bin/sh\n"
			     "7:x:1007:1007::/srv/seven:/bin/sh\n"
			     "nohome:x:1001:101";
static const char group[] = "root:x:0:\nwheel:x:10:root,anna\nusers:x:100:\n"
			    "odd:x:nan:anna\nvideo:x:44:annabel,anna\nlast:x:50:anna";

static void users_are_found(void **state)
{
	struct user user;

	assert_null(user_find(NULL, passwd, group, &user));
	assert_int_equal(user.uid, 0);
	assert_string_equal(user.name, "root");
	assert_string_equal(user.home, "/root");
	assert_int_equal(user.groups, 1);
	assert_null(user_find("anna", passwd, group, &user));
	assert_int_equal(user.uid, 1000);
	assert_int_equal(user.gid, 100);
	assert_string_equal(user.home, "/srv/anna");
	assert_int_equal(user.groups, 3);
	assert_int_equal(user.group[0], 10);
	assert_int_equal(user.group[1], 44);
	assert_int_equal(user.group[2], 50);
	assert_null(user_find("anna:wheel", passwd, group, &user));
	assert_int_equal(user.gid, 10);
	assert_null(user_find("anna:77", passwd, group, &user));
	assert_int_equal(user.gid, 77);
	assert_null(user_find("nohome", passwd, group, &user));
	assert_string_equal(user.home, "/");
}

static void numbers_need_no_line(void **state)
{
	struct user user;

	assert_null(user_find("1000", passwd, group, &user));
	assert_string_equal(user.name, "anna");
	assert_null(user_find("7", passwd, group, &user)); /* a name comes first */
	assert_int_equal(user.uid, 1007);
	assert_null(user_find("4711", passwd, group, &user));
	assert_int_equal(user.uid, 4711);
	assert_int_equal(user.gid, 4711);
	assert_string_equal(user.name, "4711");
	assert_string_equal(user.home, "/");
	assert_null(user_find("5:6", "", "", &user));
	assert_int_equal(user.gid, 6);
	assert_null(user_find(NULL, "", "", &user));
	assert_string_equal(user.name, "root");
}

static void who_is_not_there_is_told(void **state)
{
	struct user user;

	assert_string_equal(user_find("nobody", passwd, group, &user), "user");
	assert_string_equal(user_find("", passwd, group, &user), "user");
	assert_string_equal(user_find("huge", passwd, group, &user), "user");
	assert_string_equal(user_find("broken", passwd, group, &user), "user");
	assert_string_equal(user_find("4294967295", passwd, group, &user), "user");
	assert_string_equal(user_find("-1", passwd, group, &user), "user");
	assert_string_equal(user_find("root:", passwd, group, &user), "group");
	assert_string_equal(user_find("root:none", passwd, group, &user), "group");
}

static void random_lists(void **state)
{
	const char letters[] = "a0:,\n";
	char text[2][60], spec[6];
	struct user user;

	for (int i = 0; i < 200000; i++) {
		for (size_t k = 0; k < 120; k++)
			text[k / 60][k % 60] = letters[random_below(5)];
		text[0][random_below(60)] = text[1][random_below(60)] = '\0';
		text[0][59] = text[1][59] = '\0';
		for (size_t k = 0; k < 5; k++)
			spec[k] = letters[random_below(3)];
		spec[random_below(6)] = spec[5] = '\0';
		user_find(spec, text[0], text[1], &user);
		assert_true(user.groups <= USER_GROUPS_MOST);
	}
}

static char *copy(const char *text)
{
	return strdup(text);
}

static void the_environment(void **state)
{
	struct user user = { .name = "anna", .home = "/srv/anna" };
	struct words words = { 0 };
	struct setup setup;

	setup_init(&setup);
	setup.hostname = copy("box");
	words_add(&setup.environment, copy("A=1"));
	words_add(&setup.environment, copy("HOME=/tmp"));
	words_add(&setup.environment, copy("A=2"));
	words_add(&setup.environment, copy("AB=3"));
	assert_true(words_environment(&setup, &user, &words));
	assert_int_equal(words.count, 7);
	assert_null(words.word[7]);
	assert_string_equal(words_value(&words, "A"), "2");
	assert_string_equal(words_value(&words, "AB"), "3");
	assert_string_equal(words_value(&words, "HOME"), "/tmp");
	assert_string_equal(words_value(&words, "PATH"), WORDS_PATH);
	assert_string_equal(words_value(&words, "LOGNAME"), "anna");
	assert_string_equal(words_value(&words, "HOSTNAME"), "box");
	assert_null(words_value(&words, "TERM"));
	words_free(&words);
	setup.terminal = true;
	setup.term = copy("vt220");
	assert_true(words_environment(&setup, &user, &words));
	assert_string_equal(words_value(&words, "TERM"), "vt220");
	words_free(&words);
	setup.bare = true;
	assert_true(words_environment(&setup, &user, &words));
	assert_int_equal(words.count, 3);
	words_free(&words);
	setup_free(&setup);
}

static void nothing_in_a_bare_environment(void **state)
{
	struct user user = { .name = "root", .home = "/" };
	struct words words = { 0 };
	struct setup setup;

	setup_init(&setup);
	setup.bare = true;
	assert_true(words_environment(&setup, &user, &words));
	assert_int_equal(words.count, 0);
	words_free(&words);
}

static void expect_files(const char *path, const char *name, const char *const *files)
{
	char file[16];

	for (; *files; files++) {
		assert_true(words_candidate(&path, name, file, sizeof(file)));
		assert_string_equal(file, *files);
	}
	assert_false(words_candidate(&path, name, file, sizeof(file)));
}

static void files_of_a_path(void **state)
{
	expect_files("/bin:/usr/bin", "ls", (const char *[]){ "/bin/ls", "/usr/bin/ls", NULL });
	expect_files("::/b:", "ls", (const char *[]){ "ls", "ls", "/b/ls", "ls", NULL });
	expect_files("", "ls", (const char *[]){ "ls", NULL });
	expect_files("/bin", "./ls", (const char *[]){ "./ls", NULL });
	expect_files("/bin", "/ls", (const char *[]){ "/ls", NULL });
	expect_files("/bin", "", (const char *[]){ NULL });
	expect_files("/a/very/long/folder:/b", "ls", (const char *[]){ "/b/ls", NULL });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(users_are_found),
		cmocka_unit_test(numbers_need_no_line),
		cmocka_unit_test(who_is_not_there_is_told),
		cmocka_unit_test(random_lists),
		cmocka_unit_test(the_environment),
		cmocka_unit_test(nothing_in_a_bare_environment),
		cmocka_unit_test(files_of_a_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
