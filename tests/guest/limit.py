"""The limit of what leaves the machine: the kernel's own queues, and real bytes through them."""

import json
import socket
import subprocess
import time
import unittest

from machine import RATE_LIMIT, Case, run, tell


class Limit(Case):
    """A machine whose way to the world is a cable to another network."""

    def setUp(self):
        super().setUp()
        far = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(lambda: (far.stdin.close(), far.wait(), far.stdout.close()))
        far.stdout.readline()
        if run("ip", "link", "add", "cable0", "type", "veth", "peer", "name", "far0", "netns", far.pid, check=False).returncode != 0:
            self.skipTest("no cables between networks here")
        self.addCleanup(run, "ip", "link", "del", "cable0", check=False)
        there = ("nsenter", "--net", "--target", far.pid)
        run(*there, "ip", "address", "add", "192.0.2.2/24", "dev", "far0")
        run(*there, "ip", "link", "set", "far0", "up")
        run("ip", "address", "add", "192.0.2.1/24", "dev", "cable0")
        run("ip", "link", "set", "cable0", "up")
        run("ip", "route", "add", "default", "via", "192.0.2.2")
        done = run(RATE_LIMIT, "set", "1000", check=False)
        if "unknown" in done.stderr:
            self.skipTest("this kernel has no token buckets")
        run(RATE_LIMIT, "clear")

    def queue(self):
        return run("tc", "qdisc", "show", "dev", "cable0", "root").stdout.strip()

    def mbit(self, seconds=0.5):
        """How much leaves in this time, in megabits per second. UDP: nobody on the other side needs to answer."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.connect(("192.0.2.2", 9))
            out.setblocking(False)
            before, began = self.left(), time.monotonic()
            while (now := time.monotonic()) < began + seconds:
                try:
                    out.send(bytes(1200))
                except (BlockingIOError, ConnectionRefusedError):
                    pass
        return (self.left() - before) * 8 / 1e6 / (now - began)

    def left(self):
        """Bytes that went out by the cable so far."""
        return json.loads(run("ip", "-json", "-statistics", "link", "show", "cable0").stdout)[0]["stats64"]["tx"]["bytes"]

    def test_bytes_leave_no_faster(self):
        free = self.mbit()
        run(RATE_LIMIT, "set", "20")
        limited = self.mbit()
        # The bucket's first fill, 1 Mbit, comes on top of half a second's 10.
        self.assertLess(limited, 26)
        self.assertGreater(limited, 5)
        self.assertGreater(free, 40)
        run(RATE_LIMIT, "clear")
        self.assertGreater(self.mbit(), 40)
        tell("guest: Mbit/s out of the machine, free and limited to 20", f"{free:.0f}, {limited:.0f}")

    def test_twice_is_once_and_another_replaces(self):
        run(RATE_LIMIT, "set", "20")
        once = self.queue()
        self.assertIn("rate 20Mbit", once)
        run(RATE_LIMIT, "set", "20")
        self.assertEqual(self.queue(), once)
        run(RATE_LIMIT, "set", "50")
        self.assertIn("rate 50Mbit", self.queue())

    def test_what_others_set_stays(self):
        run("tc", "qdisc", "add", "dev", "cable0", "root", "handle", "7:", "tbf", "rate", "9mbit", "burst", "64k", "latency", "50ms")
        before = self.queue()
        run(RATE_LIMIT, "clear")
        self.assertEqual(self.queue(), before)

    def test_nonsense_is_refused_in_words(self):
        for words in (["set"], ["set", "0"], ["set", "fast"], ["set", "-1"], ["set", "1.5"], []):
            with self.subTest(words):
                done = run(RATE_LIMIT, *words, check=False)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn("usage: cloudypad-rate-limit set MBIT", done.stderr)

    def test_a_machine_without_a_way_out_says_so(self):
        run("ip", "route", "del", "default")
        done = run(RATE_LIMIT, "set", "20", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("no default route", done.stderr)


if __name__ == "__main__":
    unittest.main()
