/* SPDX-License-Identifier: MIT */
/* Devices behind the agent's, each in the next slot: network, root folder, folders, disk. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <hatch/agent.h>

#include "persist.h"
#include "plan.h"

char *hatch_quote(const char *text)
{
	char *quoted = text ? malloc(2 * strlen(text) + 1) : NULL;
	char *to = quoted;

	for (; quoted && *text; text++) {
		*to++ = *text;
		if (*text == ',')
			*to++ = ',';
	}
	if (quoted)
		*to = '\0';
	return quoted;
}

static void plug(struct hatch_plan *plan, const char *device)
{
	hatch_words_add(&plan->devices, "-device");
	hatch_words_add(&plan->devices, "%s,bus=virtio-mmio-bus.%u", device, ++plan->slots);
}

/* ---- Ports of ours ---- */

/* As QEMU will do it; a port that is free now may be gone then, and QEMU says so. Returns errno. */
static int try_port(bool udp, unsigned int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
	int yes = 1, error = 0;

	if (fd < 0)
		return 0;
	if (!udp)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || (!udp && listen(fd, 1)))
		error = errno;
	close(fd);
	return error;
}

static int check_gdb(const struct hatch_command *command, struct hatch_problem *problem)
{
	int error = command->gdb ? try_port(false, HATCH_GDB_PORT) : 0;

	if (!error)
		return 0;
	return hatch_problem_set(problem, HATCH_COMMAND_EIO,
				 "the port %d of this machine, for gdb, cannot be had: %s; end "
				 "the program that has it, perhaps another machine that waits for "
				 "gdb",
				 HATCH_GDB_PORT, strerror(error));
}

/* ---- The network ---- */

static int check_port(const struct hatch_forward *forward, struct hatch_problem *problem)
{
	bool udp = forward->protocol == HATCH_UDP;
	int error = try_port(udp, forward->host);

	if (!error)
		return 0;
	return hatch_problem_set(problem, HATCH_COMMAND_EIO,
				 "the port %u of this machine cannot be had for %s: %s; forward "
				 "another, such as %u",
				 forward->host, udp ? "udp" : "tcp", strerror(error),
				 forward->host % 50000 + 10000);
}

/* Only this machine itself reaches the guest: its ports are bound to the loopback address. */
static int plan_network(struct hatch_plan *plan, const struct hatch_command *command,
			struct hatch_problem *problem)
{
	char *words = strdup("user,id=net");

	if (!command->network) {
		free(words);
		return 0;
	}
	for (size_t i = 0; i < command->forwards; i++) {
		const struct hatch_forward *forward = &command->forward[i];
		char *before = words;

		words = before ? hatch_format("%s,hostfwd=%s:127.0.0.1:%u-:%u", before,
					      forward->protocol == HATCH_UDP ? "udp" : "tcp",
					      forward->host, forward->guest)
			       : NULL;
		free(before);
		if (check_port(forward, problem))
			break;
	}
	hatch_words_add(&plan->devices, "-netdev");
	hatch_words_add(&plan->devices, "%s", words ? words : "");
	plan->devices.failed |= !words;
	free(words);
	plug(plan, "virtio-net-device,netdev=net");
	hatch_setup_add(&plan->setup, HATCH_AGENT_NETWORK, NULL, 0);
	return problem->error;
}

/* ---- Folders ---- */

/*
 * security_model=none: what the guest makes are plain files, owned by who runs this program, links
 * are links.
 */
static void plan_folder(struct hatch_plan *plan, const char *tag, const char *folder, bool writes)
{
	char *quoted = hatch_quote(folder);

	plan->devices.failed |= !quoted;
	hatch_words_add(&plan->devices, "-fsdev");
	hatch_words_add(&plan->devices, "local,id=%s,security_model=none,multidevs=remap%s,path=%s",
			tag, writes ? "" : ",readonly=on", quoted ? quoted : "");
	free(quoted);
	quoted = hatch_format("virtio-9p-device,fsdev=%s,mount_tag=%s", tag, tag);
	plan->devices.failed |= !quoted;
	plug(plan, quoted ? quoted : "");
	free(quoted);
}

