/* SPDX-License-Identifier: MIT */
#include "describe.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "qemu.h"
#include "report.h"

enum { PORT_MOST = 65535 };

#define MEMORY_DEFAULT "512M"
#define MEMORY_LEAST   (UINT64_C(64) << 20)

static char *copy(const char *text)
{
	return hatch_text_format("%s", text);
}

/* A NAME alone is a variable of ours; one that we have not, the command has not either. */
static void add_variable(struct hatch_command *command, const char *text)
{
	char *name = copy(text);
	char *equals = strchr(name, '=');
	const char *value;

	if (!*name || equals == name)
		hatch_report_fail(HATCH_EXIT_USAGE,
				  "-e %s: no variable: give NAME=VALUE, or a NAME of yours", text);
	if (equals)
		*equals = '\0';
	value = equals ? equals + 1 : getenv(name);
	if (value)
		hatch_command_env(command, name, value);
	free(name);
}

/* ---- -v ---- */

/* Takes ":rw" or the like off the end of TEXT. */
static enum hatch_mount take_how(char *text)
{
	static const char *const how[] = { ":ro", ":rw", ":overlay" };
	size_t length = strlen(text);

	for (size_t i = 0; i < sizeof(how) / sizeof(how[0]); i++) {
		size_t size = strlen(how[i]);

		if (length > size && !strcmp(text + length - size, how[i])) {
			text[length - size] = '\0';
			return (enum hatch_mount)i;
		}
	}
	return HATCH_MOUNT_RW;
}

/* The ':' ahead of the guest's path, the last one that a '/' follows: a host's name may have one. */
static char *find_guest(char *text)
{
	char *found = NULL;

	for (char *colon = strchr(text, ':'); colon; colon = strchr(colon + 1, ':')) {
		if (colon[1] == '/')
			found = colon;
	}
	return found;
}

static void add_volume(struct hatch_command *command, const char *text)
{
	char *host = copy(text);
	enum hatch_mount how = take_how(host);
	char *colon = find_guest(host);

	if (!colon || colon == host || strchr(colon + 1, ':'))
		hatch_report_fail(
			HATCH_EXIT_USAGE,
			"-v %s: no folder and its place: give HOST:GUEST, with :ro, :rw or "
			":overlay behind it, such as .:/mnt:ro",
			text);
	*colon = '\0';
	hatch_command_mount(command, host, colon + 1, how);
	free(host);
}

/* ---- -p ---- */

static unsigned int port_of(const char *text, const char *number)
{
	char *end;
	unsigned long port = strtoul(number, &end, 10);

	if (*number < '0' || *number > '9' || *end || !port || port > PORT_MOST)
		hatch_report_fail(HATCH_EXIT_USAGE,
				  "-p %s: '%s' is no port: give [HOST:]GUEST, each from 1 to %d, "
				  "with /tcp or /udp behind it",
				  text, number, PORT_MOST);
	return (unsigned int)port;
}

static enum hatch_protocol take_protocol(const char *text, char *ports)
{
	char *slash = strchr(ports, '/');

	if (!slash)
		return HATCH_TCP;
	*slash++ = '\0';
	if (strcmp(slash, "tcp") && strcmp(slash, "udp"))
		hatch_report_fail(HATCH_EXIT_USAGE,
				  "-p %s: '%s' is no protocol that can be forwarded: tcp or udp",
				  text, slash);
	return *slash == 'u' ? HATCH_UDP : HATCH_TCP;
}

static void add_port(struct hatch_command *command, const char *text)
{
	char *ports = copy(text);
	enum hatch_protocol protocol = take_protocol(text, ports);
	char *colon = strchr(ports, ':');
	unsigned int host, guest;

	if (colon && strchr(colon + 1, ':'))
		hatch_report_fail(
			HATCH_EXIT_USAGE,
			"-p %s: the host's address is always 127.0.0.1: give [HOST:]GUEST", text);
	if (colon)
		*colon = '\0';
	guest = port_of(text, colon ? colon + 1 : ports);
	host = port_of(text, ports);
	hatch_command_port(command, protocol, host, guest);
	free(ports);
}

/* ---- The machine ---- */

