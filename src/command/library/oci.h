/* SPDX-License-Identifier: MIT */
/* A folder of the OCI image layout: index.json, blobs/sha256/. */
#ifndef HATCH_LIBRARY_OCI_H
#define HATCH_LIBRARY_OCI_H

#include "plan.h"

struct hatch_oci {
	struct hatch_words blobs;  /* all that is to be checked: digests, "sha256:..." */
	struct hatch_words layers; /* of these: from the lowest to the highest */
};

/*
 * Reads what stands at FOLDER, for riscv64: *oci, and what its configuration says of the command into
 * *defaults. Errors: EIO, it is damaged or of another kind; ENOENT, it is not for riscv64; ERESOURCE.
 * To be freed in any case.
 */
int hatch_oci_read(struct hatch_oci *oci, const char *folder, struct hatch_defaults *defaults,
		   struct hatch_problem *problem);
void hatch_oci_free(struct hatch_oci *oci);

/* The file of a digest, which has been checked for its form; NULL: no memory. */
char *hatch_oci_blob(const char *folder, const char *digest);

#endif
