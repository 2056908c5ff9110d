/* SPDX-License-Identifier: MIT */
/*
 * The root file system of the command, and the host's folders in it.
 *
 * An overlay holds its layers by itself: they are mounted where nobody else looks, and taken away
 * again from there. A new root is moved over the old one, which stays below for ever.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest.h"

#define WORK	"/run/hatch"
#define LOWER	WORK "/lower"
#define UPPER	WORK "/upper"
#define NEW	"/mnt" /* of the first root */

/* The root does not change while it is one; a shared folder may, by the host's doing. */
#define OF_9P	"trans=virtio,version=9p2000.L,msize=512000,cache="
#define OF_ROOT OF_9P "loose"
#define OF_HOST OF_9P "readahead"

static int keeper = -1; /* the folder on the disk that keeps what is written */

static int mount_9p(const char *tag, const char *path, unsigned long flags, const char *options,
		    struct problem *problem)
{
	if (mount(tag, path, "9p", flags, options))
		return problem_set(problem, "cannot mount the host's folder '%s'", tag);
	return 0;
}

static int mount_disk(int number, struct problem *problem)
{
	char disk[] = "/dev/vda";

	disk[sizeof(disk) - 2] = (char)(disk[sizeof(disk) - 2] + number);
	if (mount(disk, UPPER, "ext4", MS_NOATIME, NULL))
		return problem_set(problem, "cannot mount the disk %s", disk);
	keeper = open(UPPER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return 0;
}

static int mount_memory(struct problem *problem)
{
	if (mount("overlay", UPPER, "tmpfs", MS_NOATIME, "mode=755"))
		return problem_set(problem, "cannot mount memory for an overlay");
	return 0;
}

/* The overlay's own folder has the owner and mode of the upper one. */
static int copy_mode(const char *lower)
{
	struct stat status;

	return stat(lower, &status) || chown(UPPER "/upper", status.st_uid, status.st_gid) ||
	       chmod(UPPER "/upper", status.st_mode & 07777);
}

/* Of what is mounted at UPPER and stands at `lower`. */
static int mount_overlay(const char *lower, const char *path, struct problem *problem)
{
	char options[128];
	int made = mkdir(UPPER "/upper", 0755);

	if ((made && errno != EEXIST) || (!made && copy_mode(lower)) ||
	    (mkdir(UPPER "/work", 0755) && errno != EEXIST))
		return problem_set(problem, "cannot make the folders of an overlay");
	snprintf(options, sizeof(options),
		 "lowerdir=%s,upperdir=" UPPER "/upper,workdir=" UPPER "/work", lower);
	if (mount("overlay", path, "overlay", 0, options))
		return problem_set(problem, "cannot mount an overlay at %s", path);
	return 0;
}

static void hide_layers(void)
{
	umount2(LOWER, MNT_DETACH);
	umount2(UPPER, MNT_DETACH);
}

static int move_into(const char *name)
{
	char from[16], to[64];

	snprintf(from, sizeof(from), "/%s", name);
	snprintf(to, sizeof(to), NEW "/%s", name);
	return folder_make(to, 0755) || mount(from, to, NULL, MS_MOVE, NULL) ? -1 : 0;
}

static int become_root(void)
{
	static const char *const names[] = { "dev", "proc", "sys", "tmp", "run" };
	int root = open(NEW, O_PATH | O_DIRECTORY | O_CLOEXEC), error = root < 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !error; i++)
		error = move_into(names[i]);
	error = error || fchdir(root) || mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") ||
		chdir("/");
	close(root);
	return error ? -1 : 0;
}

static int enter_root(const struct setup *setup, struct problem *problem)
{
	if (setup->root && mount_9p(setup->root, LOWER, MS_RDONLY, OF_ROOT, problem))
		return -1;
	if (setup->keep >= 0 ? mount_disk(setup->keep, problem) : mount_memory(problem))
		return -1;
	if (mount_overlay(setup->root ? LOWER : "/", NEW, problem))
		return -1;
	hide_layers();
	return become_root() ? problem_set(problem, "cannot go into the root folder") : 0;
}

static int mount_over(const struct setup_mount *mount, struct problem *problem)
{
	if (mount_9p(mount->tag, LOWER, MS_RDONLY, OF_ROOT, problem) || mount_memory(problem) ||
	    mount_overlay(LOWER, mount->path, problem))
		return -1;
	hide_layers();
	return 0;
}

static int mount_folder(const struct setup_mount *mount, struct problem *problem)
{
	if (folder_make(mount->path, 0755))
		return problem_set(problem, "cannot make the folder %s", mount->path);
	if (mount->how == HATCH_AGENT_OVERLAY)
		return mount_over(mount, problem);
	return mount_9p(mount->tag, mount->path,
			mount->how == HATCH_AGENT_READ_ONLY ? MS_RDONLY : 0, OF_HOST, problem);
}

static int mount_all(const struct setup *setup, struct problem *problem)
{
	for (size_t i = 0; i < setup->mounts; i++)
		if (mount_folder(&setup->mount[i], problem))
			return -1;
	return 0;
}

int root_enter(const struct setup *setup, struct problem *problem)
{
	bool new_root = setup->root || setup->keep >= 0;

	if (!new_root && !setup->mounts)
		return 0;
	if (folder_make(LOWER, 0700) || folder_make(UPPER, 0700) ||
	    (new_root && folder_make(NEW, 0755)))
		return problem_set(problem, "cannot make a folder in /run");
	if ((new_root && enter_root(setup, problem)) || mount_all(setup, problem))
		return -1;
	rmdir(LOWER);
	rmdir(UPPER);
	rmdir(WORK);
	return 0;
}

/* A frozen file system is whole on its disk, and takes no write any more. */
void root_leave(void)
{
	sync();
	if (keeper >= 0)
		ioctl(keeper, FIFREEZE, 0);
}
