/* SPDX-License-Identifier: MIT */
const hoard = [];

print("taking all memory");
for (;;)
	hoard.push(new Uint8Array(1 << 20));
