/* SPDX-License-Identifier: MIT */
globalThis.password = "swordfish";
Array.prototype.join = () => "now I decide what join does";
print(`I leave a global behind: ${password}`);
