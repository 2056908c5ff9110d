/* SPDX-License-Identifier: MIT */
/* hatch test and hatch bench: the tests run under Meson, the measurements by their script. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "verbs.h"
#include "report.h"
#include "tool.h"

struct tally {
	unsigned int passed;
	unsigned int failed;
	unsigned int skipped;
};

/* Meson's list of tests names each one's suites as "project:suite". */
static bool is_suite(const char *name)
{
	FILE *list = fopen(hatch_build_path("meson-info/intro-tests.json"), "re");
	char *key = hatch_text_format("hatch:%s\"", name);
	char *text = NULL;
	size_t size = 0;
	bool found = false;

	if (!list)
		return false;
	while (!found && getdelim(&text, &size, '\n', list) >= 0)
		found = strstr(text, key);
	fclose(list);
	free(text);
	return found;
}

/* The value of a line's "result"; a quote inside a JSON string is escaped, so this is the key. */
static void count_result(struct tally *tally, const char *line)
{
	static const char key[] = "\"result\": \"";
	const char *result = strstr(line, key);

	if (!result)
		return;
	result += strlen(key);
	if (!strncmp(result, "OK", 2) || !strncmp(result, "EXPECTEDFAIL", 12))
		tally->passed++;
	else if (!strncmp(result, "SKIP", 4))
		tally->skipped++;
	else
		tally->failed++;
}

/* Meson's log has one JSON object a line, one line a test. */
static bool read_log(const char *path, struct tally *tally)
{
	FILE *log = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;

	if (!log)
		return false;
	while (getline(&line, &size, log) >= 0)
		count_result(tally, line);
	fclose(log);
	free(line);
	return true;
}

static void add_words(struct hatch_list *list, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		if (argv[i][0] != '-' && is_suite(argv[i]))
			hatch_list_add(list, "--suite");
		hatch_list_add(list, argv[i]);
	}
}

static int summarize(const struct tally *tally, int status)
{
	if (tally->skipped)
		printf("%u skipped\n", tally->skipped);
	printf("%u passed, %u failed\n", tally->passed, tally->failed);
	if (tally->failed)
		return 1;
	return status;
}

/* All tests, or the suite by its name. */
static bool wants_linux(int argc, char **argv)
{
	bool named = false;

	for (int i = 0; i < argc; i++) {
		if (!strcmp(argv[i], "linux"))
			return true;
		named |= argv[i][0] != '-';
	}
	return !named;
}

/*
 * What the tests of Linux need from the net is fetched before them, so that no test's time runs
 * out over it. A second QEMU may be missing: the tool has said why, and its tests are skipped.
 */
static void prepare_linux(void)
{
	const char *const kernel[] = { hatch_root_path("tools/fetch-debian"), "kernel", "busybox",
				       NULL };
	const char *const initrd[] = { hatch_root_path("tools/make-initramfs"), NULL };
	const char *const modules[] = { hatch_root_path("tools/make-initramfs"), "--devices",
					NULL };
	const char *const image[] = { hatch_root_path("tools/make-image"), NULL };
	const char *const qemu[] = { hatch_root_path("tools/second-qemu"), NULL };
	const char *folder;

	hatch_tool_read(kernel);
	hatch_tool_read(initrd);
	hatch_tool_read(modules);
	hatch_tool_read(image);
	folder = hatch_tool_try(qemu);
	if (folder)
		hatch_report_note("Linux is tested on a second QEMU, too: %s", folder);
}

/* Each run has logs of its own: two at once must not mix. */
int hatch_verb_test(const struct hatch_verb *self, int argc, char **argv)
{
	char *log = hatch_text_format("testlog-%d", (int)getpid());
	const char *const fixed[] = { "meson",	      "test",
				      "-C",	      hatch_build_path("."),
				      "--no-rebuild", "--print-errorlogs",
				      "--logbase",    log };
	struct hatch_list list = { 0 };
	struct tally tally = { 0 };
	int status;

	if (argc && (!strcmp(argv[0], "--help") || !strcmp(argv[0], "-h"))) {
		printf("usage: hatch %s %s\n%s.\n", self->name, self->operands, self->summary);
		return 0;
	}
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		hatch_list_add(&list, fixed[i]);
	add_words(&list, argc, argv);
	if (wants_linux(argc, argv))
		prepare_linux();
	status = hatch_tool_call(list.item);
	if (!read_log(hatch_build_path("meson-logs/%s.json", log), &tally))
		return status ? status : HATCH_EXIT_FAILED;
	unlink(hatch_build_path("meson-logs/%s.json", log));
	unlink(hatch_build_path("meson-logs/%s.junit.xml", log));
	if (!tally.failed) /* Meson has just told where it is: worth reading after a failure only */
		unlink(hatch_build_path("meson-logs/%s.txt", log));
	return summarize(&tally, status);
}

int hatch_verb_bench(const struct hatch_verb *self, int argc, char **argv)
{
	struct hatch_list list = { 0 };

	(void)self;
	hatch_list_add(&list, hatch_root_path("tests/bench/run-bench"));
	for (int i = 0; i < argc; i++)
		hatch_list_add(&list, argv[i]);
	return hatch_tool_call(list.item);
}
