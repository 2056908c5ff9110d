/* SPDX-License-Identifier: MIT */
print(`the other one's global: ${typeof password}`);
print(`join: ${["as", "it", "was"].join(" ")}`);
