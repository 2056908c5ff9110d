# SPDX-License-Identifier: MIT
"""The speed of a disk, a shared folder and a connection: under Hatch, and natively.

The same kernel, initial file system, script and QEMU devices in both, in alternating boots. What is
timed is the transfer, not the boot, and of the disk not the first one: then the emulator meets most of
the code, and of its memory, for the first time.
"""
import os
import re
import socket
import statistics
import subprocess
import tempfile
import threading
import time

MIB = 1 << 20
DISK = 256 * MIB
READS = 3
SHARED = 64 * MIB
SENT = 64 * MIB
HARTS = 2
MEMORY = "1G"
PATIENCE = 240  # seconds, for a whole boot

# Times are of the guest's own clock. Its server takes what is sent to it, and closes.
SCRIPT = f"""now() {{ read -r up rest </proc/uptime; echo "$up"; }}
read_disk() {{ echo 3 >/proc/sys/vm/drop_caches; dd if=/dev/vda of=/dev/null bs=1M 2>/dev/null; }}
read_disk
a=$(now); for i in $(seq {READS}); do read_disk; done; echo "block $a $(now)"
a=$(now); dd if=/mnt/shared/big of=/dev/null bs=1M 2>/dev/null; echo "share $a $(now)"
echo listening
nc -l -p 5555 >/dev/null
echo done
"""

RECORDER = """#!/bin/sh
for word; do printf '%s\\n' "$word"; done >"$0.words"
exit 1
"""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def device_words(machine, options, folder):
    """The words with which Hatch asks QEMU for the devices."""
    recorder = os.path.join(folder, "recorder")
    with open(recorder, "w", encoding="utf-8") as file:
        file.write(RECORDER)
    os.chmod(recorder, 0o755)
    subprocess.run([machine.command, "boot", *options, "--exec", "true", "--qemu", recorder],
                   stdin=subprocess.DEVNULL, capture_output=True, check=False)
    with open(recorder + ".words", encoding="utf-8") as file:
        words = file.read().splitlines()
    kept = []
    for option, value in zip(words, words[1:]):
        if option in ("-global", "-drive", "-netdev", "-fsdev", "-object", "-device"):
            if not value.startswith(("loader,", "memory-")):
                kept += [option, value]
    return kept


def send(port):
    """Seconds from the first byte to the guest's having taken the last one."""
    block = bytes(MIB)
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as peer:
        start = time.monotonic()
        for _ in range(SENT // MIB):
            peer.sendall(block)
        peer.shutdown(socket.SHUT_WR)
        while peer.recv(4096):
            pass
        return time.monotonic() - start


def send_when_ready(port):
    """QEMU takes the connection whether the guest listens or not, and resets it in the latter case."""
    for _ in range(30):
        try:
            return send(port)
        except ConnectionError:
            time.sleep(0.5)
    raise TimeoutError("the guest's server took no connection")


def measure(words, port):
    """{what: MiB per second} of one boot."""
    found = {}
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as run:
        watchdog = threading.Timer(PATIENCE, run.kill)
        watchdog.start()
        try:
            for line in run.stdout:
                for what, a, b in re.findall(rb"(block|share) ([\d.]+) ([\d.]+)", line):
                    size = READS * DISK if what == b"block" else SHARED
                    found[what.decode()] = size / MIB / (float(b) - float(a))
                if b"listening" in line:
                    found["forward"] = SENT / MIB / send_when_ready(port)
                if b"done" in line:
                    break
        finally:
            watchdog.cancel()
            run.terminate()
    return found


def ratios(machine, image, make_initrd, rounds, progress):
    """{what: {hatch, native: MiB/s, ratio, ratio_least, ratio_most}}"""
    with tempfile.TemporaryDirectory() as folder:
        disk, share = os.path.join(folder, "disk"), os.path.join(folder, "share")
        os.mkdir(share)
        for path, size in ((disk, DISK), (os.path.join(share, "big"), SHARED)):
            with open(path, "wb") as file:
                for _ in range(size // MIB):
                    file.write(os.urandom(MIB))
        port = free_port()
        options = ["--memory", MEMORY, "--cpus", str(HARTS), "--disk", f"{disk},ro", "--share", f"{share}:shared:ro",
                   "--net", f"user,forward=tcp:{port}:5555"]
        initrd = make_initrd(machine, folder, SCRIPT, "--devices")
        append = "console=ttyS0 quiet loglevel=1 no4lvl"
        hatch = [machine.command, "boot", *machine.choice, *options, "--kernel", image,
                 "--initrd", initrd, "--append", append]
        native = [machine.qemu, "-nodefaults", "-M", "virt", "-cpu", "rv64", "-smp", str(HARTS),
                  "-m", MEMORY, "-display", "none", "-monitor", "none", "-serial", "stdio",
                  "-bios", machine.firmware, "-kernel", image, "-initrd", initrd,
                  "-append", append, *device_words(machine, options, folder)]
        speeds = {"hatch": [], "native": []}
        for i in range(rounds):
            for name, words in (("hatch", hatch), ("native", native)):
                progress(f"reading and sending: {name}, round {i + 1} of {rounds}")
                speeds[name].append(measure(words, port))
    result = {}
    for what in ("block", "share", "forward"):
        pairs = [(a[what], b[what]) for a, b in zip(speeds["hatch"], speeds["native"])
                 if what in a and what in b]
        if not pairs:
            continue
        result[what] = {
            "hatch": statistics.median(a for a, _ in pairs),
            "native": statistics.median(b for _, b in pairs),
            "ratio": statistics.median(a / b for a, b in pairs),
            "ratio_least": min(a / b for a, b in pairs),
            "ratio_most": max(a / b for a, b in pairs),
        }
    return result
