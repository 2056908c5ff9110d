# SPDX-License-Identifier: MIT
"""What the long proofs (tools/soak-*) share: the command that is built, attempts that may fail
without an end of the whole, and where what went wrong is kept. Import it first: it sets the
environment that tests/linux/support.py reads, and makes that importable."""

import argparse
import atexit
import os
import pathlib
import shutil
import signal
import sys
import tempfile

ROOT = str(pathlib.Path(__file__).resolve().parent.parent.parent)
os.environ.setdefault("HATCH_ROOT", ROOT)
os.environ.setdefault("HATCH_BUILD", os.path.join(ROOT, "build"))
os.environ["HATCH_CLI"] = os.path.join(os.environ["HATCH_BUILD"], "src/command/hatch")
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(ROOT, "tests/linux"))

from support import SKIPPED, machine  # noqa: E402: the lines above are for it

runs = []  # of this attempt


def say(*words):
    print(f"{os.path.basename(sys.argv[0])}:", *words, file=sys.stderr, flush=True)


def begin():
    """Returns a folder for the proof's files; it is removed at the end, however that comes."""
    if not os.access(os.environ["HATCH_CLI"], os.X_OK):
        sys.exit(f"no {os.environ['HATCH_CLI']}: ./hatch help builds it; or set HATCH_BUILD")
    for number in signal.SIGTERM, signal.SIGHUP:  # as Ctrl-C: what runs is ended, files are removed
        signal.signal(number, signal.default_int_handler)
    folder = tempfile.mkdtemp(prefix="hatch-soak-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def start(main):
    """MAIN's value is the exit status."""
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        say("ended by a signal")
        sys.exit(130)


def count(text):
    """A number on the command line."""
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number from 1 on")
    return int(text)


def machines(names):
    """(name, options of hatch boot) of each machine; where there is no second QEMU, without it."""
    found = []
    for name in names:
        try:
            found.append((name, machine(name)))
        except SystemExit as end:
            if end.code != SKIPPED:
                raise
            say(f"the machine {name} is left out")
    return found


def track(run):
    """RUN belongs to this attempt: it ends with it, and what it printed is kept if it fails."""
    runs.append(run)
    return run


def release(run):
    """Thousands of runs may follow each other: nothing of one remains open."""
    run.stop()
    atexit.unregister(run.stop)
    for number in {run.read_end, run.write_end, run.slave} - {None}:
        try:
            os.close(number)
        except OSError:  # close_input() was before us
            pass


def keep(name):
    """Writes what the guests of this attempt printed to a file that stays. Returns its name."""
    number, path = tempfile.mkstemp(prefix=f"soak-{name.replace(' ', '-')}-")
    with os.fdopen(number, "wb") as file:
        for run in runs:
            file.write(f"{run.name()}\n".encode() + run.seen)
    return path


def attempt(name, work, *arguments):
    """Does WORK. Returns what that returns; None if a check in it failed, which is told."""
    try:
        return work(*arguments)
    except (SystemExit, OSError, ValueError) as error:
        say(f"{name}: {error}")
        say(f"{name}: what it printed is in {keep(name)}")
        return None
    finally:
        while runs:
            release(runs.pop())
