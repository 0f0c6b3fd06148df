"""The data disk: formatted under two keys only, grown, and mounted as itself. Real filesystems, real block devices."""

import hashlib
import importlib.machinery
import importlib.util
import json
import os
import subprocess
import unittest

import kernel
from machine import DATA_DISK, LONG, MIB, Case, dice, facts, fingerprint, run, tell, write

loader = importlib.machinery.SourceFileLoader("data_disk", str(DATA_DISK))
data_disk = importlib.util.module_from_spec(importlib.util.spec_from_loader("data_disk", loader))
loader.exec_module(data_disk)

VOLUME = "11111111-2222-3333-4444-555555555555"


class DiskCase(Case):
    def setUp(self):
        super().setUp()
        self.run_dir = self.work / "run"
        self.place = self.work / "data"
        self.addCleanup(run, "umount", self.place, check=False)

    def prepare(self, path, *more, volume=VOLUME, check=True, wrap=()):
        """Runs the program on it; what it did, or why not."""
        command = [*wrap, DATA_DISK, "--path", path, "--volume", volume, "--run", self.run_dir, "--at", self.place, "--wait", "0.3", *more]
        done = run(*command, check=False)
        if check and done.returncode == 0:
            return json.loads(done.stdout)
        if check:
            raise AssertionError(done.stderr)
        return done

    def probe(self, path):
        said = run("blkid", "--probe", "--output", "export", path).stdout
        return dict(line.split("=", 1) for line in said.splitlines())

    def assert_refused(self, path, *more, says, volume=VOLUME):
        """It ends with 1, says what it saw, and not a byte is another than before."""
        before = fingerprint(path)
        done = self.prepare(path, *more, volume=volume, check=False)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertEqual(done.stdout, "")
        for part in (says, "Nothing was changed"):
            self.assertIn(part, done.stderr)
        self.assertEqual(fingerprint(path), before)
        self.assertFalse((self.run_dir / "facts.json").exists())


class TwoKeys(DiskCase):
    """No mount is needed to decide: these disks are files."""

    def test_a_new_volume_of_zeros_is_formatted(self):
        disk = self.image()
        self.assertEqual(self.prepare(disk, "--new", "--no-mount")["did"], ["formatted"])
        seen = self.probe(disk)
        self.assertEqual((seen["TYPE"], seen["LABEL"]), ("ext4", "cloudypad-data"))
        run("e2fsck", "-f", "-n", disk)

    def test_a_new_volume_with_any_signature_is_refused(self):
        for kind, make in {
            "ext4": ["mkfs.ext4", "-q"],
            "ext3": ["mkfs.ext3", "-q"],
            "swap": ["mkswap"],
        }.items():
            with self.subTest(kind):
                disk = self.image(kind)
                run(*make, disk)
                self.assert_refused(disk, "--new", "--no-mount", says=f"was created empty, but holds {kind}")

    def test_a_new_volume_with_a_partition_table_is_refused(self):
        disk = self.image()
        entry = bytes([0, 0, 2, 0, 0x83, 0, 0, 0]) + (2048).to_bytes(4, "little") + (4096).to_bytes(4, "little")
        write(disk, 446, entry)
        write(disk, 510, b"\x55\xaa")
        self.assert_refused(disk, "--new", "--no-mount", says="was created empty, but holds dos")

    def test_a_new_volume_with_data_in_its_first_or_last_mib_is_refused(self):
        random, tried = dice(), 0
        for place, start in (("first", 0), ("last", 63 * MIB)):
            for offset in [0, MIB - 1, *(random.randrange(MIB) for _ in range(8))]:
                disk = self.image()
                write(disk, start + offset, b"\x01")
                self.assert_refused(disk, "--new", "--no-mount", says=f"no signature, but data in its {place} MiB")
                tried += 1
        tell("guest: disks with one byte that were not formatted", tried)

    def test_a_note_of_another_volume_opens_nothing(self):
        disk = self.image()
        write(disk, 64 * MIB - data_disk.NOTE_FROM_END, data_disk.note("another"))
        self.assert_refused(disk, "--new", "--no-mount", says="data in its last MiB")

    def test_a_used_volume_without_a_filesystem_is_refused(self):
        self.assert_refused(self.image(), "--no-mount", says="said to have been used before, but holds no signature, and zeros")

    def test_a_used_volume_with_another_filesystem_is_refused(self):
        disk = self.image()
        run("mkswap", disk)
        self.assert_refused(disk, "--no-mount", says="but holds swap, not an ext4 filesystem")

    def test_a_note_opens_nothing_without_the_controller(self):
        disk = self.image()
        write(disk, 64 * MIB - data_disk.NOTE_FROM_END, data_disk.note(VOLUME))
        self.assert_refused(disk, "--no-mount", says="said to have been used before")

    def test_a_used_volume_is_kept_to_the_byte(self):
        disk = self.image()
        run("mkfs.ext4", "-q", "-L", "mine", disk)
        before = fingerprint(disk)
        said = self.prepare(disk, "--no-mount")
        self.assertEqual(said["did"], [])
        self.assertEqual(said["dataDisk"]["uuid"], self.probe(disk)["UUID"])
        self.assertEqual(fingerprint(disk), before)

    def test_a_volume_that_became_smaller_is_refused(self):
        disk = self.image()
        run("mkfs.ext4", "-q", disk)
        with open(disk, "r+b") as file:
            file.truncate(48 * MIB)
        self.assert_refused(disk, "--no-mount", says="its end is missing")

    def test_only_the_named_disk_is_touched(self):
        mine, other = self.image("mine"), self.image("other")
        before = fingerprint(other)
        self.prepare(mine, "--new", "--no-mount")
        self.assertEqual(fingerprint(other), before)
        self.assertNotEqual(fingerprint(mine), before)


