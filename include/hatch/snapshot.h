/* SPDX-License-Identifier: MIT */
/*
 * A continuation as bytes: saved here, resumed in another run of the machine, or on another one.
 *
 * What is in them: the vcpu's registers, the event that waits, the states of the clauses in force
 * (by name and version), and every page of RAM that is not all zero. Little-endian, sealed with a
 * checksum; docs/snapshots.md has the layout. What is not: the clauses, the scopes and the host's
 * own data. Who loads a snapshot has built the same try before.
 */
#ifndef HATCH_SNAPSHOT_H
#define HATCH_SNAPSHOT_H

#include <hatch/try.h>

#define HATCH_SNAPSHOT_VERSION 1
#define HATCH_SNAPSHOT_STATES  32 /* at most */

/* Takes the next bytes. Returns 0, or an error that ends the saving. */
typedef int hatch_snapshot_write(void *arg, const void *bytes, size_t size);

/* Gives the next bytes, all of them. Returns 0, or an error: HATCH_EFORMAT when there are fewer. */
typedef int hatch_snapshot_read(void *arg, void *bytes, size_t size);

/*
 * Saves a captured continuation, which stays as good as it was.
 * Errors: HATCH_EINVAL (NULL), HATCH_ESTALE (it was used or dropped), HATCH_ENOTSUP (pages of a
 * lazy region, which their clause alone could bring back), HATCH_E2BIG (too many states, or a
 * name beyond 31 bytes), HATCH_ENOMEM, HATCH_EBUSY (in an open transaction, or another hart of the
 * guest is not stopped: have the guest stop it by SBI HSM first), or what `write` gave.
 */
int hatch_snapshot_save(const struct hatch_captured *captured, hatch_snapshot_write *write,
			void *arg);

/*
 * Loads a snapshot into a try that was never run: hatch_try_init, its scopes entered, their states
 * added. RAM that the guest lacks is added; a region that it has must be there in the snapshot.
 * Lent regions must be there already, and keep what they hold. Guest time goes on where it stood.
 * The try is suspended then, and *captured is its continuation.
 *
 * The bytes are not trusted: whatever they say, nothing but the guest is written to, and the
 * guest can do nothing that it could not do before. On failure the guest's RAM may be changed (end it),
 * the registers and the states of the clauses are not.
 * Errors: HATCH_EINVAL (NULL, a try that was run), HATCH_EFORMAT (no snapshot, another version,
 * damaged, states or regions that do not fit), HATCH_ENOTSUP (the guest has seen a CPU that had
 * what this hart lacks), HATCH_ENOMEM, or what `read` gave.
 */
int hatch_snapshot_load(struct hatch_try *t, hatch_snapshot_read *read, void *arg,
			struct hatch_captured *captured);

#endif
