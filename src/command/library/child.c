/* SPDX-License-Identifier: MIT */
#include "command.h"

#include <stdlib.h>
#include <string.h>

static int not_yet(struct hatch_command *command)
{
	return hatch_problem_set(&command->problem, HATCH_COMMAND_EMACHINE, "not made yet");
}

int hatch_command_spawn(struct hatch_command *command, struct hatch_child **child)
{
	*child = NULL;
	return not_yet(command);
}

int hatch_command_status(struct hatch_command *command, struct hatch_exit *exit)
{
	*exit = (struct hatch_exit){ 0 };
	return not_yet(command);
}

int hatch_command_output(struct hatch_command *command, struct hatch_output *output)
{
	*output = (struct hatch_output){ 0 };
	return not_yet(command);
}

void hatch_output_free(struct hatch_output *output)
{
	free(output->out);
	free(output->err);
}

char **hatch_command_words(struct hatch_command *command)
{
	not_yet(command);
	return NULL;
}

int hatch_exit_code(const struct hatch_exit *exit)
{
	return exit->value;
}

pid_t hatch_child_id(const struct hatch_child *child)
{
	(void)child;
	return 0;
}

int hatch_child_take_stdin(struct hatch_child *child)
{
	(void)child;
	return HATCH_COMMAND_ESTALE;
}

int hatch_child_take_stdout(struct hatch_child *child)
{
	(void)child;
	return HATCH_COMMAND_ESTALE;
}

int hatch_child_take_stderr(struct hatch_child *child)
{
	(void)child;
	return HATCH_COMMAND_ESTALE;
}

int hatch_child_kill(struct hatch_child *child, int number)
{
	(void)child, (void)number;
	return 0;
}

void hatch_child_resize(struct hatch_child *child, unsigned int rows, unsigned int columns)
{
	(void)child, (void)rows, (void)columns;
}

void hatch_child_destroy(struct hatch_child *child)
{
	(void)child;
}

void hatch_child_wait(struct hatch_child *child, struct hatch_exit *exit)
{
	(void)child, (void)exit;
}

bool hatch_child_try_wait(struct hatch_child *child, struct hatch_exit *exit)
{
	(void)child, (void)exit;
	return true;
}

int hatch_child_fd(const struct hatch_child *child)
{
	(void)child;
	return -1;
}

void hatch_child_free(struct hatch_child *child)
{
	(void)child;
}
