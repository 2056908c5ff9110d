/* SPDX-License-Identifier: MIT */
/*
 * One console for all guests. What one writes comes out line by line, its name in front; what is
 * typed goes to the guest in front. Ctrl-] and a digit puts another one there, Ctrl-] S asks for a
 * table, Ctrl-] Ctrl-] sends that key.
 */
#ifndef DEMO_GUESTS_CONSOLE_H
#define DEMO_GUESTS_CONSOLE_H

#include "tenant.h"

/* A guest's output. From any hart. */
void console_write(struct guest *guest, const void *bytes, size_t size);

/* A byte that was typed for the guest, or -1. */
int console_read(struct guest *guest);

/* Whether a byte for it interrupts. */
void console_listen(struct guest *guest, bool on);

/* The console interrupts: what was typed goes where it belongs. */
void console_serve(void);

/* A line of our own. */
void console_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
