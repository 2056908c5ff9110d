/* SPDX-License-Identifier: MIT */
/*
 * What is the same for all commands: done before the guest is saved, so that it costs a run nothing.
 * A kernel that has something built in has no need of its module, and one of another release cannot
 * take it: so nothing here is an error until a command misses it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

#define HUGE_PAGES "/sys/kernel/mm/transparent_hugepage/enabled"

static void mount_one(const char *type, const char *path, const char *options)
{
	mkdir(path, 0755);
	mount(type, path, type, MS_NOSUID, options);
}

static void mount_all(void)
{
	mount_one("proc", "/proc", NULL);
	mount_one("sysfs", "/sys", NULL);
	mount_one("devtmpfs", "/dev", "mode=755");
	mount_one("devpts", "/dev/pts", "ptmxmode=666,mode=620,gid=5");
	mount_one("tmpfs", "/dev/shm", "mode=1777");
	mount_one("tmpfs", "/tmp", "mode=1777");
	mount_one("tmpfs", "/run", "mode=755");
	symlink("/proc/self/fd", "/dev/fd");
	symlink("/proc/self/fd/0", "/dev/stdin");
	symlink("/proc/self/fd/1", "/dev/stdout");
	symlink("/proc/self/fd/2", "/dev/stderr");
}

/* All programs of busybox under their names. */
static void install_busybox(void)
{
	pid_t pid = fork();

	if (!pid) {
		execl("/bin/busybox", "busybox", "--install", "-s", NULL);
		_exit(1);
	}
	waitpid(pid, NULL, 0);
}

static void load_module(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	syscall(SYS_finit_module, fd, "", 0);
	close(fd);
	unlink(path); /* its memory is better used */
}

/* The list has them in an order in which each finds what it needs. */
static void load_modules(void)
{
	char *list = file_read("/modules/list"), *rest = list, *name, path[256];

	while (rest && (name = strsep(&rest, "\n"))) {
		snprintf(path, sizeof(path), "/modules/%s.ko", name);
		if (*name)
			load_module(path);
	}
	free(list);
	unlink("/modules/list");
	rmdir("/modules");
}

/* Takes `size` bytes, as one page if the kernel can, and leaves `reserve` free. */
static bool take_memory(size_t size, size_t reserve)
{
	struct sysinfo info;
	char *at;

	if (sysinfo(&info) || info.freeram * info.mem_unit < reserve + size)
		return false;
	at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED)
		return false;
	madvise(at, size, MADV_HUGEPAGE);
	for (size_t done = 0; done < size; done += 4096)
		at[done] = 0;
	return true;
}

/* Of "always [madvise] never" the word in brackets. Writes to `words`. */
static const char *chosen(char *words)
{
	char *word = words ? strchr(words, '[') : NULL;

	return word ? strtok(word, "[]") : "";
}

/*
 * A snapshot leaves out pages of zeros. What the kernel gives a process is cleared, so a process takes
 * whatever is free, and ends. Should it take too much it is the one that the kernel kills for that.
 */
static void clear_free_memory(void)
{
	char *least = file_read("/proc/sys/vm/min_free_kbytes"), *huge = file_read(HUGE_PAGES);
	pid_t pid;

	file_write(HUGE_PAGES, "madvise"); /* off where there is little memory */
	file_write("/proc/sys/vm/drop_caches", "3");
	file_write("/proc/sys/vm/compact_memory", "1");
	file_write("/proc/sys/vm/min_free_kbytes", "256");
	pid = fork();
	if (!pid) {
		file_write("/proc/self/oom_score_adj", "1000");
		while (take_memory(2 << 20, 6 << 20))
			;
		while (take_memory(64 << 10, 3 << 20))
			;
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	file_write("/proc/sys/vm/min_free_kbytes", least ? least : "");
	file_write(HUGE_PAGES, chosen(huge));
	free(least);
	free(huge);
}

void boot_prepare(void)
{
	umask(022);
	mount_all();
	finisher_open();
	file_write("/sys/bus/platform/drivers_autoprobe", "0");
	load_modules();
	install_busybox();
	sethostname("hatch", 5);
	if (!getenv("hatch_save"))
		return;
	sync();
	clear_free_memory();
	finisher_save();
}
