/* SPDX-License-Identifier: MIT */
/* What the tests of hatch run need in the guest and busybox has not. */
#include <arpa/inet.h>
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Each argument's length and a hash of its bytes, then those of all. */
static int print_arguments(int count, char **argument)
{
	uint64_t all = 0;

	for (int i = 0; i < count; i++) {
		uint64_t hash = 5381;

		for (const char *c = argument[i]; *c; c++)
			hash = hash * 33 + (unsigned char)*c;
		if (count < 100)
			printf("%zu %016llx\n", strlen(argument[i]), (unsigned long long)hash);
		all = all * 31 + hash;
	}
	printf("%d %016llx\n", count, (unsigned long long)all);
	return 0;
}

/* Lines in turn to both streams, each by a write of its own. */
static int print_in_turn(int count)
{
	for (int i = 0; i < count; i++) {
		char line[32];
		int size = snprintf(line, sizeof(line), "%d\n", i);

		if (write(i % 2 ? STDERR_FILENO : STDOUT_FILENO, line, (size_t)size) != size)
			return 1;
	}
	return 0;
}

static int print_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	struct dirent *entry;

	while (folder && (entry = readdir(folder))) {
		if (*entry->d_name != '.' && atoi(entry->d_name) != dirfd(folder))
			printf("%s ", entry->d_name);
	}
	putchar('\n');
	return 0;
}

static int open_port(int type, int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, type, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address))) {
		perror("bind");
		exit(1);
	}
	puts("ready");
	fflush(stdout);
	return fd;
}

/* Sends the first datagram back, "echo " ahead of it. */
static int echo_udp(int port)
{
	int fd = open_port(SOCK_DGRAM, port);
	char data[2048] = "echo ";
	struct sockaddr_in peer;
	socklen_t size = sizeof(peer);
	ssize_t length =
		recvfrom(fd, data + 5, sizeof(data) - 5, 0, (struct sockaddr *)&peer, &size);

	return sendto(fd, data, (size_t)length + 5, 0, (struct sockaddr *)&peer, size) < 0;
}

/* Sends back what the first caller sends, to its end. */
static int echo_tcp(int port)
{
	int listener = open_port(SOCK_STREAM, port);
	static char data[65536];
	ssize_t size;
	int fd;

	if (listen(listener, 1) || (fd = accept(listener, NULL, NULL)) < 0)
		return 1;
	while ((size = read(fd, data, sizeof(data))) > 0) {
		if (write(fd, data, (size_t)size) != size)
			return 1;
	}
	return size < 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int number = argc > 2 ? atoi(argv[2]) : 0;

	if (!strcmp(what, "arguments"))
		return print_arguments(argc - 2, argv + 2);
	if (!strcmp(what, "turns"))
		return print_in_turn(number);
	if (!strcmp(what, "descriptors"))
		return print_descriptors();
	if (!strcmp(what, "udp"))
		return echo_udp(number);
	return strcmp(what, "tcp") ? 2 : echo_tcp(number);
}
