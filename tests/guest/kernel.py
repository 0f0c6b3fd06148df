"""A Linux kernel of the test's own, as a process: with all rights that root has on a real machine, and its own disks.

User-mode Linux: this machine's files are its root, read-only; it starts in a second or two.
"""

import shutil
import subprocess

from machine import LONG


def is_here():
    return shutil.which("linux.uml") is not None


def boot(work, script, *disks):
    """Starts it with a shell script as its first process, the files of `disks` being /dev/ubda, /dev/ubdb, …, until it is off."""
    init = work / "init"
    init.write_text(
        "#!/bin/sh\nexport PATH=/usr/sbin:/usr/bin:/sbin:/bin\n" f"mount -t proc proc /proc && mount -t tmpfs mnt /mnt\n{script}\n"
    )
    init.chmod(0o755)
    command = [
        "linux.uml",
        "mem=256M",
        "rootfstype=hostfs",
        "rootflags=/",
        "ro",
        f"init={init}",
        "con=null",
        "con0=fd:0,fd:1",
        "quiet",
        "selinux=0",
    ]
    command.append(f"uml_dir={work}")
    command += [f"ubd{number}={path}" for number, path in enumerate(disks)]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=2 * LONG, check=False, cwd=work)


def run_in_own_kernel(work, script, *disks):
    """Runs a shell script in it, and powers it off; what it printed."""
    done = boot(
        work,
        f"mount -t sysfs sys /sys && mount -t tmpfs run /run\n(set -e\n{script}\n) > /run/said 2>&1 || echo ended with $? >> /run/said\n"
        # Between two lines of ours, the kernel's own words on the console left out.
        "echo; echo SAID; cat /run/said; echo OVER; echo o > /proc/sysrq-trigger; exec tail -f /dev/null\n",
        *disks,
    )
    lines = done.stdout.splitlines()
    if "SAID" not in lines:
        raise AssertionError(done.stdout + done.stderr)
    return "\n".join(lines[lines.index("SAID") + 1 : lines.index("OVER")])
