/* SPDX-License-Identifier: MIT */
/* The subcommands; main.c has their table. Each returns the exit status. */
#ifndef HATCH_COMMAND_COMMAND_H
#define HATCH_COMMAND_COMMAND_H

#include "options.h"

int hatch_command_boot(const struct hatch_command *self, int argc, char **argv);
int hatch_command_demo(const struct hatch_command *self, int argc, char **argv);
int hatch_command_image(const struct hatch_command *self, int argc, char **argv);
int hatch_command_qemu(const struct hatch_command *self, int argc, char **argv);
int hatch_command_test(const struct hatch_command *self, int argc, char **argv);
int hatch_command_bench(const struct hatch_command *self, int argc, char **argv);
int hatch_command_doctor(const struct hatch_command *self, int argc, char **argv);

#endif