class Waiting(DiskCase):
    def test_a_missing_device_is_awaited_for_a_while_and_then_said(self):
        done = self.prepare(self.work / "nothing", "--new", check=False)
        self.assertEqual(done.returncode, 3)
        self.assertIn(f"no data disk at {self.work}/nothing after 0.3 s. Is the volume attached", done.stderr)

    def test_a_device_that_comes_late_is_taken(self):
        link = self.work / "by-id"
        command = [DATA_DISK, "--path", link, "--volume", VOLUME, "--run", self.run_dir, "--wait", str(LONG), "--new", "--no-mount"]
        with subprocess.Popen([str(it) for it in command], stdout=subprocess.PIPE, text=True) as waiting:
            link.symlink_to(self.image())
            said = json.loads(waiting.stdout.readline())
        self.assertEqual(said["did"], ["formatted"])


class Cuts(DiskCase):
    """Killed at any of its writes, the next run goes on."""

    def setUp(self):
        super().setUp()
        if run("strace", "--version", check=False).returncode != 0:
            self.skipTest("no strace")
        self.dice, self.cut = dice(), 0

    def cuts(self, disk, command):
        """Runs the program until it is killed at one of the calls by which it changes the disk; each time another call.

        Some of them, or CLOUDYPAD_CUTS of them. The disk is what the caller makes of it, anew for each.
        """
        calls = "write,pwrite64,fsync,fallocate,ftruncate"
        strace = ["strace", "-qq", "-P", disk, "-e", f"trace={calls}"]
        said = [line.partition("(")[0] for line in run(*strace, *command).stderr.splitlines()]
        # strace counts each kind of call by itself.
        made = [it for it in said if it in calls.split(",")]
        points = [(call, 1 + made[:place].count(call)) for place, call in enumerate(made)]
        some = self.dice.sample(points, min(len(points), int(os.environ.get("CLOUDYPAD_CUTS", 20))))
        for call, nth in [it for it in points if it in some or it in points[:4] or it in points[-4:]]:
            yield
            killed = run(*strace, "-e", f"inject={call}:signal=KILL:when={nth}", *command, check=False)
            self.assertNotEqual(killed.returncode, 0, f"not cut at {call} {nth}")
            self.cut += 1
            yield

    def test_formatting_goes_on_after_a_cut_at_any_write(self):
        disk = self.work / "disk"

        def fresh(note):
            self.image(mib=16)
            if note:
                write(disk, 16 * MIB - data_disk.NOTE_FROM_END, data_disk.note(VOLUME))

        ours = [DATA_DISK, "--path", disk, "--volume", VOLUME, "--run", self.run_dir, "--new", "--no-mount"]
        # The program itself, and mkfs as it is started by it: with the note on the disk.
        for command, note in ((ours, False), (data_disk.mkfs(disk, VOLUME, "cloudypad-data"), True)):
            fresh(note)
            for _ in (cuts := self.cuts(disk, command)):
                fresh(note)
                next(cuts)
                self.prepare(disk, "--new", "--no-mount")
                self.assertEqual(self.probe(disk)["UUID"], data_disk.filesystem_of(VOLUME))
                run("e2fsck", "-f", "-n", disk)
        self.assertGreater(self.cut, 10)
        tell("guest: cuts while a disk was formatted", self.cut)

    def test_a_word_that_did_not_arrive_costs_no_saves(self):
        device = self.loop(self.image())
        self.prepare(device, "--new", "--this-boot")
        (self.place / "save").write_text("level 7")
        run("umount", self.place)
        # The controller never heard of the mount: it still says that the volume is new.
        self.assertEqual(self.prepare(device, "--new", "--this-boot")["did"], ["mounted"])
        self.assertEqual((self.place / "save").read_text(), "level 7")


