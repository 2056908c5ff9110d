/* SPDX-License-Identifier: MIT */
#ifndef HATCH_TESTS_COMMAND_FAKE_H
#define HATCH_TESTS_COMMAND_FAKE_H

#include <stdint.h>
#include <sys/types.h>

#include <hatch/agent.h>

enum { WORDS_MOST = 4096 };

struct fake {
	int port[HATCH_AGENT_PORTS];
	int over;
	char *word[WORDS_MOST]; /* the command's */
	int words;
	int merge;
	char *folder;
	int pipe[3]; /* our ends of its streams */
	pid_t pid;
};

extern struct fake fake;

/* From HELLO to EXITED. */
void fake_agent(void);

/* Frames; a port that is shut ends the program. */
void fake_send(int port, uint32_t type, const void *data, uint32_t size);
uint32_t fake_receive(int port, void *data, uint32_t *size);

#endif
