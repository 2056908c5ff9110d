/* SPDX-License-Identifier: MIT */
#include "plan.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "end.h"
#include "files.h"
#include "image.h"

/* Where each stream leads, for the question whether two are one. */
static int place_of(const struct hatch_command *command, int number)
{
	const struct hatch_stream_choice *stream = &command->stream[number];

	return stream->kind == HATCH_STDIO_FD	     ? stream->fd
	       : stream->kind == HATCH_STDIO_INHERIT ? number
						     : -1;
}

static bool is_merged(const struct hatch_command *command)
{
	int out = place_of(command, 1), err = place_of(command, 2);

	return !command->term && out >= 0 && err >= 0 && (out == err || hatch_end_same(out, err));
}

static int plan_qemu(struct hatch_plan *plan, const struct hatch_command *command,
		     struct hatch_problem *problem)
{
	plan->qemu = hatch_places_program(command->qemu ?: "qemu-system-riscv64");
	if (!plan->qemu && command->qemu)
		return hatch_problem_set(problem, HATCH_COMMAND_ENOENT,
					 "no QEMU at %s: check the path", command->qemu);
	if (!plan->qemu)
		return hatch_problem_set(
			problem, HATCH_COMMAND_ENOENT,
			"no qemu-system-riscv64 in PATH: install the package qemu-system-riscv "
			"(Debian 12: qemu-system-misc), or name the program");
	if (!command->firmware)
		return 0;
	plan->firmware = strdup(command->firmware);
	return plan->firmware ? hatch_places_check("firmware", plan->firmware, problem)
			      : hatch_problem_memory(problem);
}

/* What has gone without saying so far, and what is short: a lack of memory. */
static int check_memory(const struct hatch_plan *plan, struct hatch_problem *problem)
{
	return plan->devices.failed || plan->setup.failed ? hatch_problem_memory(problem) : 0;
}

static void copy_numbers(struct hatch_plan *plan, const struct hatch_command *command)
{
	*plan = (struct hatch_plan){
		.memory = command->memory,
		.cpus = command->cpus,
		.gdb = command->gdb,
		.console = command->console >= 0,
		.terminal = command->term,
		.merge = is_merged(command),
		.timeout = command->timeout,
		.tell = command->tell,
		.tell_arg = command->tell_arg,
		.own_kernel = command->kernel,
		.image_lock = -1,
		.persist_lock = -1,
	};
}

int hatch_plan_make(struct hatch_plan *plan, const struct hatch_command *command,
		    struct hatch_problem *problem)
{
	copy_numbers(plan, command);
	if (command->complaint.error) {
		*problem = command->complaint;
		return problem->error;
	}
	if (hatch_places_find(&plan->places, problem) || plan_qemu(plan, command, problem) ||
	    hatch_places_check("program that boots Linux", plan->places.program, problem) ||
	    hatch_files_plan(plan, command->kernel, problem) ||
	    hatch_image_plan(plan, command, problem) || hatch_setup_make(plan, command, problem) ||
	    hatch_devices_plan(plan, command, problem) || check_memory(plan, problem))
		return problem->error;
	return 0;
}

void hatch_defaults_free(struct hatch_defaults *defaults)
{
	hatch_words_free(&defaults->entry);
	hatch_words_free(&defaults->arguments);
	hatch_words_free(&defaults->environment);
	free(defaults->folder);
	free(defaults->user);
}

void hatch_plan_free(struct hatch_plan *plan)
{
	hatch_places_free(&plan->places);
	free(plan->qemu);
	free(plan->firmware);
	free(plan->kernel);
	free(plan->initrd);
	hatch_defaults_free(&plan->defaults);
	hatch_words_free(&plan->devices);
	hatch_bytes_free(&plan->setup);
	free(plan->image);
	free(plan->image_root);
	free(plan->persist);
	if (plan->image_lock >= 0)
		close(plan->image_lock);
	if (plan->persist_lock >= 0)
		close(plan->persist_lock);
	*plan = (struct hatch_plan){ .image_lock = -1, .persist_lock = -1 };
}
