/* SPDX-License-Identifier: MIT */
/* What a snapshot of the cache is of, for people. */
#ifndef HATCH_COMMAND_ABOUT_H
#define HATCH_COMMAND_ABOUT_H

/* One line of 80 characters at most, of the file `about` in FOLDER; "": there is none. */
char *hatch_about_read(const char *folder);

#endif
