# SPDX-License-Identifier: MIT
"""What the tests of the Linux guest share: the machines to test on, and one run of `hatch boot`,
at a terminal or between pipes. A check that fails ends the test with what was wanted and what was
seen. Started by Meson: HATCH_CLI, HATCH_ROOT and HATCH_BUILD are set."""

import atexit
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time

ROOT = os.environ["HATCH_ROOT"]
CLI = os.environ["HATCH_CLI"]
PATIENCE = 120  # seconds for any one step: a loaded machine is slow, a hung one never ends
PROMPT = b"hatch:~# "
SKIPPED = 77  # Meson's word for a test that could not be run


def fail(message):
    sys.exit(f"FAILED: {message}")


def check(what, wanted, got):
    if wanted != got:
        fail(f"{what}: wanted {wanted!r}, got {got!r}")


def second_qemu():
    """The options for the other QEMU; where there is none the test is skipped, and says why."""
    tool = subprocess.run(
        [f"{ROOT}/tools/second-qemu"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    if tool.returncode == SKIPPED:
        print(f"skipped: {tool.stderr.strip()}")
        sys.exit(SKIPPED)
    check("status of tools/second-qemu", 0, tool.returncode)
    folder = tool.stdout.strip()
    return ["--qemu", f"{folder}/qemu-system-riscv64", "--firmware", f"{folder}/fw_dynamic.bin"]


def machine(name):
    """The options of `hatch boot` for the machine NAME: system or second, -no-sstc behind it; or
    native, the system's without Hatch."""
    options = second_qemu() if name.startswith("second") else []
    if name.endswith("-no-sstc"):
        options += ["--cpu", "rv64,sstc=false"]
    if name == "native":
        options += ["--qemu", os.path.join(os.path.dirname(os.path.abspath(__file__)), "native-qemu")]
    qemu = options[1] if "--qemu" in options else "qemu-system-riscv64"
    version = subprocess.run([qemu, "--version"], stdout=subprocess.PIPE, text=True)
    print(f"machine {name}: {version.stdout.splitlines()[0]}", *options, flush=True)
    return options


class Run:
    """One run of `hatch COMMAND`. Its output is collected in `seen`; `past` is how much of it
    expect() has gone by. Temporary files go to a folder of its own, to see that none remain."""

    def __init__(self, *words, terminal=False, environment=None):
        self.seen, self.past, self.unsent = b"", 0, b""
        self.folder = tempfile.mkdtemp(prefix="hatch-test-")
        self.words = words
        environment = dict(environment or os.environ, TMPDIR=self.folder)
        if terminal:
            self.read_end, self.slave = pty.openpty()
            self.write_end, streams = self.read_end, [self.slave] * 3
            self.before = termios.tcgetattr(self.slave)
        else:
            self.slave = None
            theirs, self.write_end = os.pipe()
            self.read_end, ours = os.pipe()
            streams = [theirs, ours, ours]
        self.process = subprocess.Popen(
            [CLI, *words],
            stdin=streams[0],
            stdout=streams[1],
            stderr=streams[2],
            start_new_session=True,
            env=environment,
        )
        if not terminal:
            os.close(theirs)
            os.close(ours)
        os.set_blocking(self.write_end, False)
        atexit.register(self.stop)  # should a check fail in the middle

    def pump(self, seconds):
        """Moves bytes both ways, for at most so long. False at the end of the output."""
        writers = [self.write_end] if self.unsent else []
        readable, writable, _ = select.select([self.read_end], writers, [], seconds)
        if writable:
            try:
                self.unsent = self.unsent[os.write(self.write_end, self.unsent[:4096]) :]
            except BlockingIOError:
                pass
        if not readable:
            return True
        try:
            data = os.read(self.read_end, 65536)
        except BlockingIOError:
            return True
        except OSError:  # the terminal's other end is closed
            return False
        self.seen += data
        return bool(data)

    def expect(self, text, patience=PATIENCE):
        """Waits for TEXT behind what was expected before. Returns what came in between."""
        deadline = time.monotonic() + patience
        while True:
            place = self.seen.find(text, self.past)
            if place >= 0:
                between = self.seen[self.past : place]
                self.past = place + len(text)
                return between
            left = deadline - time.monotonic()
            if left <= 0 or self.process.poll() is not None and not self.pump(0):
                self.stop()
                fail(f"{self.name()}: no {text!r} in what it printed: {self.tail()}")
            self.pump(min(left, 0.5))

    def send(self, data):
        self.unsent += data

    def close_input(self):
        while self.unsent:
            self.pump(0.5)
        os.close(self.write_end)

    def end(self, patience=PATIENCE):
        """Waits for the end. Returns the exit code; nothing of the run must remain."""
        deadline = time.monotonic() + patience
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                self.stop()
                fail(f"{self.name()}: does not end; it printed: {self.tail()}")
            self.pump(0.1)
        while self.pump(0) and select.select([self.read_end], [], [], 0)[0]:
            pass
        if self.slave is not None and termios.tcgetattr(self.slave) != self.before:
            fail(f"{self.name()}: the terminal is not as it was before")
        self.check_clean()
        return self.process.returncode

    def check_clean(self):
        check(f"{self.name()}: files left behind", [], os.listdir(self.folder))
        mark = f"TMPDIR={self.folder}\0".encode()
        deadline = time.monotonic() + 5
        while living := processes_with(mark):
            if time.monotonic() > deadline:
                fail(f"{self.name()}: processes left behind: {living}")
            time.sleep(0.1)
        shutil.rmtree(self.folder)

    def stop(self):
        """Ends the run now, wherever it is; hatch takes its machine along."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def name(self):
        return "hatch " + " ".join(self.words)

    def tail(self):
        return self.seen[-3000:].decode(errors="replace")


def processes_with(mark):
    """The processes whose environment holds MARK."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as environment:
                if mark in environment.read():
                    found.append(int(pid))
        except OSError:
            continue
    return found


def run(*words, status=0, patience=PATIENCE, environment=None):
    """Runs `hatch WORDS` without input to its end; the exit code must be STATUS. Returns what it
    printed."""
    one = Run(*words, environment=environment)
    one.close_input()
    got = one.end(patience)
    if got != status:
        fail(f"{one.name()}: wanted exit code {status}, got {got}; it printed: {one.tail()}")
    return one.seen


def boot(options, *more, terminal):
    """A guest at its shell's prompt."""
    guest = Run("boot", *options, *more, terminal=terminal)
    guest.expect(PROMPT)
    return guest


def power_off(guest):
    guest.send(b"poweroff\n")
    check("exit code after poweroff", 0, guest.end())
