/* SPDX-License-Identifier: MIT */
/*
 * Unmodified Linux programs without Linux: Debian's busybox, whose system calls are caught here.
 */
#include <inttypes.h>
#include <stdio.h>

#include <hatch/board.h>
#include <hatch/handlers/process.h>

#include "process.h"

#define MEMORY (8UL << 20) /* bytes that a program may map */
#define WORDS  5	   /* of a command, its NULL included */

/* Linux's error numbers for what is refused. */
enum { NOT_PERMITTED = -1, ACCESS_DENIED = -13, READ_ONLY = -30 };

static void on_write(void *arg, int to, const void *bytes, size_t size)
{
	fwrite(bytes, 1, size, stdout);
}

static uint64_t on_clock(void *arg)
{
	return hatch_board_wall_ns();
}

/* Sees every event with its answer; shows the calls that were refused. */
static void show_refusal(void *arg, const struct hatch_event *ev, const struct hatch_cont *k,
			 const struct hatch_catch *clause)
{
	int64_t answer = (int64_t)k->value;

	if (ev->kind != HATCH_SYSCALL || k->verdict != HATCH_RESUME)
		return;
	if (answer == NOT_PERMITTED || answer == ACCESS_DENIED || answer == READ_ONLY)
		printf("  (%s: %" PRId64 ")\n", hatch_process_call_name(ev->hypercall.extension),
		       answer);
}

/* One program, from its first instruction to its exit code. */
static void run(const struct hatch_files *files, const char *const argv[])
{
	const struct hatch_process_config config = {
		.files = files,
		.allow = { "/bin", "/data" },
		.memory = MEMORY,
		.write = on_write,
		.clock = on_clock,
	};
	static struct hatch_guest guest;
	static struct hatch_vcpu vcpu;
	static struct hatch_process process;
	static struct hatch_try t;
	char path[32], line[160];

	snprintf(path, sizeof(path), "/bin/%s", argv[0]);
	demo_check(hatch_guest_init(&guest, hatch_board_memory()), "the guest");
	demo_check(hatch_vcpu_init(&vcpu, &guest), "the vcpu");
	demo_check(hatch_process_init(&process, &vcpu, &config), "the process");
	demo_check(hatch_process_start(&process, path, argv, NULL), path);
	demo_check(hatch_try_init(&t, &vcpu), "the try");
	demo_check(hatch_process_enter(&process, &t), "its clauses");
	t.observer = show_refusal;
	hatch_try_run(&t);
	printf("[%s, %" PRIu64 " system calls]\n", hatch_try_format(&t, line, sizeof(line)),
	       process.state.calls);
	hatch_process_fini(&process);
	hatch_guest_fini(&guest);
}

int main(void)
{
	static const char *const commands[][WORDS] = {
		{ "echo", "no", "kernel" },
		{ "cat", "/data/poem.txt" },
		{ "ls", "-l", "/data" },
		{ "sh", "-c",
		  "cd /data; while read n; do echo $((n * n)); done <numbers; exec ls" },
		{ "cat", "/etc/secret" },
		{ "touch", "/data/new" },
		{ "wget", "http://127.0.0.1/" },
		{ "sh", "-c", "kill -SEGV $$" },
	};
	struct hatch_files files;

	demo_read_files(&files);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		printf("$");
		for (unsigned int word = 0; commands[i][word]; word++)
			printf(" %s", commands[i][word]);
		puts("");
		run(&files, commands[i]);
	}
	hatch_files_fini(&files);
	return 0;
}
