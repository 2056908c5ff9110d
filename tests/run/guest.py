# SPDX-License-Identifier: MIT
"""A guest with the agent, and a host's side of its ports (docs/agent.md): QEMU with Hatch, Debian's
kernel and the agent's initial file system, and nothing of the host library between. Started by Meson:
HATCH_ROOT, HATCH_BUILD and HATCH_AGENT are set."""

import atexit
import os
import select
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.parse

ROOT = os.environ["HATCH_ROOT"]
BUILD = os.environ["HATCH_BUILD"]
PATIENCE = 120  # seconds for any one step: a loaded machine is slow, a hung one never ends
SKIPPED = 77
MIB = 1 << 20

CONTROL, STDIN, STDOUT, STDERR = 1, 2, 3, 4
HELLO, STARTED, EXITED = 1, 2, 3
SETUP, START, SIGNAL, RESIZE = 16, 17, 18, 19
DATA, END, CLOSED = 32, 33, 34
(ARGUMENT, ENVIRONMENT, BARE, FOLDER, USER, HOSTNAME, CLOCK, SEED, DEVICES, CPUS, NETWORK, MOUNT,
 FOLDER_ROOT, KEEP, TERMINAL, MERGE) = range(1, 17)
READ_ONLY, READ_WRITE, OVERLAY = range(3)
CODE, SIGNALED, NO_COMMAND, NO_EXEC, NO_SETUP, BAD_REQUEST = range(6)


def fail(message):
    sys.exit(f"FAILED: {message}")


def check(what, wanted, got):
    if wanted != got:
        fail(f"{what}: wanted {wanted!r}, got {got!r}")


