/* SPDX-License-Identifier: MIT */
/* Describing a command. What is wrong is kept until it is spawned. */
#include "command.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY_DEFAULT (UINT64_C(512) << 20)
#define MEMORY_LEAST   (UINT64_C(64) << 20)
#define MEMORY_MOST    (UINT64_C(1) << 40)
#define MEMORY_UNIT    (UINT64_C(2) << 20)

/* ---- Complaints ---- */

static void complain(struct hatch_command *command, const char *format, ...)
{
	char text[sizeof(command->complaint.text)];
	va_list values;

	if (command->complaint.error)
		return;
	va_start(values, format);
	vsnprintf(text, sizeof(text), format, values);
	va_end(values);
	hatch_problem_set(&command->complaint, HATCH_COMMAND_EINVAL, "%s", text);
}

static void lack_memory(struct hatch_command *command)
{
	if (!command->complaint.error)
		hatch_problem_memory(&command->complaint);
}

/* A copy of TEXT in place of what was said before; WHAT names it. */
static void set_text(struct hatch_command *command, char **place, const char *what,
		     const char *text)
{
	if (!text || !*text) {
		complain(command, "the %s is empty: give one, or leave it out", what);
		return;
	}
	free(*place);
	*place = strdup(text);
	if (!*place)
		lack_memory(command);
}

static void check_words(struct hatch_command *command, const struct hatch_words *words)
{
	if (words->failed)
		lack_memory(command);
}

/* ---- Beginning and end ---- */

struct hatch_command *hatch_command_new(const char *program)
{
	struct hatch_command *command = calloc(1, sizeof(*command));

	if (!command)
		return NULL;
	command->memory = MEMORY_DEFAULT;
	command->cpus = 1;
	command->console = -1;
	command->program = program;
	if (program && !*program)
		complain(command, "no program: say what is to run in the guest");
	if (program)
		hatch_words_add(&command->arguments, "%s", program);
	if (!command->arguments.failed)
		return command;
	hatch_command_free(command);
	return NULL;
}

void hatch_command_free(struct hatch_command *command)
{
	if (!command)
		return;
	hatch_words_free(&command->arguments);
	hatch_words_free(&command->environment);
	for (size_t i = 0; i < command->mounts; i++) {
		free(command->mount[i].host);
		free(command->mount[i].guest);
	}
	for (int i = 0; i < HATCH_STREAMS; i++)
		hatch_bytes_free(&command->stream[i].bytes);
	free(command->mount);
	free(command->forward);
	free(command->folder);
	free(command->user);
	free(command->hostname);
	free(command->term);
	free(command->image);
	free(command->persist);
	free(command->kernel);
	free(command->qemu);
	free(command->firmware);
	free(command);
}

const char *hatch_command_problem(const struct hatch_command *command)
{
	return command ? command->problem.text : "out of memory: close some programs and run again";
}

int hatch_command_error(const struct hatch_command *command)
{
	return command ? command->problem.error : HATCH_COMMAND_ERESOURCE;
}

/* ---- What runs, and in which surroundings ---- */

void hatch_command_arg(struct hatch_command *command, const char *argument)
{
	if (!argument) {
		complain(command, "an argument is NULL: give a text, if only an empty one");
		return;
	}
	hatch_words_add(&command->arguments, "%s", argument);
	check_words(command, &command->arguments);
}

void hatch_command_args(struct hatch_command *command, const char *const *arguments)
{
	while (arguments && *arguments)
		hatch_command_arg(command, *arguments++);
}

void hatch_command_env(struct hatch_command *command, const char *name, const char *value)
{
	if (!name || !*name || strchr(name, '=') || !value) {
		complain(command,
			 "'%s' is no name of a variable, or it has no value: a name has no "
			 "'='",
			 name ? name : "");
		return;
	}
	hatch_words_add(&command->environment, "%s=%s", name, value);
	check_words(command, &command->environment);
}

void hatch_command_env_clear(struct hatch_command *command)
{
	hatch_words_free(&command->environment);
	command->bare = true;
}

void hatch_command_cwd(struct hatch_command *command, const char *folder)
{
	set_text(command, &command->folder, "working folder", folder);
}

void hatch_command_user(struct hatch_command *command, const char *user)
{
	set_text(command, &command->user, "user", user);
}

void hatch_command_hostname(struct hatch_command *command, const char *name)
{
	set_text(command, &command->hostname, "host name", name);
}

/* ---- Streams ---- */

static void set_stream(struct hatch_command *command, int number, struct hatch_stdio stdio)
{
	struct hatch_stream_choice *stream = &command->stream[number];

	if ((unsigned int)stdio.kind > HATCH_STDIO_BYTES ||
	    (stdio.kind == HATCH_STDIO_BYTES && number)) {
		complain(command, "stream %d cannot be of the kind %d: see enum hatch_stdio_kind",
			 number, (int)stdio.kind);
		return;
	}
	if (stdio.kind == HATCH_STDIO_FD && stdio.fd < 0) {
		complain(command, "stream %d: the descriptor %d is none: open it first", number,
			 stdio.fd);
		return;
	}
	hatch_bytes_free(&stream->bytes);
	stream->said = true;
	stream->kind = stdio.kind;
	stream->fd = stdio.fd;
	if (stdio.kind == HATCH_STDIO_BYTES)
		hatch_bytes_add(&stream->bytes, stdio.bytes, stdio.size);
	if (stream->bytes.failed)
		lack_memory(command);
}

