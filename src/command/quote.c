/* SPDX-License-Identifier: MIT */
#include "quote.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
			    "_@%+=:,./-";

static bool is_control(char c)
{
	return (unsigned char)c < ' ' || c == 0x7f;
}

static bool has_control(const char *word)
{
	while (*word && !is_control(*word))
		word++;
	return *word;
}

/* '...', a quote inside as '\'' */
static void put_quoted(FILE *to, const char *word)
{
	fputc('\'', to);
	for (; *word; word++) {
		if (*word == '\'')
			fputs("'\\''", to);
		else
			fputc(*word, to);
	}
	fputc('\'', to);
}

/* $'...', which has escapes (POSIX.1-2024, 2.2.4; bash, zsh and busybox know it for long). */
static void put_escaped(FILE *to, const char *word)
{
	fputs("$'", to);
	for (; *word; word++) {
		if (*word == '\n')
			fputs("\\n", to);
		else if (*word == '\t')
			fputs("\\t", to);
		else if (is_control(*word))
			fprintf(to, "\\%03o", *word);
		else if (*word == '\'' || *word == '\\')
			fprintf(to, "\\%c", *word);
		else
			fputc(*word, to);
	}
	fputc('\'', to);
}

static void put_word(FILE *to, const char *word)
{
	if (*word && !word[strspn(word, plain)])
		fputs(word, to);
	else if (has_control(word))
		put_escaped(to, word);
	else
		put_quoted(to, word);
}

char *hatch_shell_words(const char *const *words)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	for (const char *const *word = words; to && *word; word++) {
		if (word != words)
			fputc(' ', to);
		put_word(to, *word);
	}
	if (!to || ferror(to) | fclose(to))
		hatch_report_fail(HATCH_EXIT_FAILED,
				  "out of memory: close some programs and run again");
	return text;
}
