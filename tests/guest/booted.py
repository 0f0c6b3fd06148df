"""A machine with systemd as its first process, in a kernel of its own: the units are started, and the power really goes."""

import json
import unittest
from pathlib import Path

import kernel
from machine import DATA_DISK, GAMING, IDLE, Case, run, tell

# This machine's programs, and an /etc of its own. udev's fences take what this kernel's root cannot give.
ROOT = """
mkdir -p $r/usr $r/etc/systemd/system/systemd-udevd.service.d $r/var/lib $r/run $r/tmp $r/dev $r/proc $r/sys $r/root $r/srv $r/shared
for it in bin sbin lib lib64; do ln -s usr/$it $r/$it; done
ln -s ../run $r/var/run
mount --bind /usr $r/usr
mount -t tmpfs local $r/usr/local/sbin
mount -t hostfs -o {work} none $r/shared
for it in passwd group nsswitch.conf ld.so.cache mke2fs.conf alternatives; do cp -a /etc/$it $r/etc/; done
echo 0123456789abcdef0123456789abcdef > $r/etc/machine-id
printf '[Service]\\nPrivateMounts=no\\nProtectHostname=no\\n' > $r/etc/systemd/system/systemd-udevd.service.d/fences.conf
cp {programs} $r/usr/local/sbin/
cp {work}/units/* $r/etc/systemd/system/
mount --move /proc $r/proc
exec chroot $r /lib/systemd/systemd --unit=story.target --show-status=0
"""
STORY = """[Unit]
Description=The story of this test
After=sysinit.target

[Service]
Type=oneshot
ExecStart=/bin/sh -ex /shared/story
StandardOutput=append:/shared/said
StandardError=append:/shared/said
"""
TARGET = """[Unit]
Requires=sysinit.target
Wants=story.service
After=sysinit.target
"""


class Booted(Case):
    def setUp(self):
        super().setUp()
        if not kernel.is_here() or not Path("/lib/systemd/systemd-udevd").exists():
            self.skipTest("no user-mode Linux, or no systemd and udev")

    def boot(self, story, disk, **units):
        """Boots, runs the story as a service, and waits until the machine is off; what the story printed."""
        (self.work / "units").mkdir()
        for name, text in {"story_service": STORY, "story_target": TARGET, **units}.items():
            (self.work / "units" / ".".join(name.rsplit("_", 1)).replace("_", "-")).write_text(text)
        (self.work / "story").write_text(story)
        root = ROOT.format(work=self.work, programs=f"{DATA_DISK} {IDLE}")
        done = kernel.boot(self.work, f"r=/mnt/r\n{root}", disk)
        said = self.work / "said"
        self.assertTrue(said.exists(), done.stdout)
        return said.read_text()

    def test_an_idle_machine_mounts_its_disk_says_the_word_on_it_and_goes_off(self):
        disk = self.image()
        # The unit that the playbook writes, in a hurry.
        unit = (GAMING / "roles/autostop/templates/cloudypad-idle.service.j2").read_text()
        for name, value in {
            "autostop_seconds": "1",
            "autostop_grace_seconds": "0.5",
            "autostop_patience_seconds": "5",
            "autostop_download_mbit": "10",
            "gaming_home": "/srv/cloudypad",
            "gaming_data_unit": "srv-cloudypad.mount",
        }.items():
            unit = unit.replace(f"{{{{ {name} }}}}", value)
        self.assertNotIn("{{", unit)
        said = self.boot(
            "mkdir /run/cloudypad\n"
            "cloudypad-data-disk --path /dev/ubda --volume volume-1 --new\n"
            "cloudypad-data-disk --path /dev/ubda --volume volume-1\n"
            "systemctl is-active srv-cloudypad.mount\n"
            "systemctl is-enabled srv-cloudypad.mount\n"
            "systemctl show --property=What,Options srv-cloudypad.mount\n"
            "systemctl start cloudypad-idle.service\n",
            disk,
            cloudypad_idle_service=unit,
        )
        told = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
        self.assertEqual([it["did"] for it in told], [["formatted", "mounted"], []], said)
        self.assertRegex(said, r"(?m)^active$")
        self.assertRegex(said, r"(?m)^enabled$")
        # It went off by itself: the word is on the disk, which was put away clean.
        word = json.loads(run("debugfs", "-R", "cat /.cloudypad/idle.json", disk).stdout)
        self.assertEqual((word["idle"], word["reason"]), (True, "no stream, download, configuration or person at a shell for 1 s"))
        self.assertIn("clean", run("dumpe2fs", "-h", disk).stdout.split("Filesystem state:")[1].splitlines()[0])
        run("e2fsck", "-f", "-n", disk)
        tell("guest: machines that powered themselves off", 1)


if __name__ == "__main__":
    unittest.main()
