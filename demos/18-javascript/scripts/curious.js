/* SPDX-License-Identifier: MIT */
function attempt(path, mode) {
	const error = {};
	const file = std.open(path, mode, error);

	print(`${path} for "${mode}": ${file ? file.getline() : std.strerror(error.errno)}`);
}

attempt("/scripts/primes.js", "r");
attempt("/scripts/primes.js", "w");
attempt("/scripts/new.js", "w");
attempt("/etc/secret", "r");
attempt("/scripts/../etc/secret", "r");
