"""A real cloudypad-idle at work, and what keeps a machine in use: real datagrams, downloads, locks and shells."""

import contextlib
import fcntl
import json
import queue
import socket
import subprocess
import threading
import time

from machine import IDLE, LONG, Case, run


class Watch:
    """The running service, and each line it says with the time it was said."""

    def __init__(self, command):
        self.process = subprocess.Popen([str(it) for it in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.lines, self.heard = queue.Queue(), []
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put((time.monotonic(), json.loads(line)))
        self.lines.put((time.monotonic(), {"ended": self.process.wait()}))

    def until(self, **wanted):
        """Awaits a line that says this; when it came, and the line."""
        while True:
            when, line = self.lines.get(timeout=LONG)
            self.heard.append(line)
            if wanted.items() <= line.items():
                return when, line
            if "ended" in line:
                raise AssertionError(f"ended before it said {wanted}: {self.heard} {self.process.stderr.read()}")

    def close(self):
        self.process.kill()
        self.process.wait()
        self.reader.join()
        self.process.stdout.close()
        self.process.stderr.close()


class IdleCase(Case):
    """A machine of its own: its /run, a directory on its data disk, and a power switch that counts."""

    AFTER, GRACE = 0.6, 0.5

    def setUp(self):
        super().setUp()
        self.run_dir, self.disk, self.switch = self.work / "run", self.work / "disk", self.work / "switched"
        self.run_dir.mkdir()
        self.disk.mkdir()
        self.said, self.kept = self.run_dir / "idle.json", self.disk / "idle.json"

    def options(self, **options):
        """The command line; `after=2` is `--after 2`."""
        power_off = f"sh -c 'echo off >> {self.switch}'"
        known = {"disk": self.disk, "after": self.AFTER, "grace": self.GRACE, "every": 0.05, "power_off": power_off}
        return [part for name, value in (known | options).items() for part in (f"--{name.replace('_', '-')}", value)]

    def watch(self, *wrap, **options):
        watch = Watch([*wrap, IDLE, "--run", self.run_dir, "watch", *self.options(**options)])
        self.addCleanup(watch.close)
        return watch

    def ask(self, *words, check=True):
        return run(IDLE, "--run", self.run_dir, *words, check=check)

    def switched_off(self):
        """How often the power went."""
        return len(self.switch.read_text().splitlines()) if self.switch.exists() else 0


class Traffic:
    """Does something over and over, until it is left; how often, and when last."""

    def __init__(self, act):
        self.act, self.over, self.count, self.last = act, threading.Event(), 0, 0.0
        self.thread = threading.Thread(target=self.go)

    def go(self):
        # The pace of a stream, not a wait for something.
        while not self.over.wait(0.005):
            self.act()
            self.count, self.last = self.count + 1, time.monotonic()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


@contextlib.contextmanager
def bound(port, family=socket.AF_INET):
    """A server's socket on this UDP port."""
    with socket.socket(family, socket.SOCK_DGRAM) as server:
        server.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", port))
        yield server


@contextlib.contextmanager
def stream(port, family=socket.AF_INET):
    """A server that sends 200 datagrams a second from this port to a player."""
    with bound(port, family) as server, bound(0, family) as player, Traffic(
        lambda: server.sendto(b"frame" * 200, player.getsockname())
    ) as it:
        yield it


@contextlib.contextmanager
def download():
    """Bytes that come in over TCP, about 100 Mbit/s of them."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname()) as mine:
            theirs, _ = server.accept()
            with theirs:

                def some():
                    theirs.sendall(bytes(65536))
                    left = 65536
                    while left:
                        left -= len(mine.recv(left))

                with Traffic(some) as it:
                    yield it


@contextlib.contextmanager
def configuring(run_dir):
    """A controller at work holds the lock."""
    with open(run_dir / "configuring", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
