/* SPDX-License-Identifier: MIT */
/* A talking cow that lives in a Linux of its own: text in, picture out, as of any child process. */
#include <stdio.h>
#include <string.h>

#include <hatch/command.h>

/* For the guest's awk. What is said goes in by its standard input. */
static const char cow[] = "{ text = $0; gsub(/./, \"-\"); \"uname -sm\" | getline where\n"
			  "  print \" \" $0 \"--\\n< \" text \" >\\n \" $0 \"--\"\n"
			  "  print \"   \\\\  ^__^\\n    \\\\ (oo)\\\\_______\"\n"
			  "  print \"      (__)\\\\       )\\\\/\\\\   on \" where\n"
			  "  print \"          ||----w |\\n          ||     ||\" }";

int main(int argc, char **argv)
{
	const char *text = argc > 1 ? argv[1] : "No process was forked for this.";
	struct hatch_command *awk = hatch_command_new("awk");
	struct hatch_output said;
	int code = 125;

	hatch_command_arg(awk, cow);
	hatch_command_stdin(awk, (struct hatch_stdio){ HATCH_STDIO_BYTES, -1, text, strlen(text) });
	if (hatch_command_output(awk, &said)) {
		fprintf(stderr, "%s\n", hatch_command_problem(awk));
	} else {
		fwrite(said.out, 1, said.out_size, stdout);
		fprintf(stderr, "%s%s", said.err, said.exit.problem);
		code = hatch_exit_code(&said.exit);
	}
	hatch_output_free(&said);
	hatch_command_free(awk);
	return code;
}