void hatch_command_stdin(struct hatch_command *command, struct hatch_stdio stdio)
{
	set_stream(command, 0, stdio);
}

void hatch_command_stdout(struct hatch_command *command, struct hatch_stdio stdio)
{
	set_stream(command, 1, stdio);
}

void hatch_command_stderr(struct hatch_command *command, struct hatch_stdio stdio)
{
	set_stream(command, 2, stdio);
}

void hatch_command_terminal(struct hatch_command *command, const char *term, unsigned int rows,
			    unsigned int columns)
{
	if (rows > UINT16_MAX || columns > UINT16_MAX)
		complain(command, "a terminal of %u rows and %u columns: 65535 is the most", rows,
			 columns);
	set_text(command, &command->term, "name of the terminal ($TERM)", term);
	command->rows = rows;
	command->columns = columns;
}

/* ---- The guest's machine ---- */

void hatch_command_mount(struct hatch_command *command, const char *host, const char *guest,
			 enum hatch_mount how)
{
	struct hatch_mounted *all;
	struct hatch_mounted *one;

	if (!host || !*host || !guest || *guest != '/' || (unsigned int)how > HATCH_MOUNT_OVERLAY) {
		complain(command,
			 "cannot mount '%s' at '%s': give a folder and a whole path of the "
			 "guest, such as /mnt",
			 host ? host : "", guest ? guest : "");
		return;
	}
	all = realloc(command->mount, (command->mounts + 1) * sizeof(*all));
	if (!all) {
		lack_memory(command);
		return;
	}
	command->mount = all;
	one = &all[command->mounts++];
	*one = (struct hatch_mounted){ strdup(host), strdup(guest), how };
	if (!one->host || !one->guest)
		lack_memory(command);
}

void hatch_command_port(struct hatch_command *command, enum hatch_protocol protocol,
			unsigned int host, unsigned int guest)
{
	struct hatch_forward *all;

	if (!host || !guest || host > UINT16_MAX || guest > UINT16_MAX ||
	    (unsigned int)protocol > HATCH_UDP) {
		complain(command, "cannot forward the port %u to %u: 1 to 65535, TCP or UDP", host,
			 guest);
		return;
	}
	for (size_t i = 0; i < command->forwards; i++) {
		if (command->forward[i].host == host && command->forward[i].protocol == protocol)
			complain(command, "two forwards of the port %u: give each its own", host);
	}
	all = realloc(command->forward, (command->forwards + 1) * sizeof(*all));
	if (!all) {
		lack_memory(command);
		return;
	}
	command->forward = all;
	all[command->forwards++] = (struct hatch_forward){ protocol, host, guest };
	command->network = true;
}

void hatch_command_network(struct hatch_command *command, bool on)
{
	if (!on && command->forwards)
		complain(command, "a forwarded port needs a network: leave out one of the two");
	command->network = on;
}

void hatch_command_image(struct hatch_command *command, const char *path)
{
	set_text(command, &command->image, "path of the image", path);
}

/* It becomes the name of a file. */
void hatch_command_persist(struct hatch_command *command, const char *name)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789._-";

	if (!name || !*name || *name == '.' || *name == '-' || name[strspn(name, good)] ||
	    strlen(name) > 100)
		complain(command,
			 "'%s' is no plain name to keep a file system under: letters, "
			 "digits, '.', '_' and '-' only, neither '.' nor '-' ahead",
			 name ? name : "");
	set_text(command, &command->persist, "name to keep the root under", name);
}

void hatch_command_memory(struct hatch_command *command, uint64_t bytes)
{
	if (bytes < MEMORY_LEAST || bytes > MEMORY_MOST || bytes % MEMORY_UNIT)
		complain(command,
			 "%llu bytes of RAM: give a multiple of 2 MiB, 64 MiB at least, "
			 "1 TiB at most",
			 (unsigned long long)bytes);
	command->memory = bytes;
}

void hatch_command_cpus(struct hatch_command *command, unsigned int cpus)
{
	if (!cpus || cpus > HATCH_CPUS_MOST)
		complain(command, "%u processors: 1 to %d can be had", cpus, HATCH_CPUS_MOST);
	command->cpus = cpus;
}

void hatch_command_timeout(struct hatch_command *command, double seconds)
{
	if (!(seconds >= 0 && seconds < 1e9)) {
		complain(command, "%g seconds: not a time to end after; 0 means never", seconds);
		return;
	}
	command->timeout = seconds;
}

void hatch_command_kernel(struct hatch_command *command, const char *file)
{
	set_text(command, &command->kernel, "path of the kernel", file);
}

void hatch_command_qemu(struct hatch_command *command, const char *file)
{
	set_text(command, &command->qemu, "path of QEMU", file);
}

void hatch_command_firmware(struct hatch_command *command, const char *file)
{
	set_text(command, &command->firmware, "path of the firmware", file);
}

void hatch_command_console(struct hatch_command *command, int fd)
{
	if (fd < 0)
		complain(command, "the console's descriptor %d is none: open it first", fd);
	command->console = fd;
}

void hatch_command_gdb(struct hatch_command *command)
{
	command->gdb = true;
}

void hatch_command_progress(struct hatch_command *command,
			    void (*tell)(void *arg, const char *what), void *arg)
{
	command->tell = tell;
	command->tell_arg = arg;
}
