/* SPDX-License-Identifier: MIT */
const primes = [];

for (let n = 2; primes.length < 20; n++)
	if (primes.every(p => n % p))
		primes.push(n);
print(`primes: ${primes.join(" ")}`);
print(`their mean: ${primes.reduce((a, b) => a + b) / primes.length}`);
print(`2 ** 100 is ${2n ** 100n}, and the sine of 1 is ${Math.sin(1).toFixed(6)}`);
