/* SPDX-License-Identifier: MIT */
/* The subcommands; main.c has their table. Each returns the exit status. */
#ifndef HATCH_COMMAND_VERBS_H
#define HATCH_COMMAND_VERBS_H

#include "options.h"

int hatch_verb_run(const struct hatch_verb *self, int argc, char **argv);
int hatch_verb_ps(const struct hatch_verb *self, int argc, char **argv);
int hatch_verb_kill(const struct hatch_verb *self, int argc, char **argv);
int hatch_verb_cache(const struct hatch_verb *self, int argc, char **argv);
int hatch_verb_boot(const struct hatch_verb *self, int argc, char **argv);
int hatch_verb_demo(const struct hatch_verb *self, int argc, char **argv);
int hatch_verb_image(const struct hatch_verb *self, int argc, char **argv);
int hatch_verb_qemu(const struct hatch_verb *self, int argc, char **argv);
int hatch_verb_test(const struct hatch_verb *self, int argc, char **argv);
int hatch_verb_bench(const struct hatch_verb *self, int argc, char **argv);
int hatch_verb_doctor(const struct hatch_verb *self, int argc, char **argv);

#endif
