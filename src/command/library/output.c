/* SPDX-License-Identifier: MIT */
/* hatch_command_output: the child's thread collects, so that neither stream can hold up the other. */
#include <stdlib.h>

#include "child.h"

/* What nothing was said of. */
static void choose(struct hatch_command *command)
{
	for (int i = 0; i < HATCH_STREAMS; i++) {
		if (!command->stream[i].said)
			command->stream[i].kind = i ? HATCH_STDIO_COLLECT : HATCH_STDIO_NULL;
	}
}

static void choose_back(struct hatch_command *command)
{
	for (int i = 0; i < HATCH_STREAMS; i++) {
		if (!command->stream[i].said)
			command->stream[i].kind = HATCH_STDIO_INHERIT;
	}
}

/* The bytes become the caller's, with the zero behind them. */
static char *give(struct hatch_bytes *bytes, size_t *size)
{
	char *data;

	*size = bytes->size;
	hatch_bytes_add(bytes, "", 1);
	data = (char *)bytes->data;
	if (bytes->failed)
		return NULL;
	*bytes = (struct hatch_bytes){ 0 };
	return data;
}

int hatch_command_output(struct hatch_command *command, struct hatch_output *output)
{
	struct hatch_child *child;
	int error;

	*output = (struct hatch_output){ 0 };
	choose(command);
	error = hatch_command_spawn(command, &child);
	choose_back(command);
	if (error)
		return error;
	hatch_child_wait(child, &output->exit);
	output->out = give(&child->bytes[1], &output->out_size);
	output->err = give(&child->bytes[2], &output->err_size);
	hatch_child_free(child);
	if (output->out && output->err)
		return 0;
	hatch_output_free(output);
	return hatch_problem_memory(&command->problem);
}

void hatch_output_free(struct hatch_output *output)
{
	free(output->out);
	free(output->err);
	output->out = output->err = NULL;
	output->out_size = output->err_size = 0;
}
