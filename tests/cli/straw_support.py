# SPDX-License-Identifier: MIT
"""What the tests with a library of straw share. HATCH_CLI names the program linked with it; each test
has folders of its own for all that the program may leave behind."""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
import time

CLI = os.environ["HATCH_CLI"]
FOLDER = tempfile.mkdtemp(prefix="hatch-straw-")
RUNTIME = os.path.join(FOLDER, "runtime")
CACHE = os.path.join(FOLDER, "cache")
PATIENCE = 20  # seconds for anything; a loaded machine is slow

os.mkdir(RUNTIME, 0o700)
os.environ.update(XDG_RUNTIME_DIR=RUNTIME, HATCH_CACHE=CACHE, TMPDIR=FOLDER, LC_ALL="C.UTF-8")
for name in ("HATCH_ROOT", "HATCH_BUILD", "STRAW_TELL", "STRAW_FAIL", "STRAW_LOST"):
    os.environ.pop(name, None)
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)


def fail(message):
    sys.exit(f"FAILED: {message}")


def check(what, wanted, got):
    if wanted != got:
        fail(f"{what}: wanted {wanted!r}, got {got!r}")


def hatch(*words, status=0, error="", stdin=b"", **more):
    """Runs it to its end; the exit code and all of its standard error must be as said. Returns its
    output."""
    done = subprocess.run(
        [CLI, *words], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE, **more
    )
    name = "hatch " + " ".join(os.fsdecode(word) for word in words)[:200]
    check(f"{name}: standard error", error, done.stderr.decode())
    check(f"{name}: exit code", status, done.returncode)
    return done.stdout


def wait_until(what, condition):
    deadline = time.monotonic() + PATIENCE
    while not (value := condition()):
        if time.monotonic() > deadline:
            fail(f"{what}: not within {PATIENCE} s")
        time.sleep(0.01)
    return value


def listed():
    """Names in the registry's folder."""
    folder = os.path.join(RUNTIME, "hatch")
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []
