/* SPDX-License-Identifier: MIT */
/*
 * A Linux virtual machine with the interface of a child process, for programs of the host.
 *
 *	struct hatch_command *command = hatch_command_new("/bin/uname");
 *	struct hatch_output output;
 *
 *	hatch_command_arg(command, "-a");
 *	if (hatch_command_output(command, &output))
 *		fprintf(stderr, "%s\n", hatch_command_problem(command));
 *	else
 *		fwrite(output.out, 1, output.out_size, stdout);
 *	hatch_output_free(&output);
 *	hatch_command_free(command);
 *
 * A command is described, then spawned, as often as one likes: each time it runs in a guest of its
 * own, which is there for it alone and ends with it. The first spawn of its kind boots that guest
 * and keeps it as a snapshot in the cache; later ones go on from there.
 *
 * The library prints nothing, never ends the program, catches no signal, waits for no child that
 * is not its own, and leaves nothing behind: a machine ends with its struct hatch_child, or with
 * the program, however that ends. Each child has a thread that moves its bytes. Different commands
 * and children may be used by different threads at once; one of them by one thread at a time, but
 * that hatch_child_kill may be called by any.
 *
 * Link with pkg-config's hatch-command. docs/command.md tells more.
 */
#ifndef HATCH_COMMAND_H
#define HATCH_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct hatch_command;
struct hatch_child;

/* Errors of this header, always negative. hatch_command_problem has the sentence to print. */
enum hatch_command_error {
	/* An argument makes no sense: no program, a size of 0, a port of 70000. Mend the call. */
	HATCH_COMMAND_EINVAL = -1,
	/* The host has no memory, descriptors or processes left. */
	HATCH_COMMAND_ERESOURCE = -2,
	/* Something is not there: QEMU, the kernel, a folder, an image. Install it or mend the path. */
	HATCH_COMMAND_ENOENT = -3,
	/* The guest did not come up, or the machine was ended from outside. */
	HATCH_COMMAND_EMACHINE = -4,
	/* A file cannot be read or written: rights, a full disk, a damaged image. */
	HATCH_COMMAND_EIO = -5,
	/* A pipe end was asked for of a stream that is none, or that was taken before. */
	HATCH_COMMAND_ESTALE = -6,
};

/* ---- Describing ---- */

/*
 * A command that runs `program` of the guest: a path, or a name that the guest's PATH leads to; NULL:
 * the one that the image names (hatch_command_image). Returns NULL: no memory. Everything that is
 * given to the functions below is copied. They check only what they can without looking; the first
 * complaint is kept, and each spawn returns it.
 */
struct hatch_command *hatch_command_new(const char *program);
void hatch_command_free(struct hatch_command *command); /* NULL is allowed; not while it spawns */

/* One more argument, any bytes but zeros, of 128 KiB at most; or a list with a NULL at its end. */
void hatch_command_arg(struct hatch_command *command, const char *argument);
void hatch_command_args(struct hatch_command *command, const char *const *arguments);

/*
 * A variable of the environment. The guest's own are PATH, HOME, USER, LOGNAME, HOSTNAME, and TERM
 * with a terminal; nothing of the host's environment is among them. `clear` takes all away, those
 * that were set before, too.
 */
void hatch_command_env(struct hatch_command *command, const char *name, const char *value);
void hatch_command_env_clear(struct hatch_command *command);

/* The folder in which the command begins, of the guest. Default: "/". It must be there. */
void hatch_command_cwd(struct hatch_command *command, const char *folder);

/* "user" or "user:group", names of the guest or numbers. Default: root. */
void hatch_command_user(struct hatch_command *command, const char *user);

/* The guest's host name. Default: "hatch". */
void hatch_command_hostname(struct hatch_command *command, const char *name);

enum hatch_stdio_kind {
	HATCH_STDIO_INHERIT, /* ours */
	HATCH_STDIO_NULL,    /* nothing to read; what is written is dropped */
	HATCH_STDIO_PIPE,    /* a pipe, our end of it is the child's */
	HATCH_STDIO_FD,	     /* a descriptor; it stays the caller's, and is open when it spawns */
	HATCH_STDIO_BYTES,   /* for standard input: these bytes, and then the end */
};

struct hatch_stdio {
	enum hatch_stdio_kind kind;
	int fd;		   /* HATCH_STDIO_FD */
	const void *bytes; /* HATCH_STDIO_BYTES: copied */
	size_t size;
};

/*
 * Default: inherit; with hatch_command_output: null, and pipes that are collected. Where output and
 * error lead to the same file, the guest's writes keep their order. The flags of a descriptor that
 * we share with others (O_NONBLOCK) are left as they are. What cannot be written ends the command,
 * with NO_MACHINE; but for a pipe without a reader, which is the command's own affair: SIGPIPE.
 */
void hatch_command_stdin(struct hatch_command *command, struct hatch_stdio stdio);
void hatch_command_stdout(struct hatch_command *command, struct hatch_stdio stdio);
void hatch_command_stderr(struct hatch_command *command, struct hatch_stdio stdio);

/*
 * The command has a terminal, of that size, with $TERM `term`: all its streams are that one.
 * Standard input should be a raw terminal then; what is printed goes to standard output.
 */
void hatch_command_terminal(struct hatch_command *command, const char *term, unsigned int rows,
			    unsigned int columns);

enum hatch_mount {
	HATCH_MOUNT_RO,	     /* the guest may not write */
	HATCH_MOUNT_RW,	     /* the guest's files are ours, owned by who runs this program */
	HATCH_MOUNT_OVERLAY, /* the guest's writes are seen by the guest only, and are lost */
};

/*
 * A folder of the host at a path of the guest, which is made if it is not there. The machine has place
 * for seven things: folders, the image, the kept root, the network.
 */
void hatch_command_mount(struct hatch_command *command, const char *host, const char *guest,
			 enum hatch_mount how);

enum hatch_protocol { HATCH_TCP, HATCH_UDP };

/* What comes to port `host` of 127.0.0.1 is answered by port `guest`. Implies a network. */
void hatch_command_port(struct hatch_command *command, enum hatch_protocol protocol,
			unsigned int host, unsigned int guest);

/* Whether the guest reaches what we reach, by a network of its own behind ours. Default: no. */
void hatch_command_network(struct hatch_command *command, bool on);

/*
 * A root file system: a folder, a tar archive (plain, or packed as tar knows it), or a folder of the
 * OCI image layout with something for riscv64. It is not written to: the guest has an overlay.
 * Archives and layouts are unpacked into the cache once, with whoever runs this as the owner of all;
 * devices are left out. Default: busybox.
 *
 * An OCI image's configuration says what nobody says here: Env, WorkingDir, User; and with the program
 * NULL its Entrypoint, and Cmd unless there are arguments. hatch_command_env_clear takes Env away, too.
 */
void hatch_command_image(struct hatch_command *command, const char *path);

/*
 * What the command writes to its root is kept under this name, for the next one with the name: in
 * $XDG_DATA_HOME/hatch/persist (or ~/.local/share), 8 GiB at most. For one machine at a time: EIO.
 */
void hatch_command_persist(struct hatch_command *command, const char *name);

/* The guest's RAM, bytes, a multiple of 2 MiB, at least 64 MiB. Default: 512 MiB. */
void hatch_command_memory(struct hatch_command *command, uint64_t bytes);

/* Processors, 1 to 8. Default: 1. */
void hatch_command_cpus(struct hatch_command *command, unsigned int cpus);

/* The machine is switched off after so many seconds, from spawn on. 0, the default: never. */
void hatch_command_timeout(struct hatch_command *command, double seconds);

/* A Linux Image of riscv64 with the drivers built in, or Debian's. Default: Debian's. */
void hatch_command_kernel(struct hatch_command *command, const char *file);

/* ---- About the machine ---- */

/* QEMU (default: qemu-system-riscv64 in PATH) and M-mode firmware (default: QEMU's OpenSBI). */
void hatch_command_qemu(struct hatch_command *command, const char *file);
void hatch_command_firmware(struct hatch_command *command, const char *file);

/* The kernel's console goes to this descriptor (it stays the caller's); no snapshot is used. */
void hatch_command_console(struct hatch_command *command, int fd);

/*
 * The machine waits for gdb at 127.0.0.1:1234, which is told as progress; no snapshot is used. For one
 * machine at a time: EIO.
 */
void hatch_command_gdb(struct hatch_command *command);

/*
 * Called, by the child's thread, when something begins that takes a while: "the guest boots for the
 * first time". `what` is one line; an empty one if, after others, the command is about to run. It
 * must not wait for the child.
 */
void hatch_command_progress(struct hatch_command *command,
			    void (*tell)(void *arg, const char *what), void *arg);