def tool(*words):
    made = subprocess.run([f"{ROOT}/tools/{words[0]}", *words[1:]], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    if made.returncode == SKIPPED:
        print(f"skipped: {made.stderr.strip()}")
        sys.exit(SKIPPED)
    check(f"status of tools/{words[0]} ({made.stderr.strip()})", 0, made.returncode)
    return made.stdout.strip()


def machine(name):
    """QEMU and its firmware: system or second."""
    if name == "second":
        folder = tool("second-qemu")
        return [f"{folder}/qemu-system-riscv64", "-bios", f"{folder}/fw_dynamic.bin"]
    return ["qemu-system-riscv64", "-bios", "default"]


def frame(kind, data=b""):
    return struct.pack("<II", kind, len(data)) + data


def setup(key, data=b""):
    return frame(SETUP, struct.pack("<I", key) + data)


def u32(value):
    return struct.pack("<I", value)


def mount(how, tag, path):
    return setup(MOUNT, u32(how) + tag.encode() + b"\0" + path.encode())


def terminal(rows, columns, term="xterm"):
    return setup(TERMINAL, struct.pack("<HH", rows, columns) + term.encode())


def blobs(files, texts):
    """The words for QEMU that put files into the machine's RAM, and Hatch's command line."""
    at, line, words = 0x81000000, [], []
    for name, path in files.items():
        size = os.path.getsize(path)
        words += ["-device", f"loader,addr={at:#x},force-raw=on,file={path}"]
        line.append(f"hatch.blob={name},{at:#x},{size}")
        at += (size + 2 * MIB - 1) // (2 * MIB) * 2 * MIB
    line += [f"hatch.text={name},{urllib.parse.quote(str(text))}" for name, text in texts.items()]
    return [*words, "-append", " ".join(line)], at - 0x81000000


def kernel_and_initrd():
    return {"kernel": tool("fetch-debian", "kernel") + "/Image",
            "initrd": tool("make-initramfs", "--agent", os.environ["HATCH_AGENT"])}


def words_of(qemu, cpus, megabytes, console):
    """Of one processor alone QEMU before 8.1 leaves out the fences, though its devices are threads of
    their own: then a notice between them and the driver is lost now and then, and both wait."""
    return [*qemu, "-nodefaults", "-M", "virt", "-cpu", "rv64", "-smp", f"{cpus},maxcpus={max(cpus, 2)}", "-m", f"{megabytes}M",
            "-display", "none", "-monitor", "none", "-serial", f"file:{console}", "-kernel",
            f"{BUILD}/demos/09-linux/09-linux.elf"]


def texts_of(cpus, memory, append=""):
    texts = {"append": "console=ttyS0 quiet loglevel=4 panic=-1 maxcpus=1" + append,
             "memory": memory * MIB, "slots": 8, "once": 1}
    return {**texts, "cpus": cpus} if cpus > 1 else texts


def save(qemu, path, cpus=1, memory=256):
    """Boots a guest until the agent asks to be saved, and writes the snapshot. The machine's RAM is a
    file that is read when the machine has ended."""
    words, _ = blobs(kernel_and_initrd(), texts_of(cpus, memory, " hatch_save=1"))
    offset, room = 1 << 30, (memory + 4) * MIB
    words[-1] += f" hatch.blob=save,{0x80000000 + offset:#x},{room}"
    ram = os.memfd_create("ram")
    console = path + ".console"
    ended = subprocess.run(
        [*words_of(qemu, cpus, (offset + room) // MIB, console), "-machine", "memory-backend=ram", "-object",
         f"memory-backend-file,id=ram,size={offset + room},mem-path=/proc/self/fd/{ram},share=on", *words],
        stdin=subprocess.DEVNULL, pass_fds=[ram], timeout=PATIENCE)
    if ended.returncode:
        with open(console, errors="replace") as file:
            fail(f"the machine that was to be saved ended with {ended.returncode}: {file.read()[-3000:]}")
    os.unlink(console)
    size = struct.unpack("<Q", os.pread(ram, 8, offset))[0]
    with open(path, "wb") as file:
        at = offset + 8
        while at < offset + 8 + size:
            at += file.write(os.pread(ram, min(MIB, offset + 8 + size - at), at))
    os.close(ram)
    return path


class Guest:
    """A machine, from a snapshot if there is one. `devices` are pairs: words for QEMU that make a back
    end, and the device before it."""

    def __init__(self, qemu, snapshot=None, devices=(), cpus=1, memory=256):
        self.folder = tempfile.mkdtemp(prefix="hatch-run-")
        self.console = f"{self.folder}/console"
        words, size = blobs({"snapshot": snapshot} if snapshot else kernel_and_initrd(),
                            texts_of(cpus, memory))
        self.sockets, theirs = [None], []
        for _ in range(4):
            ours, other = socket.socketpair()
            ours.setblocking(False)
            self.sockets.append(ours)
            theirs.append(other)
        words += ["-global", "virtio-mmio.force-legacy=false", "-device",
                  "virtio-serial-device,id=ports,max_ports=5,bus=virtio-mmio-bus.0"]
        for number, other in enumerate(theirs, 1):
            words += ["-chardev", f"socket,id=port{number},fd={other.fileno()}", "-device",
                      f"virtserialport,bus=ports.0,nr={number},chardev=port{number}"]
        for slot, (back, device) in enumerate(devices, 1):
            words += [*back, "-device", f"{device},bus=virtio-mmio-bus.{slot}"]
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            words_of(qemu, cpus, memory + 64 + size // MIB, self.console) + words,
            stdin=subprocess.DEVNULL, pass_fds=[other.fileno() for other in theirs])
        atexit.register(self.stop)
        for other in theirs:
            other.close()
        self.unsent = {number: bytearray() for number in range(1, 5)}
        self.raw = {number: bytearray() for number in range(1, 5)}
        self.data = {STDOUT: bytearray(), STDERR: bytearray()}
        self.frames = []  # (port, type, data) of all but data
        self.paused = set()  # ports that are not read

    def send(self, port, data):
        self.unsent[port] += data

    def pump(self, seconds=0.5):
        """Moves bytes both ways, for at most so long."""
        ports = {self.sockets[number]: number for number in range(1, 5) if self.sockets[number]}
        readable, writable, _ = select.select(
            [s for s, n in ports.items() if n not in self.paused],
            [s for s, n in ports.items() if self.unsent[n]], [], seconds)
        for one in writable:
            unsent = self.unsent[ports[one]]
            del unsent[: one.send(memoryview(unsent)[:262144])]
        for one in readable:
            data = one.recv(262144)
            if not data:
                if self.process.wait(10) is None:
                    fail("QEMU closed a port and goes on")
                self.die(f"the machine ended, status {self.process.returncode}")
            self.raw[ports[one]] += data
            self.take(ports[one])

    def take(self, port):
        raw, at = self.raw[port], 0
        while len(raw) - at >= 8:
            kind, size = struct.unpack_from("<II", raw, at)
            if len(raw) - at < 8 + size:
                break
            data = bytes(raw[at + 8 : at + 8 + size])
            at += 8 + size
            if kind == DATA:
                if not 0 < size <= 65536:
                    self.die(f"a frame of {size} bytes")
                self.data[port] += data
            else:
                self.frames.append((port, kind, data))
        del raw[:at]

    def wait(self, port, kind):
        """For the frame; what it holds."""
        return self.until(lambda: next((d for p, k, d in self.frames if (p, k) == (port, kind)), None),
                          f"frame {kind} at port {port}")

    def until(self, found, what):
        deadline = time.monotonic() + PATIENCE
        while (result := found()) is None or result is False:
            if time.monotonic() > deadline:
                self.die(f"no {what}")
            self.pump()
        return result

    def expect(self, port, text):
        self.until(lambda: text in self.data[port], f"{text!r} at port {port}")

    def begin(self, *frames, argv=()):
        """All that is said ahead of START."""
        for word in argv:
            self.send(CONTROL, setup(ARGUMENT, word if isinstance(word, bytes) else word.encode()))
        for one in frames:
            self.send(CONTROL, one)
        self.send(CONTROL, frame(START))

    def end(self):
        """How it ended, with its code and text; the machine is switched off."""
        data = self.wait(CONTROL, EXITED)
        for port in (STDOUT, STDERR):
            if (port, END, b"") not in self.frames:
                self.wait(port, END)
        self.stop()
        return (*struct.unpack_from("<II", data), data[8:].decode())

    def die(self, message):
        with open(self.console, errors="replace") as file:
            print(file.read()[-3000:])
        print("frames:", self.frames[-10:], "data:", bytes(self.data[STDOUT][-500:]),
              bytes(self.data[STDERR][-500:]))
        fail(message)

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        subprocess.run(["rm", "-rf", self.folder], check=False)