class Mounted(DiskCase):
    """On real block devices."""

    def test_mounted_and_told(self):
        device = self.loop(self.image())
        said = self.prepare(device, "--new", "--this-boot")
        self.assertEqual(said["did"], ["formatted", "mounted"])
        told = facts(self.run_dir)["dataDisk"]
        self.assertEqual((told["mounted"], told["volume"], told["uuid"]), (True, VOLUME, self.probe(device)["UUID"]))
        self.assertEqual(run("findmnt", "--noheadings", "--output", "UUID", self.place).stdout.strip(), told["uuid"])

    def test_a_second_run_changes_nothing(self):
        device = self.loop(self.image())
        self.prepare(device, "--new", "--this-boot")
        self.assertEqual(self.prepare(device, "--this-boot")["did"], [])

    def test_a_restored_copy_is_another_volume_with_the_same_filesystem(self):
        image, copy = self.image("disk"), self.work / "copy"
        first = self.loop(image)
        before = self.prepare(first, "--new", "--this-boot")["dataDisk"]["uuid"]
        (self.place / "save").write_text("level 7")
        run("umount", self.place)
        self.detach(first)
        run("cp", "--sparse=always", image, copy)
        said = self.prepare(self.loop(copy), "--this-boot", volume="restored")
        self.assertEqual((said["dataDisk"]["uuid"], said["dataDisk"]["volume"]), (before, "restored"))
        self.assertEqual((self.place / "save").read_text(), "level 7")

    def test_a_copy_beside_its_original_is_refused(self):
        image, copy = self.image("disk"), self.work / "copy"
        self.prepare(image, "--new", "--no-mount")
        run("cp", "--sparse=always", image, copy)
        first, second = self.loop(image), self.loop(copy)
        done = self.prepare(first, "--this-boot", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{first} and {second} hold filesystems with the same UUID", done.stderr)
        self.assertNotEqual(run("findmnt", self.place, check=False).returncode, 0)

    def test_another_disk_at_its_place_is_refused(self):
        first, second = self.loop(self.image("first")), self.loop(self.image("second"))
        self.prepare(first, "--new", "--this-boot", volume="first")
        before = fingerprint(second)
        done = self.prepare(second, "--new", "--this-boot", check=False)
        self.assertIn(f"is mounted at {self.place}, not {second}", done.stderr)
        self.assertEqual(fingerprint(second), before)

    def test_two_disks_each_at_its_own_place(self):
        first, second = self.loop(self.image("first")), self.loop(self.image("second"))
        self.prepare(first, "--new", "--this-boot", volume="first")
        (self.place / "whose").write_text("first")
        other = self.work / "other"
        self.addCleanup(run, "umount", other)
        self.prepare(second, "--new", "--this-boot", "--at", other, volume="second")
        (other / "whose").write_text("second")
        self.assertEqual((self.place / "whose").read_text(), "first")


class Growing(DiskCase):
    """In a kernel of our own: growing a mounted filesystem takes a right that root lacks in many containers."""

    def grown(self, script):
        """A volume with a save gets larger; what the program said in the kernel, and the disk."""
        if not kernel.is_here():
            self.skipTest("no user-mode Linux")
        disk, saves = self.image(), self.work / "saves"
        saves.mkdir()
        (saves / "save").write_bytes(b"level 7\n" * 100_000)
        run("mkfs.ext4", "-q", "-d", saves, disk)
        self.before = self.probe(disk)["UUID"]
        with open(disk, "r+b") as file:
            file.truncate(256 * MIB)
        said = kernel.run_in_own_kernel(self.work, script, disk).splitlines()
        run("e2fsck", "-f", "-n", disk)
        self.assertEqual(self.probe(disk)["UUID"], self.before)
        return said, data_disk.extent(disk)[0]

    MOUNT = f"{DATA_DISK} --path /dev/ubda --volume {VOLUME} --at /mnt/data --this-boot"
    SAVE = "sha256sum < /mnt/data/save; umount /mnt/data"

    def test_a_larger_volume_is_taken_in_and_keeps_its_bytes(self):
        (first, second, save), size = self.grown(f"{self.MOUNT}; {self.MOUNT}; {self.SAVE}")
        self.assertEqual(json.loads(first)["did"], ["grown", "mounted"])
        self.assertEqual(json.loads(second)["did"], [])
        self.assertEqual(save.split()[0], hashlib.sha256(b"level 7\n" * 100_000).hexdigest())
        self.assertEqual(size, 256 * MIB)

    def test_a_volume_that_the_boot_mounted_is_grown_in_use(self):
        boot = "mkdir /mnt/data; mount /dev/ubda /mnt/data; exec 9> /mnt/data/open"
        (said, save), size = self.grown(f"{boot}; {self.MOUNT}; exec 9>&-; {self.SAVE}")
        self.assertEqual(json.loads(said)["did"], ["grown"])
        self.assertEqual(save.split()[0], hashlib.sha256(b"level 7\n" * 100_000).hexdigest())
        self.assertEqual(size, 256 * MIB)


class Unit(Case):
    """No systemd runs here: its unit is read by systemd's own verifier, and not started."""

    def test_the_unit_is_one(self):
        if run("systemd-analyze", "--version", check=False).returncode != 0:
            self.skipTest("no systemd-analyze")
        path = self.work / "srv-cloudypad.mount"
        path.write_text(data_disk.mount_unit("0a1b2c3d-0000-1111-2222-333344445555", "/srv/cloudypad"))
        done = run("systemd-analyze", "verify", "--recursive-errors=no", path, check=False)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_units_are_named_as_systemd_names_them(self):
        if run("systemd-escape", "--version", check=False).returncode != 0:
            self.skipTest("no systemd-escape")
        for path in ("/srv/cloudypad", "/srv/a-b/c d", "/mnt/ü", "/dev/disk/by-uuid/0a1b-2c"):
            said = run("systemd-escape", "--path", "--suffix=mount", path).stdout.strip()
            self.assertEqual(data_disk.unit_of(path, "mount"), said)


if __name__ == "__main__":
    unittest.main()
