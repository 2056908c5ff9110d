# SPDX-License-Identifier: MIT
"""A Debian of `hatch image create` as a guest: log in, ask, power off, check its disk; and what is
done with it to see that every byte passes its devices whole. Used by the test `debian` and by the
long proofs in tools/. The shared folder of these guests has the tag `work`."""

import functools
import hashlib
import http.server
import os
import random
import re
import shutil
import socket
import subprocess
import threading

from support import Run, check, fail, run

PATIENCE = 600  # seconds, for a boot of systemd on emulated processors that others share
PROMPT = b"root@hatch:~# "
PORT = 7000  # of the guest, where it takes an upload
MIB = 1 << 20
# systemd gives up on the console, and there is no login, when a machine with a load of other things
# has not found it after 90 seconds: each of these is in seconds. And the log keeps all of a test.
APPEND = (
    "console=ttyS0 earlycon=sbi no4lvl systemd.default_device_timeout_sec=900"
    " systemd.default_timeout_start_sec=900 log_buf_len=4M"
)
PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"  # where e2fsck is


class Debian(Run):
    """One boot with OPTIONS, from `hatch boot` to its end. On the console: the shell of root."""

    def __init__(self, *options):
        super().__init__("boot", "--memory", "1G", "--append", APPEND, *options, terminal=True)

    def login(self):
        self.expect(b"hatch login: ", PATIENCE)
        self.send(b"root\r")
        self.expect(PROMPT, PATIENCE)
        # No command is broken into lines, and the kernel's words are in its log, not in an answer.
        self.answer("stty columns 500; dmesg -n 1")

    def answer(self, command, patience=PATIENCE):
        """What the shell prints for a COMMAND of one line."""
        self.send(command.encode() + b"\r")
        self.expect(b"\r\n", patience)
        return self.rest(patience)

    def rest(self, patience=PATIENCE):
        """What comes before the next prompt; the shell talks to its terminal, too."""
        text = self.expect(PROMPT, patience).decode(errors="replace")
        return re.sub("\r|\033\\[[?0-9;]*[a-zA-Z]", "", text)

    def await_network(self):
        check("the address", "10.0.2.15\n", self.answer(
            "for i in $(seq 60); do ip -4 -br addr | grep -o '10\\.0\\.2\\.15' && break; "
            "sleep 1; done"))

    def power_off(self):
        self.send(b"poweroff\r")
        check("exit code after poweroff", 0, self.end(PATIENCE))


def make_disk(disk, size):
    if os.path.exists(disk):
        os.remove(disk)
    run("image", "create", disk, "--size", size, patience=3000)  # the first one is built


def tool(*words, good=(0,)):
    """Runs a tool of this machine; another status than a GOOD one is a failure. Returns it."""
    try:
        end = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                             errors="replace", timeout=300, env=dict(os.environ, PATH=PATH))
    except FileNotFoundError:
        fail(f"no {words[0]} on this machine: install it")
    except subprocess.TimeoutExpired:
        fail(f"{' '.join(words)} does not end")
    if end.returncode not in good:
        fail(f"{' '.join(words)}: status {end.returncode}: {end.stdout[-3000:]}")
    return end.stdout


def check_disk(disk):
    """A raw disk, with a file system that its guest has put away."""
    tool("e2fsck", "-fn", disk)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def hash_of(data):
    return hashlib.sha256(data).hexdigest()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words):
        pass


class Server:
    """Serves FOLDER to this machine alone, and so to its guests, which know it as 10.0.2.2."""

    def __init__(self, folder):
        handler = functools.partial(Quiet, directory=folder)
        self.folder = folder
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def download(guest, server, size):
    """SIZE random bytes go from this machine to the guest."""
    data = os.urandom(size)
    with open(os.path.join(server.folder, "download"), "wb") as file:
        file.write(data)
    check(f"{size} bytes downloaded", f"{hash_of(data)}  -\n", guest.answer(
        f"wget -qO- http://10.0.2.2:{server.port}/download | sha256sum"))


# Takes one call and prints what it brings. The word that says that it waits is not what is typed.
LISTEN = (
    "perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(Listen => 1, ReuseAddr => 1, LocalPort"
    f" => {PORT}) or die $!; print STDERR \"wait\", \"ing\\n\"; $c = $s->accept or die $!;"
    " print $d while sysread $c, $d, 65536' | sha256sum"
)


def upload(guest, port, size):
    """SIZE random bytes go from this machine through its PORT to a server in the guest."""
    data = os.urandom(size)
    guest.send(LISTEN.encode() + b"\r")
    guest.expect(b"waiting\r\n", PATIENCE)
    try:
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as line:
            line.sendall(data)
            line.shutdown(socket.SHUT_WR)
            line.recv(1)  # its end: the guest has all
    except OSError as error:
        fail(f"an upload of {size} bytes through the port {port}: {error}")
    check(f"{size} bytes uploaded", f"{hash_of(data)}  -\n", guest.rest())


def hash_of_files(folder):
    whole = hashlib.sha256()
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as file:
            whole.update(file.read())
    return whole.hexdigest()


def share_files(guest, share, count):
    """COUNT files of random sizes go through the shared folder in each direction."""
    theirs, ours = os.path.join(share, "from-guest"), os.path.join(share, "from-host")
    for folder in theirs, ours:
        shutil.rmtree(folder, ignore_errors=True)
    os.mkdir(ours)
    for number in range(count):
        with open(os.path.join(ours, f"{number:06}"), "wb") as file:
            file.write(os.urandom(random.randrange(65536)))
    check(f"{count} files of the host", f"{hash_of_files(ours)}  -\n",
          guest.answer("cat /mnt/shared/from-host/* | sha256sum"))
    made = guest.answer(
        "rm -rf made && mkdir made && for i in $(seq -w "
        f"{count}); do head -c $((RANDOM * 2)) /dev/urandom >made/$i; done;"
        " cp -r made /mnt/shared/from-guest && cat made/* | sha256sum")
    check("files of the guest", count, len(os.listdir(theirs)))
    check(f"{count} files of the guest", made, f"{hash_of_files(theirs)}  -\n")
    guest.answer("rm -rf made")


def write_file(guest, size):
    """The guest fills a file on its disk with SIZE MiB. Returns what sha256sum says of it."""
    said = guest.answer(
        f"dd if=/dev/urandom of=bulk bs=1M count={size} 2>/dev/null; sha256sum bulk")
    check("the size of the file", f"{size * MIB}\n", guest.answer("stat -c %s bulk"))
    check_file(guest, said)
    return said


def check_file(guest, wanted):
    """From the disk, not from memory."""
    check("the file, read again", wanted, guest.answer(
        "sync; echo 3 >/proc/sys/vm/drop_caches; sha256sum bulk"))
