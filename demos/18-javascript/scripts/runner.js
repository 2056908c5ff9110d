/* SPDX-License-Identifier: MIT */
/*
 * Runs scripts one after the other in one and the same world, as a careless server would. Their
 * paths come from standard input, a line for each.
 */
for (let path; (path = std.in.getline()) !== null;) {
	try {
		std.loadScript(path);
	} catch (error) {
		print(String(error));
	}
	std.out.flush();
}
