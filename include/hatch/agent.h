/* SPDX-License-Identifier: MIT */
/*
 * Between the library of the host (hatch/command.h) and its agent, the first process of the Linux
 * guest: how a command is described, how its streams travel, how it ends. docs/agent.md tells the
 * journey.
 *
 * They talk over ports of one virtio console device (VIRTIO 1.2, 5.3), which stands in the guest's
 * first virtio slot. Each port carries frames: a header of 8 bytes, then `size` bytes. All numbers
 * are little-endian. Each port has a flow of its own: who does not read one stream holds up its
 * writer, and nobody else.
 */
#ifndef HATCH_AGENT_H
#define HATCH_AGENT_H

#include <stdint.h>

#define HATCH_AGENT_VERSION 1 /* both sides must have the same one */

/* Numbers of the ports on the device. Port 0 would be a console of the kernel: it is left out. */
enum hatch_agent_port {
	HATCH_AGENT_CONTROL = 1, /* both ways */
	HATCH_AGENT_STDIN = 2,	 /* data to the guest */
	HATCH_AGENT_STDOUT = 3,	 /* data to the host */
	HATCH_AGENT_STDERR = 4,	 /* data to the host */
	HATCH_AGENT_PORTS = 5,
};

struct hatch_agent_frame {
	uint32_t type; /* enum hatch_agent_type */
	uint32_t size; /* bytes that follow */
};

/* Bytes that may follow a header, at most. A longer frame is an error of whoever sent it. */
#define HATCH_AGENT_DATA_MOST  65536
#define HATCH_AGENT_SETUP_MOST (132 * 1024) /* Linux has arguments of up to 128 KiB */

enum hatch_agent_type {
	/* Control, to the host. */
	HATCH_AGENT_HELLO = 1, /* u32: HATCH_AGENT_VERSION. The guest is up, once. */
	HATCH_AGENT_STARTED,   /* nothing: the program runs, or at least exec has been reached */
	HATCH_AGENT_EXITED,    /* u32: enum hatch_agent_end, u32: its code, then a text, no zero */

	/* Control, to the guest. */
	HATCH_AGENT_SETUP = 16, /* u32: enum hatch_agent_key, then its value */
	HATCH_AGENT_START,	/* nothing: all has been said, run it */
	HATCH_AGENT_SIGNAL,	/* u32: Linux's number, for the command's process group */
	HATCH_AGENT_RESIZE,	/* u16 rows, u16 columns: the terminal has another size */

	/* Streams. */
	HATCH_AGENT_DATA = 32, /* bytes of the stream, at least one */
	HATCH_AGENT_END,       /* nothing: no more data will come */
	/*
	 * Nothing, sent against the stream's direction: nobody reads it any more. The other side
	 * closes what it reads from, so that the writer meets a broken pipe, and sends END.
	 */
	HATCH_AGENT_CLOSED,
};

/*
 * Texts have no zero at their end; where two follow each other, one zero is between them. What is
 * not said has the default of the first column of docs/agent.md.
 */
enum hatch_agent_key {
	HATCH_AGENT_ARGUMENT = 1, /* text, repeated: the first one is the program */
	HATCH_AGENT_ENVIRONMENT,  /* "NAME=value", repeated */
	HATCH_AGENT_BARE,	  /* nothing: no variables but those said */
	HATCH_AGENT_FOLDER,	  /* text: where the command begins; it must be there */
	HATCH_AGENT_USER,	  /* "user" or "user:group", each a name or a number */
	HATCH_AGENT_HOSTNAME,	  /* text */
	HATCH_AGENT_CLOCK,	  /* u64: nanoseconds since 1970, now */
	HATCH_AGENT_SEED,	  /* random bytes, 16 to 512 */
	HATCH_AGENT_DEVICES,	  /* u32: how many slots behind the console's have a device */
	HATCH_AGENT_CPUS,	  /* u32: how many harts are to run */
	HATCH_AGENT_NETWORK,	  /* nothing: set eth0 up, as QEMU's user network wants it */
	HATCH_AGENT_MOUNT,	  /* u32: enum hatch_agent_mount, 9p tag, zero, path */
	HATCH_AGENT_ROOT,	  /* 9p tag of the root folder; never written to */
	/*
	 * u32: the number of the disk (0: /dev/vda) that keeps what is written to the root, an ext4
	 * file system. Without it that is lost with the guest.
	 */
	HATCH_AGENT_KEEP,
	HATCH_AGENT_TERMINAL, /* u16 rows, u16 columns, text: $TERM. All streams are one terminal. */
	HATCH_AGENT_MERGE,    /* nothing: standard error goes the way of standard output */
};

enum hatch_agent_mount {
	HATCH_AGENT_READ_ONLY = 0,
	HATCH_AGENT_READ_WRITE = 1,
	HATCH_AGENT_OVERLAY = 2, /* the guest's writes stay in the guest */
};

/*
 * How it ended. The agent has sent END on both output streams, written back what it mounted, and
 * sends nothing behind EXITED: the host may switch the machine off at once.
 */
enum hatch_agent_end {
	HATCH_AGENT_CODE = 0,	  /* code: the command's exit code */
	HATCH_AGENT_SIGNALED = 1, /* code: the signal that it died of */
	/* The command never ran; code: Linux's errno; text: what could not be done, one line. */
	HATCH_AGENT_NO_COMMAND = 2,  /* no such program */
	HATCH_AGENT_NO_EXEC = 3,     /* it cannot be executed */
	HATCH_AGENT_NO_SETUP = 4,    /* a mount, the user, the folder, a device, ... */
	HATCH_AGENT_BAD_REQUEST = 5, /* a frame that makes no sense: other versions? */
};

/*
 * The word to the test finisher by which the agent asks to be saved, before it opens a port. It does
 * so only where Linux's command line has hatch_save=1: to a host that does not save it means reset.
 */
#define HATCH_AGENT_SAVE 0x7777

#endif
