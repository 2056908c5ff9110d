/* SPDX-License-Identifier: MIT */
/*
 * A parser full of bugs is called like any function; what goes wrong comes back as a value.
 */
#include <stdio.h>
#include <string.h>

#include <hatch/board.h>
#include <hatch/call.h>

#include "parser.h"

#define STACK_SIZE 16384   /* bytes */
#define TIME_LIMIT 1000000 /* ticks: 0.1 s */

/* All of the host's memory that the parser may see, and it may not write there. */
static __attribute__((aligned(4096))) struct {
	char text[2048];
	struct parser_options options;
	uint8_t rest[4096 - 2048 - sizeof(struct parser_options)]; /* granted are whole pages */
} input;

static int open_box(struct hatch_box *box)
{
	int error = hatch_box_init(box, hatch_board_memory(), hatch_board_image(), STACK_SIZE, 0);

	if (!error)
		error = hatch_box_grant(box, &input, sizeof(input), HATCH_PROT_READ);
	return error ? error : hatch_box_limit(box, TIME_LIMIT);
}

/* The one line that matters is the call. */
static int try_text(struct hatch_box *box, const char *text)
{
	struct hatch_call_result result;

	strcpy(input.text, text);
	result = hatch_call(box, parse, input.text, &input.options);
	if (result.outcome == HATCH_DONE) {
		printf("%-6s %ld\n", text, (long)result.value);
		return 0;
	}
	printf("%-6s caught: %s\n", text, hatch_stop_name(result.stop));
	return hatch_box_reset(box);
}

int main(void)
{
	static const char *const texts[] = {
		"40+2", "l", "n", "c", "s", "p", "(", "x", "g", "i", "m", "d", "e", "w", "12+30",
	};
	static struct hatch_box box;
	int error = open_box(&box);

	for (size_t i = 0; !error && i < sizeof(texts) / sizeof(texts[0]); i++)
		error = try_text(&box, texts[i]);
	if (error)
		printf("box: %s: %s\n", hatch_error_name(error), hatch_error_text(error));
	return hatch_box_fini(&box) || error;
}
