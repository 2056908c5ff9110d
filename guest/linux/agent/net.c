/* SPDX-License-Identifier: MIT */
/* QEMU's own network has one guest, and always the same numbers: no need to ask for them. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <net/route.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

#define ADDRESS	   "10.0.2.15"
#define MASK	   "255.255.255.0"
#define GATEWAY	   "10.0.2.2"
#define NAMESERVER "10.0.2.3"

enum {
	CARRIER_STEP = 200000, /* ns */
	CARRIER_STEPS = 5000,
};

static void put_address(struct sockaddr *to, const char *text)
{
	struct sockaddr_in address = { .sin_family = AF_INET };

	inet_pton(AF_INET, text, &address.sin_addr);
	memcpy(to, &address, sizeof(address));
}

static int set_address(int fd, const char *name, unsigned long request, const char *text)
{
	struct ifreq ifr = { 0 };

	strcpy(ifr.ifr_name, name);
	put_address(&ifr.ifr_addr, text);
	return ioctl(fd, request, &ifr);
}

static int bring_up(int fd, const char *name)
{
	struct ifreq ifr = { .ifr_flags = IFF_UP | IFF_RUNNING };

	strcpy(ifr.ifr_name, name);
	return ioctl(fd, SIOCSIFFLAGS, &ifr);
}

static int add_route(int fd)
{
	struct rtentry route = { .rt_flags = RTF_UP | RTF_GATEWAY };

	put_address(&route.rt_dst, "0.0.0.0");
	put_address(&route.rt_genmask, "0.0.0.0");
	put_address(&route.rt_gateway, GATEWAY);
	return ioctl(fd, SIOCADDRT, &route);
}

/* Until then what is sent is lost, and programs ask again only after seconds. */
static void wait_for_carrier(int fd)
{
	const struct timespec step = { .tv_nsec = CARRIER_STEP };
	struct ifreq ifr = { .ifr_name = "eth0" };

	for (int i = 0; i < CARRIER_STEPS; i++) {
		if (ioctl(fd, SIOCGIFFLAGS, &ifr) || ifr.ifr_flags & IFF_RUNNING)
			return;
		nanosleep(&step, NULL);
	}
}

static int set_up(int fd)
{
	if (set_address(fd, "eth0", SIOCSIFADDR, ADDRESS) ||
	    set_address(fd, "eth0", SIOCSIFNETMASK, MASK) || bring_up(fd, "eth0") || add_route(fd))
		return -1;
	wait_for_carrier(fd);
	return 0;
}

/* In an image this may be a link into nowhere. */
static int name_server(void)
{
	const char *text = "nameserver " NAMESERVER "\n";

	if (!file_write("/etc/resolv.conf", text))
		return 0;
	folder_make("/etc", 0755);
	unlink("/etc/resolv.conf");
	return file_write("/etc/resolv.conf", text);
}

/* Only where the root has none: the names that any program expects to know. */
static void name_hosts(const struct setup *setup)
{
	char text[512];

	if (!access("/etc/hosts", F_OK))
		return;
	snprintf(text, sizeof(text), "127.0.0.1 localhost\n::1 localhost\n127.0.1.1 %.250s\n",
		 setup->hostname ? setup->hostname : "hatch");
	file_write("/etc/hosts", text);
}

int net_start(const struct setup *setup, struct problem *problem)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), error;

	name_hosts(setup);
	if (fd < 0 || bring_up(fd, "lo"))
		return problem_set(problem, "cannot set up the guest's loopback");
	error = setup->network && set_up(fd);
	close(fd);
	if (error)
		return problem_set(problem, "cannot set up the guest's network eth0");
	if (setup->network && name_server())
		return problem_set(problem, "cannot write the guest's /etc/resolv.conf");
	return 0;
}