static int check_folder(const struct hatch_mounted *mount, struct hatch_problem *problem)
{
	struct stat status;

	if (stat(mount->host, &status))
		return hatch_problem_set(problem, HATCH_COMMAND_ENOENT,
					 "cannot find the folder %s to mount: %s; check the path",
					 mount->host, strerror(errno));
	if (!S_ISDIR(status.st_mode))
		return hatch_problem_set(problem, HATCH_COMMAND_ENOENT,
					 "%s is not a folder, and only these are mounted: give the "
					 "one that it is in",
					 mount->host);
	if (access(mount->host, R_OK | X_OK))
		return hatch_problem_set(problem, HATCH_COMMAND_EIO,
					 "cannot read the folder %s to mount: %s; check its owner "
					 "and mode",
					 mount->host, strerror(errno));
	if (mount->how == HATCH_MOUNT_RW && access(mount->host, W_OK))
		return hatch_problem_set(problem, HATCH_COMMAND_EIO,
					 "cannot write the folder %s to mount: %s; mount it for "
					 "reading only, or with an overlay",
					 mount->host, strerror(errno));
	return 0;
}

static void tell_mount(struct hatch_plan *plan, const struct hatch_mounted *mount, const char *tag)
{
	static const uint8_t how[] = { [HATCH_MOUNT_RO] = HATCH_AGENT_READ_ONLY,
				       [HATCH_MOUNT_RW] = HATCH_AGENT_READ_WRITE,
				       [HATCH_MOUNT_OVERLAY] = HATCH_AGENT_OVERLAY };
	const uint8_t number[4] = { how[mount->how] };
	struct hatch_bytes value = { 0 };

	hatch_bytes_add(&value, number, sizeof(number));
	hatch_bytes_add(&value, tag, strlen(tag) + 1);
	hatch_bytes_add(&value, mount->guest, strlen(mount->guest));
	hatch_setup_add(&plan->setup, HATCH_AGENT_MOUNT, value.data, value.size);
	plan->setup.failed |= value.failed;
	hatch_bytes_free(&value);
}

static int plan_mounts(struct hatch_plan *plan, const struct hatch_command *command,
		       struct hatch_problem *problem)
{
	for (size_t i = 0; i < command->mounts; i++) {
		const struct hatch_mounted *mount = &command->mount[i];
		char tag[] = { 'm', (char)('0' + i), '\0' };
		char *folder;

		if (check_folder(mount, problem))
			return problem->error;
		folder = realpath(mount->host, NULL);
		plan_folder(plan, tag, folder ? folder : mount->host, mount->how == HATCH_MOUNT_RW);
		free(folder);
		tell_mount(plan, mount, tag);
	}
	return 0;
}

static void plan_root(struct hatch_plan *plan)
{
	if (!plan->image_root)
		return;
	plan_folder(plan, "root", plan->image_root, false);
	hatch_setup_add(&plan->setup, HATCH_AGENT_ROOT, "root", 4);
}

/* ---- The disk ---- */

static int plan_disk(struct hatch_plan *plan, const struct hatch_command *command,
		     struct hatch_problem *problem)
{
	static const uint8_t first[4];
	char *quoted;

	if (!command->persist)
		return 0;
	if (hatch_persist_plan(plan, command->persist, problem))
		return problem->error;
	quoted = hatch_quote(plan->persist);
	plan->devices.failed |= !quoted;
	hatch_words_add(&plan->devices, "-drive");
	hatch_words_add(&plan->devices,
			"if=none,id=keep,format=raw,cache=writeback,discard=unmap,file=%s",
			quoted ? quoted : "");
	free(quoted);
	plug(plan, "virtio-blk-device,drive=keep");
	hatch_setup_add(&plan->setup, HATCH_AGENT_KEEP, first, sizeof(first));
	return 0;
}

int hatch_devices_plan(struct hatch_plan *plan, const struct hatch_command *command,
		       struct hatch_problem *problem)
{
	size_t count = command->mounts + command->network + !!command->image + !!command->persist;
	uint8_t number[4] = { (uint8_t)count };

	if (count > HATCH_SLOTS - 1)
		return hatch_problem_set(problem, HATCH_COMMAND_EINVAL,
					 "a network, an image, a kept root and folders: %zu of "
					 "them, but the machine has place for %d; leave out %zu",
					 count, HATCH_SLOTS - 1, count - (HATCH_SLOTS - 1));
	if (count)
		hatch_setup_add(&plan->setup, HATCH_AGENT_DEVICES, number, sizeof(number));
	if (check_gdb(command, problem) || plan_network(plan, command, problem))
		return problem->error;
	plan_root(plan);
	if (plan_mounts(plan, command, problem) || plan_disk(plan, command, problem))
		return problem->error;
	return 0;
}
