/* SPDX-License-Identifier: MIT */
print("counting to infinity");
for (let n = 0; n < Infinity; n++)
	;
print("done");
