"""The playbooks, run by the real Ansible over real SSH. What takes systemd, a GPU or the internet is not run here."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from apart import Apart
from machine import GAMING, Case, facts, run, tell

PASSWORD = "moon-light-and-roses"


class Playbooks(Case):
    """One machine for all: they are told in order."""

    @classmethod
    def setUpClass(cls):
        cls.dir = Path(tempfile.mkdtemp(prefix="cloudypad-apart."))
        cls.addClassCleanup(shutil.rmtree, cls.dir)
        cls.apart = Apart(cls.dir)
        cls.addClassCleanup(cls.apart.stop)
        if why := cls.apart.start():
            raise unittest.SkipTest(why)
        cls.runs = 0

    @classmethod
    def tearDownClass(cls):
        tell("guest: runs of ansible over SSH", cls.runs)

    def play(self, playbook, *more, **extra):
        """Runs a playbook with what the controller passes; how many tasks changed something, and all it printed."""
        known = {"cloudypad_instance": "default.mypad", "cloudypad_provider": "local"}
        done = subprocess.run(
            ["ansible-playbook", "-i", self.apart.inventory(), playbook, "-e", json.dumps(known | extra), *more],
            cwd=GAMING,
            env=os.environ | {"ANSIBLE_CONFIG": str(GAMING / "ansible.cfg"), "HOME": str(self.dir), "SUNSHINE_PASSWORD": PASSWORD},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        type(self).runs += 1
        self.printed = done.stdout + done.stderr
        recap = re.search(r"changed=(\d+).*failed=(\d+)", self.printed)
        self.assertEqual(done.returncode == 0, bool(recap) and recap[2] == "0", self.printed)
        return done.returncode, int(recap[1]) if recap else None

    def there(self, path):
        return self.apart.root / path.lstrip("/")

    def disk_of(self, image, is_new):
        """A volume attached to it, found by its provider's id."""
        device = self.loop(image)
        by_id = self.there("/dev/disk/by-id/scsi-0vendor_volume-1")
        by_id.parent.mkdir(parents=True, exist_ok=True)
        by_id.unlink(missing_ok=True)
        by_id.symlink_to(device)
        self.addCleanup(run, "umount", self.there("/srv/cloudypad"), check=False)
        return {"id": "volume-1", "path": "/dev/disk/by-id/scsi-0vendor_volume-1", "is_new": is_new}

    def test_1_configured_once_then_only_started(self):
        self.containers_recorded()
        passed = {
            "cloudypad_autostop_seconds": 900,
            "cloudypad_network": {"egress_mbit": 50},
            "cloudypad_keyboard": "de:nodeadkeys",
            "gaming_is_streaming": True,
            "sunshine_password_env": "SUNSHINE_PASSWORD",
        }
        disk = self.disk_of(self.image(), True)
        offline = ("--skip-tags", "locale")  # it asks the internet for packages
        code, _ = self.play("configure.yml", *offline, "-vvv", "--diff", cloudypad_data_disk=disk, **passed)
        self.assertEqual(code, 0, self.printed)
        self.the_mount_is_told()
        self.the_password_went_to_sunshine_alone()
        self.units_are_sound()
        again = passed | {"cloudypad_data_disk": disk | {"is_new": False}}
        calls = self.there("/run/docker.calls").read_text()
        self.assertEqual(self.play("configure.yml", *offline, **again), (0, 0), self.printed)
        self.assertEqual(self.play("on-start.yml", **again), (0, 0), self.printed)
        self.assertNotIn("sunshine : Set its credentials", self.printed)
        self.assertEqual(self.there("/run/docker.calls").read_text(), calls, "Docker was asked for what is done already")

    def the_mount_is_told(self):
        self.assertIn('cloudypad-fact {\\"dataDisk\\": {', self.printed)
        told = facts(self.there("/run/cloudypad"))["dataDisk"]
        self.assertEqual((told["mounted"], told["volume"], told["at"]), (True, "volume-1", "/srv/cloudypad"))
        self.assertTrue(self.there("/srv/cloudypad/.cloudypad").is_dir())

    def the_password_went_to_sunshine_alone(self):
        """To no output, however talkative, to no argument but Sunshine's own, and into no file that stays."""
        self.assertNotIn(PASSWORD, self.printed)
        calls = self.there("/run/docker.calls").read_text()
        self.assertNotIn(PASSWORD, calls)
        self.assertIn("--creds", calls)
        self.assertIn(f"SUNSHINE_PASSWORD={PASSWORD}\n", self.there("/run/docker.env").read_text())
        kept = [self.there(it) for it in ("/run/cloudypad", "/etc/cloudypad", "/etc/systemd/system", "/srv/cloudypad")]
        for path in (path for place in kept for path in place.rglob("*") if path.is_file() and not path.is_symlink()):
            self.assertNotIn(PASSWORD.encode(), path.read_bytes(), path)
        self.assertEqual(self.there("/srv/cloudypad/.cloudypad/sunshine-credentials").stat().st_mode & 0o777, 0o600)

    def units_are_sound(self):
        """Read by systemd's own verifier, inside."""
        for unit, says in (
            ("cloudypad-idle", "--after 900 "),
            ("cloudypad-rate-limit", "cloudypad-rate-limit set 50"),
            ("cloudypad-sunshine", "BindsTo=srv-cloudypad.mount"),
        ):
            path = f"/etc/systemd/system/{unit}.service"
            self.assertIn(says, self.there(path).read_text())
            done = run("chroot", self.apart.root, "systemd-analyze", "verify", "--recursive-errors=no", path, check=False)
            # Docker and the mount of a machine that has systemd are no units of this one.
            said = [line for line in (done.stdout + done.stderr).splitlines() if "docker" not in line and "srv-cloudypad.mount" not in line]
            self.assertEqual(said, [])

    def containers_recorded(self):
        """No containers run here: in Docker's place is a program that writes down what it was asked, and what it was given."""
        stand_in = self.there("/usr/local/bin/docker")
        stand_in.unlink(missing_ok=True)
        stand_in.write_text(
            '#!/bin/sh\n[ "$1" != --version ] || exit 0\necho "$*" >> /run/docker.calls\n'
            'case "$1 $2" in\n'
            f"    'image inspect') echo docker.io/josh5/steam-headless@sha256:{'ab' * 32} ;;\n"
            "    'run --rm') cat /run/cloudypad/sunshine-credentials.env > /run/docker.env ;;\n"
            "esac\n"
        )
        stand_in.chmod(0o755)

    def test_2_a_disk_that_holds_something_ends_the_start_and_says_so(self):
        image = self.image()
        run("mkswap", image)
        code, _ = self.play("on-start.yml", "--tags", "data_disk", cloudypad_data_disk=self.disk_of(image, True))
        self.assertEqual(code, 2)
        self.assertIn("was created empty, but holds swap. Nothing was changed.", self.printed)

    def test_3_what_is_not_the_contract_ends_it_before_anything(self):
        for wrong, says in (
            ({"cloudypad_provider": "aws"}, "value of cloudypad_provider must be one of: scaleway, linode, local, got: aws"),
            ({"cloudypad_autostop_seconds": "soon"}, "cloudypad_autostop_seconds"),
            ({"cloudypad_data_disk": {"id": "volume-1"}}, "missing required arguments: path found in cloudypad_data_disk"),
        ):
            with self.subTest(wrong):
                self.assertEqual(self.play("on-start.yml", **wrong), (2, 0), self.printed)
                self.assertIn(says, " ".join(self.printed.split()))


if __name__ == "__main__":
    unittest.main()
