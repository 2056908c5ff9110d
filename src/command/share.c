/* SPDX-License-Identifier: MIT */
#include "share.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "qemu.h"
#include "report.h"

enum { TAG_MOST = 31 }; /* bytes: QEMU's own limit */

struct share {
	char *folder;
	const char *tag;
	bool read_only;
};

/* From the end: a folder's name may have colons. */
static struct share parse(const char *text)
{
	struct share share = { .folder = hatch_text_format("%s", text) };
	char *colon = strrchr(share.folder, ':');

	if (colon && !strcmp(colon, ":ro")) {
		share.read_only = true;
		*colon = '\0';
		colon = strrchr(share.folder, ':');
	}
	if (!colon || colon == share.folder)
		hatch_report_fail(
			HATCH_EXIT_USAGE,
			"--share %s: not a folder and its tag: give DIR:TAG or DIR:TAG:ro, "
			"such as .:work",
			text);
	*colon = '\0';
	share.tag = colon + 1;
	return share;
}

/* The tag is the name of a folder in the guest. */
static void check_tag(const char *text, const char *tag)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789._-";

	if (!*tag)
		hatch_report_fail(HATCH_EXIT_USAGE,
				  "--share %s: the tag is empty: give the name that the folder "
				  "shall have in /mnt",
				  text);
	if (strlen(tag) > TAG_MOST)
		hatch_report_fail(HATCH_EXIT_USAGE,
				  "--share %s: the tag is too long: %d bytes at most", text,
				  TAG_MOST);
	if (*tag == '.' || tag[strspn(tag, good)])
		hatch_report_fail(
			HATCH_EXIT_USAGE,
			"--share %s: the tag '%s' is no plain name: letters, digits, '.', "
			"'_' and '-' only, and no '.' ahead",
			text, tag);
}

static void check_double(const struct hatch_list *list, size_t index, const char *tag)
{
	for (size_t i = 0; i < index; i++) {
		if (!strcmp(parse(list->item[i]).tag, tag))
			hatch_report_fail(HATCH_EXIT_USAGE,
					  "--share %s: the tag '%s' is taken by --share %s: give "
					  "another",
					  list->item[index], tag, list->item[i]);
	}
}

static void check_folder(const struct share *share)
{
	struct stat status;

	if (stat(share->folder, &status))
		hatch_report_fail(HATCH_EXIT_FAILED,
				  "cannot find the folder %s to share: %m; check the path",
				  share->folder);
	if (!S_ISDIR(status.st_mode))
		hatch_report_fail(
			HATCH_EXIT_FAILED,
			"%s is not a folder, and only these are shared: give the one that "
			"it is in",
			share->folder);
	if (access(share->folder, R_OK | X_OK))
		hatch_report_fail(
			HATCH_EXIT_FAILED,
			"cannot read the folder %s to share: %m; check its owner and mode",
			share->folder);
	if (!share->read_only && access(share->folder, W_OK))
		hatch_report_fail(HATCH_EXIT_FAILED,
				  "cannot write the folder %s to share: %m; give it as %s:%s:ro",
				  share->folder, share->folder, share->tag);
}

/*
 * security_model=none: what the guest makes are plain files, owned by who runs this program, links
 * are links. The other models keep the guest's owners, and leave files that are of no use here.
 */
struct hatch_plug hatch_share_plug(const struct hatch_list *list, size_t index, size_t number)
{
	const char *text = list->item[index];
	struct share share = parse(text);

	check_tag(text, share.tag);
	check_double(list, index, share.tag);
	check_folder(&share);
	return (struct hatch_plug){
		hatch_text_format("local,id=share%zu,security_model=none,multidevs=remap%s,path=%s",
				  number, share.read_only ? ",readonly=on" : "",
				  hatch_qemu_quote(share.folder)),
		hatch_text_format("virtio-9p-device,fsdev=share%zu,mount_tag=%s", number,
				  share.tag),
	};
}