/*
 * What a spawn would start now: the machine's words, a NULL at the end; one `free` frees all. Numbers of
 * descriptors stand for those that it would have. NULL: an error, see hatch_command_error.
 */
char **hatch_command_words(struct hatch_command *command);

/* Why the last call for this command failed: one line that says what to do next. Never NULL. */
const char *hatch_command_problem(const struct hatch_command *command);

/* The same as one of enum hatch_command_error; 0: it did not fail. ERESOURCE for a command of NULL. */
int hatch_command_error(const struct hatch_command *command);

/* ---- Running ---- */

enum hatch_exit_kind {
	HATCH_EXIT_CODE,       /* value: the command's exit code, 0 to 255 */
	HATCH_EXIT_SIGNALED,   /* value: the signal that it died of */
	HATCH_EXIT_TIMED_OUT,  /* the machine was switched off in time */
	HATCH_EXIT_NO_EXEC,    /* value: errno of Linux: the program cannot be executed */
	HATCH_EXIT_NO_COMMAND, /* value: errno of Linux: there is no such program */
	HATCH_EXIT_NO_MACHINE, /* the guest did not come up, or was ended from outside, or an error */
};

/* How a child ended. `problem` is "" for CODE and SIGNALED, else one line. */
struct hatch_exit {
	enum hatch_exit_kind kind;
	int value;
	char problem[512];
};

/* The exit code that a shell would have for it: n, 128 + n, 124, 126, 127, 125. */
int hatch_exit_code(const struct hatch_exit *exit);

/*
 * Starts it. Returns at once: the guest comes up meanwhile. *child is the caller's then, to be
 * freed by hatch_child_free. Errors: all but ESTALE; nothing was started, and *child is NULL. What
 * fails only after something that took a while (fetching, unpacking, the first boot) is told by the
 * child's exit, as NO_MACHINE.
 *
 * QEMU is a child process of this program, in a process group of its own: its end comes as a SIGCHLD
 * like that of any other, and who waits for whatever child there is will meet it. That does no harm.
 */
int hatch_command_spawn(struct hatch_command *command, struct hatch_child **child);

/* Starts it and waits for its end. Errors: as hatch_command_spawn. */
int hatch_command_status(struct hatch_command *command, struct hatch_exit *exit);

/* What a command wrote. A zero stands behind each, which is not counted. */
struct hatch_output {
	struct hatch_exit exit;
	char *out, *err;
	size_t out_size, err_size; /* bytes */
};

/*
 * Starts it, waits for its end, and collects what it wrote to streams that nothing else was said of.
 * *output is to be freed in any case. Errors: as hatch_command_spawn; ERESOURCE.
 */
int hatch_command_output(struct hatch_command *command, struct hatch_output *output);
void hatch_output_free(struct hatch_output *output);

/* QEMU's process id; 0 before it has one, while something takes a while. */
pid_t hatch_child_id(const struct hatch_child *child);

/* Our ends of its pipes, until they are taken; ESTALE: there is none. Who takes it closes it. */
int hatch_child_take_stdin(struct hatch_child *child);
int hatch_child_take_stdout(struct hatch_child *child);
int hatch_child_take_stderr(struct hatch_child *child);

/*
 * A signal for the command and the processes of its group, by the host's number. Before it runs, it
 * waits until it does. SIGKILL switches the machine off if the guest does not obey within two
 * seconds. EINVAL: no such signal. A child that has ended ignores it.
 */
int hatch_child_kill(struct hatch_child *child, int number);

/* The terminal has another size now. */
void hatch_child_resize(struct hatch_child *child, unsigned int rows, unsigned int columns);

/* Switches the machine off, as a power cut would; its exit is SIGNALED with SIGKILL. */
void hatch_child_destroy(struct hatch_child *child);

/*
 * Waits until it has ended, and all that it wrote has been passed on; a pipe that nobody reads is
 * waited for. Our end of its standard input is closed first, unless it was taken. May be repeated.
 */
void hatch_child_wait(struct hatch_child *child, struct hatch_exit *exit);

/* The same, without waiting: whether it has ended. */
bool hatch_child_try_wait(struct hatch_child *child, struct hatch_exit *exit);

/* A descriptor, the child's, that is readable from when it has ended on: for poll(). */
int hatch_child_fd(const struct hatch_child *child);

/* Destroys it if it still runs, and frees it. NULL is allowed. */
void hatch_child_free(struct hatch_child *child);

#ifdef __cplusplus
}
#endif

#endif
