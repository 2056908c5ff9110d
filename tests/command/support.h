/* SPDX-License-Identifier: MIT */
/* A world for the library: a QEMU of straw, an installation of straw, a cache of its own. */
#ifndef HATCH_TESTS_COMMAND_SUPPORT_H
#define HATCH_TESTS_COMMAND_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <hatch/command.h>

/* Makes it, by environment variables; argv[1] of the test is the fake QEMU. */
void world_make(const char *qemu);
void world_remove(void);
const char *world_path(const char *name); /* in its folder; good until the next call */

/* How often QEMU was started for WHAT: template, loaded, booted. */
int world_starts(const char *what);
void world_forget_starts(void);

/* `sh -c SCRIPT` in the fake guest. */
struct hatch_command *shell(const char *script);

/* Its exit must be that code; what it wrote. The output is to be freed. */
struct hatch_output expect_output(struct hatch_command *command, int code);

int count_descriptors(void);
int count_children(void); /* zombies, too */
long resident_kib(void);

/* For a test's setup and teardown: nothing may be left. */
int remember_things(void **state);
int check_things(void **state);

#endif
