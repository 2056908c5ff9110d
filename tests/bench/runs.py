# SPDX-License-Identifier: MIT
"""What a command in a guest costs, `hatch run`: beside the same machine's boot without Hatch for the
same job, and how fast its output is. For run-bench."""

import hashlib
import os
import statistics
import subprocess
import tempfile
import threading
import time

RATIO_BAR = 0.2  # of a native boot's wall time, from a snapshot
PEAK_BAR = 64  # MiB of the program's memory while a GiB goes through it
STREAM = 1 << 30  # bytes
BLOCK = os.urandom(1 << 20)

# Boots, and is off: all that the native machine does for a command that does nothing.
NATIVE_JOB = "true\n"


def command(machine, *words, environment=None, **more):
    return subprocess.Popen([machine.command, "run", *machine.choice, "--", *words], env=environment, **more)


def timed_run(machine, fail, environment=None):
    start = time.monotonic()
    run = command(machine, "true", environment=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                  stderr=subprocess.PIPE)
    said = run.communicate(timeout=600)[1]
    if run.returncode:
        fail(f"hatch run true ended with status {run.returncode}: {said.decode()[-300:]}")
    return time.monotonic() - start


def cold_environment(folder):
    """A cache that has everything but snapshots."""
    base = os.environ.get("HATCH_CACHE") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "hatch")
    for name in os.listdir(base):
        if name not in ("snapshot", ".lock", ".scratch"):
            os.symlink(os.path.join(base, name), os.path.join(folder, name))
    return dict(os.environ, HATCH_CACHE=folder)


def native_words(machine, kernel, initrd):
    return [machine.qemu, "-M", "virt", "-cpu", "rv64", "-m", "512M", "-display", "none", "-monitor", "none",
            "-serial", "stdio", "-bios", machine.firmware, "-kernel", kernel, "-initrd", initrd,
            "-append", "console=ttyS0 earlycon=sbi quiet no4lvl"]


def start_up(machine, kernel, initrd, rounds, timed, progress, fail):
    """Wall seconds of alternating runs, and of one without a snapshot."""
    with tempfile.TemporaryDirectory() as folder:
        progress("hatch run true, without a snapshot")
        cold = timed_run(machine, fail, cold_environment(folder))
    times = {"run": [], "native": []}
    for i in range(rounds + 1):  # the first pair warms the page cache, and makes the snapshot
        progress(f"hatch run true, and a native boot: round {i} of {rounds}")
        pair = timed_run(machine, fail), timed(native_words(machine, kernel, initrd))
        if i:
            times["run"].append(pair[0])
            times["native"].append(pair[1])
    ratios = [a / b for a, b in zip(times["run"], times["native"])]
    return {
        "rounds": rounds,
        "cold_seconds": cold,
        "warm_seconds": statistics.median(times["run"]),
        "native_seconds": statistics.median(times["native"]),
        "ratio": statistics.median(ratios),
        "ratio_least": min(ratios),
        "ratio_most": max(ratios),
    }


def feed(stream):
    for _ in range(STREAM // len(BLOCK)):
        stream.write(BLOCK)
    stream.close()


def wanted_hash():
    digest = hashlib.sha256()
    for _ in range(STREAM // len(BLOCK)):
        digest.update(BLOCK)
    return digest.hexdigest()


def peak_memory(pid):
    """MiB that the process has had at most, as long as it lives; 0 afterwards."""
    try:
        with open(f"/proc/{pid}/status") as status:
            return next((int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM")), 0)
    except OSError:
        return 0


def stream(machine, progress, fail):
    """A GiB through `cat`: MB/s each way at once, and the peak of the program's memory."""
    progress("a GiB through hatch run cat")
    digest, peak = hashlib.sha256(), 0
    start = time.monotonic()
    run = command(machine, "cat", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    feeder = threading.Thread(target=feed, args=(run.stdin,), daemon=True)
    feeder.start()
    while block := run.stdout.read1(1 << 20):
        digest.update(block)
        peak = max(peak, peak_memory(run.pid))
    if run.wait(60):
        fail(f"hatch run cat ended with status {run.returncode}")
    seconds = time.monotonic() - start
    feeder.join()
    if digest.hexdigest() != wanted_hash():
        fail("hatch run cat: the bytes that came back are others")
    return {"bytes": STREAM, "mb_per_second": STREAM / 1e6 / seconds, "peak_mib": peak}


def measure(machine, kernel, initrd, rounds, timed, progress, fail):
    return {
        "start": start_up(machine, kernel, initrd, rounds, timed, progress, fail),
        "stream": stream(machine, progress, fail),
    }


def show(figures):
    """Prints them; whether the bars are met."""
    start, flow = figures["start"], figures["stream"]
    print(f"\na command in a guest, hatch run true, {start['rounds']} alternating pairs:")
    print(f"  Hatch {start['warm_seconds']:.2f} s, native boot for it {start['native_seconds']:.2f} s, ratio "
          f"{start['ratio']:.2f} ({start['ratio_least']:.2f} to {start['ratio_most']:.2f}), bar <= {RATIO_BAR}")
    print(f"  the first time, without a snapshot: {start['cold_seconds']:.2f} s")
    print(f"  {flow['bytes'] >> 20} MiB through cat, both ways: {flow['mb_per_second']:.0f} MB/s; the program's "
          f"memory {flow['peak_mib']:.0f} MiB at most, bar <= {PEAK_BAR}")
    return start["ratio"] <= RATIO_BAR and flow["peak_mib"] <= PEAK_BAR
