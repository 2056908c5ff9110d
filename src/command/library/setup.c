/* SPDX-License-Identifier: MIT */
/* What the guest's agent is told about the program: hatch/agent.h has the frames. */
#include <string.h>

#include <hatch/agent.h>

#include "plan.h"

static void put16(uint8_t *to, unsigned int value)
{
	to[0] = (uint8_t)value;
	to[1] = (uint8_t)(value >> 8);
}

static void put32(uint8_t *to, uint32_t value)
{
	put16(to, value);
	put16(to + 2, value >> 16);
}

void hatch_setup_add(struct hatch_bytes *setup, uint32_t key, const void *value, size_t size)
{
	uint8_t head[12];

	put32(head, HATCH_AGENT_SETUP);
	put32(head + 4, (uint32_t)(sizeof(key) + size));
	put32(head + 8, key);
	hatch_bytes_add(setup, head, sizeof(head));
	hatch_bytes_add(setup, value, size);
}

static int add_text(struct hatch_bytes *setup, uint32_t key, const char *what, const char *text,
		    struct hatch_problem *problem)
{
	size_t size = strlen(text);

	if (size > HATCH_AGENT_SETUP_MOST - sizeof(key))
		return hatch_problem_set(problem, HATCH_COMMAND_EINVAL,
					 "%s of %zu bytes: Linux has 128 KiB at most; put it into "
					 "a file, or into standard input",
					 what, size);
	hatch_setup_add(setup, key, text, size);
	return 0;
}

static int add_texts(struct hatch_bytes *setup, uint32_t key, const char *what,
		     const struct hatch_words *texts, struct hatch_problem *problem)
{
	for (size_t i = 0; i < texts->count; i++) {
		if (add_text(setup, key, what, texts->item[i], problem))
			return problem->error;
	}
	return 0;
}

static void add_terminal(struct hatch_bytes *setup, const struct hatch_command *command)
{
	struct hatch_bytes value = { 0 };
	uint8_t size[4];

	put16(size, command->rows);
	put16(size + 2, command->columns);
	hatch_bytes_add(&value, size, sizeof(size));
	hatch_bytes_add(&value, command->term, strlen(command->term));
	hatch_setup_add(setup, HATCH_AGENT_TERMINAL, value.data, value.size);
	setup->failed |= value.failed;
	hatch_bytes_free(&value);
}

static int add_strings(struct hatch_plan *plan, const struct hatch_command *command,
		       struct hatch_problem *problem)
{
	const struct {
		uint32_t key;
		const char *what, *text;
	} all[] = {
		{ HATCH_AGENT_FOLDER, "a working folder",
		  command->folder ?: plan->defaults.folder },
		{ HATCH_AGENT_USER, "a user", command->user ?: plan->defaults.user },
		{ HATCH_AGENT_HOSTNAME, "a host name", command->hostname },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (all[i].text &&
		    add_text(&plan->setup, all[i].key, all[i].what, all[i].text, problem))
			return problem->error;
	}
	return 0;
}

/* The image names a program where the command does not; its further words are but a proposal. */
static int add_command(struct hatch_plan *plan, const struct hatch_command *command,
		       struct hatch_problem *problem)
{
	const struct hatch_defaults *image = &plan->defaults;
	const struct hatch_words *words = &command->arguments;

	if (!command->program && !words->count)
		words = &image->arguments;
	if (!command->program && !image->entry.count && !words->count)
		return hatch_problem_set(problem, HATCH_COMMAND_EINVAL,
					 "no program: say what is to run in the guest");
	if (!command->program &&
	    add_texts(&plan->setup, HATCH_AGENT_ARGUMENT, "an argument", &image->entry, problem))
		return problem->error;
	return add_texts(&plan->setup, HATCH_AGENT_ARGUMENT, "an argument", words, problem);
}

/* The image's first: of two with one name the later one counts. */
static int add_environment(struct hatch_plan *plan, const struct hatch_command *command,
			   struct hatch_problem *problem)
{
	if (!command->bare && add_texts(&plan->setup, HATCH_AGENT_ENVIRONMENT, "a variable",
					&plan->defaults.environment, problem))
		return problem->error;
	return add_texts(&plan->setup, HATCH_AGENT_ENVIRONMENT, "a variable", &command->environment,
			 problem);
}

int hatch_setup_make(struct hatch_plan *plan, const struct hatch_command *command,
		     struct hatch_problem *problem)
{
	struct hatch_bytes *setup = &plan->setup;
	uint8_t cpus[4];

	put32(cpus, command->cpus);
	if (add_command(plan, command, problem) || add_environment(plan, command, problem) ||
	    add_strings(plan, command, problem))
		return problem->error;
	if (command->bare)
		hatch_setup_add(setup, HATCH_AGENT_BARE, NULL, 0);
	if (command->cpus > 1)
		hatch_setup_add(setup, HATCH_AGENT_CPUS, cpus, sizeof(cpus));
	if (command->term)
		add_terminal(setup, command);
	if (plan->merge)
		hatch_setup_add(setup, HATCH_AGENT_MERGE, NULL, 0);
	return 0;
}
