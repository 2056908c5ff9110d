/* SPDX-License-Identifier: MIT */
print("I take the interpreter down with me");
std.out.flush();
std.exit(3);
