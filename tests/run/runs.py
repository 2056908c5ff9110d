# SPDX-License-Identifier: MIT
"""What the tests of `hatch run` share: a machine's options, one run, and what it leaves behind.
Started by Meson: HATCH_CLI, HATCH_ROOT and HATCH_BUILD are set."""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "linux"))
from support import CLI, check, fail, machine, processes_with  # noqa: E402

PATIENCE = 300  # seconds for one run: the first one boots, perhaps on a loaded machine
FOLDER = tempfile.mkdtemp(prefix="hatch-run-")
RUNTIME, SCRATCH, WORK = (os.path.join(FOLDER, name) for name in ("runtime", "tmp", "work"))
for name in (RUNTIME, SCRATCH, WORK):
    os.mkdir(name, 0o700)
os.environ.update(XDG_RUNTIME_DIR=RUNTIME, TMPDIR=SCRATCH, XDG_DATA_HOME=os.path.join(FOLDER, "data"))
MARK = f"XDG_RUNTIME_DIR={RUNTIME}\0".encode()
OPTIONS = [word for word in machine(sys.argv[1] if len(sys.argv) > 1 else "system")]
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)


def words(*command, options=()):
    """The words of `hatch run OPTIONS -- COMMAND` on the machine under test."""
    return [CLI, "run", *OPTIONS, *options, "--", *command]


WARM = set()


def warm(options=()):
    """Boots a guest of that kind, should there be no snapshot yet: later ones tell of no progress."""
    kind = [word for at, word in enumerate(options) if {"-m", "--cpus"} & {word, *options[max(at - 1, 0):at]}]
    if tuple(kind) not in WARM:
        WARM.add(tuple(kind))
        subprocess.run(words("true", options=kind), stderr=subprocess.DEVNULL, timeout=PATIENCE)


def run(*command, options=(), status=0, error="", stdin=b"", **more):
    """Runs it to its end. Exit code and standard error must be as said; returns the output."""
    warm(options)
    done = subprocess.run(words(*command, options=options), input=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=PATIENCE, **more)
    name = f"hatch run {' '.join(map(str, options))} -- {str(command)[:200]}"
    got = done.stderr.decode(errors="replace")
    if (done.returncode, got) != (status, error):
        fail(f"{name}: wanted exit code {status} and {error!r}, got {done.returncode} and {got!r}; "
             f"output: {done.stdout[-500:]!r}")
    return done.stdout


def say(*command, **more):
    """The same, for a line of output."""
    return run(*command, **more).decode().rstrip("\n")


class Background:
    """A run that goes on while the test does."""

    def __init__(self, *command, options=(), cold=False, **more):
        if not cold:
            warm(options)
        more = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
        self.process = subprocess.Popen(words(*command, options=options), **more)
        atexit.register(self.stop)

    def line(self, wanted):
        got = self.process.stdout.readline()
        if got != wanted:
            self.process.kill()
            fail(f"wanted the line {wanted!r}, got {got!r}: {self.process.stderr.read()!r}")

    def end(self, what, status, output=b"", error=b""):
        out, err = self.process.communicate(timeout=PATIENCE)
        check(what, (status, output, error), (self.process.returncode, out, err))

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()


def hatch(*command, status=0, error=""):
    """Another verb, run to its end; returns its output."""
    done = subprocess.run([CLI, *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=PATIENCE, text=True)
    check(f"hatch {' '.join(command)}", (status, error), (done.returncode, done.stderr))
    return done.stdout


def wait_until(what, condition, patience=30):
    deadline = time.monotonic() + patience
    while not (value := condition()):
        if time.monotonic() > deadline:
            fail(f"{what}: not within {patience} s")
        time.sleep(0.05)
    return value


def machines():
    """The QEMU processes of this test's runs."""
    found = []
    for pid in processes_with(MARK):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as line:
                if b"qemu-system" in line.read().split(b"\0")[0]:
                    found.append(pid)
        except OSError:
            continue
    return found


def helper():
    """A folder with the helper's program for the guest."""
    folder = os.path.join(WORK, "helper")
    if not os.path.isdir(folder):
        os.mkdir(folder)
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "helper.c")
        subprocess.run(["riscv64-linux-gnu-gcc", "-static", "-O2", "-Wall", "-o", f"{folder}/helper", source],
                       check=True)
    return folder


def check_clean():
    """No process, no file, no name is left of all that this test ran."""
    def others():
        return [pid for pid in processes_with(MARK) if pid != os.getpid()]

    wait_until("the end of all processes", lambda: not others())
    check("files in TMPDIR", [], os.listdir(SCRATCH))
    registry = os.path.join(RUNTIME, "hatch")
    check("names", [], os.listdir(registry) if os.path.isdir(registry) else [])
