"""A machine to configure, within this one: its own root (what is written there is gone at the end), reached by SSH."""

import contextlib
import os
import shutil
import socket
import subprocess
from pathlib import Path

from machine import is_root, run


class Apart:
    """This machine's own programs under a root that is a layer above it, with a real SSH server inside.

    No systemd runs there: units are written and not started.
    """

    def __init__(self, work):
        self.work, self.root, self.stack = work, work / "root", contextlib.ExitStack()

    def start(self):
        """Makes it; a string says why it cannot be."""
        sshd = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")
        if not sshd or not is_root() or not Path("/usr/bin/python3").exists():
            return "it takes root, an SSH server and /usr/bin/python3"
        layer = self.work / "layer"
        for path in (layer, self.root):
            path.mkdir()
        if not self.mount(layer, "-t", "tmpfs", "tmpfs"):
            return "no mounts here"
        for name in ("upper", "work"):
            (layer / name).mkdir()
        if not self.mount(self.root, "-t", "overlay", "-o", f"lowerdir=/,upperdir={layer}/upper,workdir={layer}/work", "overlay"):
            return "no overlay file systems here"
        for place, options in (
            ("proc", ["-t", "proc"]),
            *((it, ["-t", "tmpfs"]) for it in ("run", "dev", "root")),
            ("sys", ["--rbind", "/sys"]),
        ):
            self.mount(self.root / place, *options, *([place] if "-t" in options else []))
        self.devices()
        (self.root / "run/sshd").mkdir()
        self.serve(sshd)
        return None

    def mount(self, place, *options):
        done = run("mount", *options, place, check=False)
        if done.returncode == 0:
            self.stack.callback(run, "umount", "--lazy", place)
        return done.returncode == 0

    def devices(self):
        """Those that programs cannot do without, the loop devices, and a place for what uinput makes."""
        dev = self.root / "dev"
        (dev / "pts").mkdir()
        self.mount(dev / "pts", "-t", "devpts", "-o", "newinstance,ptmxmode=0666", "devpts")
        (dev / "ptmx").symlink_to("pts/ptmx")
        (dev / "fd").symlink_to("/proc/self/fd")
        for path in [Path("/dev") / it for it in ("null", "zero", "full", "random", "urandom", "tty")] + sorted(
            Path("/dev").glob("loop[0-9]*")
        ):
            found = path.stat()
            os.mknod(dev / path.name, found.st_mode, found.st_rdev)
            os.chmod(dev / path.name, found.st_mode & 0o777)
        (dev / "uinput").touch()

    def serve(self, sshd):
        for key in ("host", "mine"):
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.work / key)
        shutil.copy(self.work / "host", self.root / "run/sshd/host")
        shutil.copy(self.work / "mine.pub", self.root / "run/sshd/authorized")
        # A cable's end that nobody else has: this network is the test's own.
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        (self.root / "run/sshd/config").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey /run/sshd/host\nAuthorizedKeysFile /run/sshd/authorized\n"
            "StrictModes no\nUsePAM no\nPidFile none\nLogLevel ERROR\nSubsystem sftp internal-sftp\n"
        )
        server = subprocess.Popen(["chroot", self.root, sshd, "-D", "-e", "-f", "/run/sshd/config"])
        self.stack.callback(lambda: (server.kill(), server.wait()))
        (self.work / "known").write_text(f"[127.0.0.1]:{self.port} {(self.work / 'host.pub').read_text()}")

    def inventory(self):
        """For ansible, which checks the host key."""
        path = self.work / "inventory"
        path.write_text(
            f"mypad ansible_host=127.0.0.1 ansible_port={self.port} ansible_user=root ansible_ssh_private_key_file={self.work}/mine "
            f"ansible_ssh_common_args='-F none -o UserKnownHostsFile={self.work}/known -o StrictHostKeyChecking=yes'\n"
        )
        return path

    def stop(self):
        self.stack.close()
