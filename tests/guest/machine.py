"""What the tests of the guest share: programs under test, places to work in, and real disks."""

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GAMING = ROOT / "examples/gaming"
DATA_DISK = GAMING / "roles/data_disk/files/cloudypad-data-disk"
IDLE = GAMING / "roles/autostop/files/cloudypad-idle"
RATE_LIMIT = GAMING / "roles/rate_limit/files/cloudypad-rate-limit"
MIB = 1 << 20
# Longer than anything here takes, even where the processors are busy. Seconds.
LONG = 60


def tell(what, figure):
    """One figure of what a test did, gathered at the end of a test run."""
    print(f"{what}: {figure}", file=sys.stderr)
    if path := os.environ.get("CLOUDYPAD_FIGURES"):
        with open(path, "a", encoding="utf-8") as figures:
            figures.write(f"{what}: {figure}\n")


def run(*command, check=True, **how):
    """Runs a program to its end."""
    done = subprocess.run([str(it) for it in command], capture_output=True, text=True, timeout=LONG, check=False, **how)
    if check and done.returncode != 0:
        raise AssertionError(f"{command} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done


def is_root():
    """Root of the whole machine; a user with a namespace of his own is root of that alone, and cannot run an SSH server."""
    return os.getuid() == 0 and Path("/proc/self/uid_map").read_text().split() == ["0", "0", "4294967295"]


def dice():
    """Repeatable with CLOUDYPAD_SEED; a failure shows the seed."""
    seed = int(os.environ.get("CLOUDYPAD_SEED", random.randrange(1 << 32)))
    print(f"CLOUDYPAD_SEED={seed}", file=sys.stderr)
    return random.Random(seed)


class Case(unittest.TestCase):
    """A test with a directory of its own."""

    longMessage = True

    def setUp(self):
        self.work = Path(tempfile.mkdtemp(prefix="cloudypad-guest."))
        self.loops = set()
        self.addCleanup(shutil.rmtree, self.work)
        self.addCleanup(lambda: [self.detach(it) for it in list(self.loops)])

    def image(self, name="disk", mib=64):
        """An empty disk, as a sparse file."""
        path = self.work / name
        with open(path, "wb") as file:
            file.truncate(mib * MIB)
        return path

    def loop(self, image):
        """A block device with the image's bytes, where this machine has such."""
        done = run("losetup", "--find", "--show", image, check=False)
        if done.returncode != 0:
            self.skipTest(f"no loop devices here: {done.stderr.strip()}")
        device = Path(done.stdout.strip())
        self.loops.add(device)
        return device

    def detach(self, device):
        self.loops.remove(device)
        run("losetup", "--detach", device)


def fingerprint(path):
    with open(path, "rb") as file:
        return (
            hashlib.file_digest(file, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else hashlib.sha256(file.read()).hexdigest()
        )


def write(path, offset, data):
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(data)


def facts(directory):
    return json.loads((directory / "facts.json").read_text())
