/* SPDX-License-Identifier: MIT */
#include "net.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "report.h"

struct forward {
	bool udp;
	unsigned int host, guest; /* ports */
};

_Noreturn static void refuse(const char *word)
{
	hatch_report_fail(HATCH_EXIT_USAGE,
			  "--net: '%s' is no part of a network: give none, or user, or "
			  "user,forward=tcp:HOST:GUEST with two ports (udp, too; more than one "
			  "forward)",
			  word);
}

/* A port's digits up to END; 0 if it is none. */
static unsigned int parse_port(const char *text, char end, const char **rest)
{
	char *stop;
	unsigned long port;

	if (*text < '0' || *text > '9')
		return 0;
	port = strtoul(text, &stop, 10);
	if (*stop != end || port > UINT16_MAX)
		return 0;
	*rest = stop + 1;
	return (unsigned int)port;
}

static struct forward parse_forward(const char *word)
{
	struct forward forward = { .udp = !strncmp(word, "forward=udp:", 12) };
	const char *rest = word + 12;

	if (!forward.udp && strncmp(word, "forward=tcp:", 12) != 0)
		refuse(word);
	forward.host = parse_port(rest, ':', &rest);
	if (forward.host)
		forward.guest = parse_port(rest, '\0', &rest);
	if (!forward.guest)
		refuse(word);
	return forward;
}

/* As QEMU will do it; a port that is free now may be gone then, and QEMU says so. */
static void check_port(const struct forward *forward)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)forward->host),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, (forward->udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
	int reuse = 1;

	if (fd < 0)
		hatch_report_fail(HATCH_EXIT_FAILED,
				  "--net: cannot make a socket: %m; leave out the forwards");
	if (!forward->udp)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof(reuse));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    (!forward->udp && listen(fd, 1)))
		hatch_report_fail(HATCH_EXIT_FAILED,
				  "--net: the port %u of this machine cannot be had for %s: %m; "
				  "forward another, such as %u",
				  forward->host, forward->udp ? "udp" : "tcp",
				  forward->host % 50000 + 10000);
	close(fd);
}

/* The earlier ones stay bound by nobody, so the same port twice is looked for here. */
static bool is_among(const struct forward *forward, const struct forward *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (list[i].udp == forward->udp && list[i].host == forward->host)
			return true;
	}
	return false;
}

/* Only this machine itself reaches the guest: its ports are bound to the loopback address. */
static const char *add_forward(const char *words, const struct forward *forward)
{
	return hatch_text_format("%s,hostfwd=%s:127.0.0.1:%u-:%u", words,
				 forward->udp ? "udp" : "tcp", forward->host, forward->guest);
}

struct hatch_plug hatch_net_plug(const char *text, size_t index)
{
	struct forward *list = calloc(strlen(text) + 1, sizeof(*list));
	struct hatch_plug plug = { hatch_text_format("user,id=net%zu", index),
				   hatch_text_format("virtio-net-device,netdev=net%zu", index) };
	char *rest = hatch_text_format("%s", text);
	char *word = strsep(&rest, ",");
	size_t count = 0;

	if (strcmp(word, "user") != 0)
		refuse(word);
	while (list && (word = strsep(&rest, ","))) {
		list[count] = parse_forward(word);
		if (is_among(&list[count], list, count))
			hatch_report_fail(HATCH_EXIT_USAGE,
					  "--net: two forwards of the port %u: give each its own",
					  list[count].host);
		check_port(&list[count]);
		plug.back = add_forward(plug.back, &list[count++]);
	}
	free(list);
	return plug;
}