static void set_network(struct hatch_command *command, const struct hatch_described *described)
{
	const char *net = described->net;

	if (!net)
		return;
	if (strcmp(net, "none") && strcmp(net, "user"))
		hatch_report_fail(HATCH_EXIT_USAGE, "--net %s: no such network: none or user", net);
	if (*net == 'n' && described->ports.count)
		hatch_report_fail(HATCH_EXIT_USAGE,
				  "-p needs a network: leave out --net none, or -p %s",
				  described->ports.item[0]);
	hatch_command_network(command, *net == 'u');
}

static void set_memory(struct hatch_command *command, struct hatch_described *described)
{
	const char *text = described->memory ? described->memory : MEMORY_DEFAULT;

	described->bytes = hatch_size_parse("-m", text, MEMORY_LEAST);
	if (described->bytes % (2 << 20))
		hatch_report_fail(HATCH_EXIT_USAGE, "-m %s: not even: give a multiple of 2M", text);
	hatch_command_memory(command, described->bytes);
}

static void set_processors(struct hatch_command *command, struct hatch_described *described)
{
	const char *text = described->cpus ? described->cpus : "1";

	described->processors = (unsigned int)(*text - '0');
	if (*text < '1' || *text > '8' || text[1])
		hatch_report_fail(HATCH_EXIT_USAGE, "--cpus %s: a whole number from 1 to 8, please",
				  text);
	hatch_command_cpus(command, described->processors);
}

static void set_timeout(struct hatch_command *command, const char *text)
{
	double seconds;
	char *end;

	if (!text)
		return;
	seconds = strtod(text, &end);
	if (end == text || *end || !(seconds > 0 && seconds < 1e9))
		hatch_report_fail(HATCH_EXIT_USAGE, "--timeout %s: not a number of seconds above 0",
				  text);
	hatch_command_timeout(command, seconds);
}

/* An option that is a text for the library. */
static void pass(struct hatch_command *command, const char *option, const char *text,
		 void (*set)(struct hatch_command *command, const char *text))
{
	if (!text)
		return;
	if (!*text)
		hatch_report_fail(HATCH_EXIT_USAGE,
				  "%s: the value is empty: give one, or leave it "
				  "out",
				  option);
	set(command, text);
}

static void set_folder(struct hatch_command *command, const char *folder)
{
	if (*folder != '/')
		hatch_report_fail(HATCH_EXIT_USAGE,
				  "-w %s: not a whole path of the guest: one that begins with '/'",
				  folder);
	hatch_command_cwd(command, folder);
}

static void pass_texts(struct hatch_command *command, const struct hatch_described *described)
{
	pass(command, "-w", described->folder, set_folder);
	pass(command, "-u", described->user, hatch_command_user);
	pass(command, "--hostname", described->hostname, hatch_command_hostname);
	pass(command, "--image", described->image, hatch_command_image);
	pass(command, "--persist", described->persist, hatch_command_persist);
	pass(command, "--kernel", described->kernel, hatch_command_kernel);
	pass(command, "--qemu", described->qemu, hatch_command_qemu);
	pass(command, "--firmware", described->firmware, hatch_command_firmware);
}

static void pass_list(struct hatch_command *command, const struct hatch_list *list,
		      void (*add)(struct hatch_command *command, const char *text))
{
	for (size_t i = 0; i < list->count; i++)
		add(command, list->item[i]);
}

struct hatch_command *hatch_describe(struct hatch_described *described, char **words)
{
	struct hatch_command *command = hatch_command_new(words[0]);

	if (!command)
		hatch_report_fail(HATCH_EXIT_FAILED,
				  "out of memory: close some programs and run again");
	if (words[0])
		hatch_command_args(command, (const char *const *)words + 1);
	pass_list(command, &described->variables, add_variable);
	pass_list(command, &described->volumes, add_volume);
	pass_list(command, &described->ports, add_port);
	pass_texts(command, described);
	set_network(command, described);
	set_memory(command, described);
	set_processors(command, described);
	set_timeout(command, described->timeout);
	if (described->debug)
		hatch_command_console(command, STDERR_FILENO);
	if (described->gdb)
		hatch_command_gdb(command);
	return command;
}
