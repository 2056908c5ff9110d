/* SPDX-License-Identifier: MIT */
/* Other programs that the command starts, and the folders it finds things in. */
#ifndef HATCH_COMMAND_TOOL_H
#define HATCH_COMMAND_TOOL_H

/* NAME (printf-like) below the checkout, or below the build folder. Set by ./hatch. */
char *hatch_root_path(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *hatch_build_path(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The folder of what was fetched and made: tools/lib/cache.sh has the same. */
char *hatch_cache_folder(void);

/* Runs ARGV to its end, on our own standard streams; returns its exit status (125 if killed). */
int hatch_tool_call(const char *const *argv);

/*
 * Runs ARGV and returns the first line of its output; ends the program with ARGV's status if that
 * is not 0. It has told the user why.
 */
char *hatch_tool_read(const char *const *argv);

/* The same, but NULL if it failed. */
char *hatch_tool_try(const char *const *argv);

/* The same, and its complaints are thrown away. */
char *hatch_tool_probe(const char *const *argv);

#endif
