/* SPDX-License-Identifier: MIT */
/*
 * JavaScript from strangers: Debian's QuickJS runs one script after the other, each undone at its end.
 */
#include <stdio.h>

#include <hatch/board.h>

#include "process.h"

#define MEMORY	  (16UL << 20) /* bytes that QuickJS may map */
#define SECONDS	  5	       /* for each script */
#define CALL_READ 63	       /* Linux's number of read() */
#define UNDONE	  7	       /* scripts; those after them are to stay, for comparison */

/* What a run is left with, beside exit codes. */
enum { NEXT = -1, LATE = -2 };

static void on_write(void *arg, int to, const void *bytes, size_t size)
{
	fwrite(bytes, 1, size, stdout);
}

/* Standard input: the path of the script, once. */
static size_t on_input(void *arg, void *bytes, size_t size)
{
	const char **path = arg;
	int length = snprintf(bytes, size, "%s\n", *path);

	*path = NULL;
	return (size_t)length;
}

/* QuickJS asks for a script. Has it run the one that we have? Then this is the end of it. */
static enum hatch_verdict on_read(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	const char **path = arg;

	return ev->hypercall.arg[0] == 0 && !*path ? hatch_unwind(k, NEXT) : HATCH_PASS;
}

static enum hatch_verdict on_deadline(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	return hatch_unwind(k, LATE);
}

static void run(struct hatch_try *t)
{
	uint64_t now = hatch_vcpu_time(t->vcpu);

	hatch_try_set_deadline(t, now + SECONDS * hatch_board_frequency());
	hatch_try_run(t);
	if (t->outcome != HATCH_UNWOUND)
		printf("[%s]\n", hatch_outcome_name(t->outcome));
	else if (t->status == LATE)
		puts("[stopped: its time was up]");
	else if (t->status != NEXT)
		printf("[it ended the interpreter with status %ld]\n", t->status);
}

int main(void)
{
	static const char *const argv[] = { "qjs", "--std", "/scripts/runner.js", NULL };
	static const char *const scripts[] = { "primes", "curious", "hungry", "endless", "quits",
					       "leaves", "looks",   "leaves", "looks" };
	static struct demo_process js;
	const char *path = NULL;
	char line[40];
	struct hatch_files files;
	struct hatch_scope scope;
	struct hatch_catch read = HATCH_ON_SYSCALLS(CALL_READ, CALL_READ, on_read, &path);
	struct hatch_catch deadline = HATCH_ON_DEADLINE(on_deadline, NULL);
	const struct hatch_process_config config = {
		.files = &files,
		.allow = { "/lib", "/scripts" },
		.memory = MEMORY,
		.unwinds = true,
		.write = on_write,
		.read = on_input,
		.arg = &path,
	};

	demo_read_files(&files);
	demo_process_begin(&js, &config, "/bin/qjs", argv);
	hatch_scope_init(&scope, "scripts", NULL);
	demo_check(hatch_catch_add(&scope, &read), "the clause for read");
	demo_check(hatch_catch_add(&scope, &deadline), "the clause for the deadline");
	demo_check(hatch_scope_enter(&js.t, &scope), "the scope");
	run(&js.t); /* until it asks for the first script: this much is done once */
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		js.t.transactional = i < UNDONE;
		snprintf(line, sizeof(line), "/scripts/%s.js", scripts[i]);
		path = line;
		printf("-- %s%s\n", line, js.t.transactional ? "" : ", to stay");
		run(&js.t);
	}
	demo_process_end(&js);
	hatch_files_fini(&files);
	return 0;
}
