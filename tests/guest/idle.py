"""The service that notices idleness: what keeps a machine in use, what is said, who hears it, and the power switch."""

import contextlib
import json
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import unittest
from pathlib import Path

from machine import IDLE, LONG, dice, is_root, run, tell
from watching import IdleCase, bound, configuring, download, stream


class InUse(IdleCase):
    """Each use by itself postpones the word, and the word comes a whole window after its end."""

    def assert_postpones(self, use, says, **options):
        with use:
            watch = self.watch(**options)
            began, _ = watch.until(busy=says)
            # Three windows of it: had it not been seen all along, the word would have been said.
            over = threading.Event()
            over.wait(3 * self.AFTER)
            self.assertFalse(self.kept.exists())
            ended = time.monotonic()
        when, _ = watch.until(idle=True)
        self.assertNotIn(True, [line.get("idle") for line in watch.heard[:-1]])
        self.assertGreater(ended - began, 2 * self.AFTER)
        self.assertGreaterEqual(when - ended, self.AFTER - 0.1)

    def test_a_stream(self):
        self.assert_postpones(stream(47999), "a stream on UDP port 47999")

    def test_a_stream_over_ipv6(self):
        try:
            with bound(0, socket.AF_INET6):
                pass
        except OSError:
            self.skipTest("no IPv6 here")
        self.assert_postpones(stream(47998, socket.AF_INET6), "a stream on UDP port 47998")

    def test_a_download(self):
        self.assert_postpones(download(), "a download", interfaces="lo", download_window=0.2)

    def test_a_configuration(self):
        self.assert_postpones(configuring(self.run_dir), "a configuration")

    def test_a_person_at_a_shell(self):
        self.assert_postpones(self.shell("-tt"), "a person at a shell")

    def test_a_session_without_a_terminal_is_nobody(self):
        with self.shell("-T"):
            self.watch().until(idle=True)

    def test_shells_by_every_name_that_sshd_gives_them(self):
        proc = self.work / "proc"
        shutil.copytree("/proc/net/", proc / "net", ignore=lambda _, names: set(names) - {"udp", "udp6", "snmp", "snmp6", "dev"})
        (proc / "77").mkdir()
        for title, is_person in (
            (b"sshd: player@pts/0", True),
            (b"sshd-session: player@pts/12", True),  # since OpenSSH 9.8
            (b"sshd: player@notty", False),
            (b"sshd: player [priv]", False),
            (b"sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups", False),
            (b"vim\0sshd: player@pts/0", False),
        ):
            with self.subTest(title):
                (proc / "77/cmdline").write_bytes(title)
                _, first = (watch := self.watch(proc=proc, grace=LONG)).until(idle=False)
                self.assertEqual(first["busy"], "a person at a shell" if is_person else None)
                watch.close()

    @contextlib.contextmanager
    def shell(self, terminal):
        """A session of the real SSH server, which ends with its client."""
        sshd = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")
        if not sshd or not is_root():
            self.skipTest("no SSH server to be run here")
        Path("/run/sshd").mkdir(exist_ok=True)
        for key in ("host", "mine"):
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.work / key)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        config = self.work / "sshd_config"
        config.write_text(
            f"Port {port}\nListenAddress 127.0.0.1\nHostKey {self.work}/host\nAuthorizedKeysFile {self.work}/mine.pub\n"
            "StrictModes no\nUsePAM no\nPidFile none\nLogLevel ERROR\n"
        )
        server = subprocess.Popen([sshd, "-D", "-e", "-f", config], stderr=subprocess.PIPE)
        try:
            (self.work / "known").write_text(f"[127.0.0.1]:{port} {(self.work / 'host.pub').read_text()}")
            client = ["ssh", terminal, "-i", self.work / "mine", "-p", port, "-F", "none", "-o", f"UserKnownHostsFile={self.work}/known"]
            client += ["-o", "ConnectionAttempts=50", "root@127.0.0.1", "echo here; cat"]
            with subprocess.Popen(
                [str(it) for it in client], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            ) as session:
                try:
                    self.assertIn(b"here", session.stdout.readline())
                    yield
                finally:
                    session.kill()
        finally:
            server.kill()
            server.wait()
            server.stderr.close()


class NotInUse(IdleCase):
    def test_the_word_says_why_and_since_when(self):
        _, line = self.watch().until(idle=True)
        self.assertEqual(json.loads(self.said.read_text()), line)
        self.assertEqual(json.loads(self.kept.read_text()), line)
        self.assertEqual(line["reason"], "no stream, download, configuration or person at a shell for 0.6 s")
        self.assertRegex(line["since"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$")

    def test_open_sockets_without_datagrams_are_no_stream(self):
        with bound(47998), bound(47999):
            self.watch().until(idle=True)

    def test_datagrams_of_others_are_no_stream(self):
        with stream(5353):
            self.watch().until(idle=True)

    def test_what_stays_inside_the_machine_is_no_download(self):
        with download():
            self.watch(download_window=0.2).until(idle=True)

    def test_a_pause_is_not_quiet(self):
        watch = self.watch(after=1.5)
        watch.until(idle=False)
        watch.process.send_signal(signal.SIGSTOP)
        # Paused for longer than the window, as when a machine is moved or sleeps: nobody saw whether it was in use.
        threading.Event().wait(2)
        watch.process.send_signal(signal.SIGCONT)
        woken = time.monotonic()
        when, _ = watch.until(idle=True)
        self.assertGreaterEqual(when - woken, 1.4)

    def test_a_restarted_service_begins_its_window_anew(self):
        first = self.watch(after=1.0, grace=LONG)
        first.until(idle=True)
        first.close()
        second = self.watch(after=1.0)
        began, _ = second.until(idle=False)
        self.assertFalse(self.kept.exists(), "the word of the first still stands on the disk")
        when, _ = second.until(idle=True)
        self.assertGreaterEqual(when - began, 0.9)

    def test_without_the_disk_the_word_is_said_all_the_same(self):
        self.disk.rmdir()
        self.watch().until(idle=True)
        self.assertTrue(self.said.exists())
        self.assertFalse(self.disk.exists(), "it wrote where the disk would be mounted")


class PowerOff(IdleCase):
    def test_where_nobody_hears_the_power_goes_once(self):
        watch = self.watch()
        said, line = watch.until(idle=True)
        off, _ = watch.until(powerOff=line["word"])
        watch.until(ended=0)
        self.assertGreaterEqual(off - said, self.GRACE - 0.1)
        self.assertEqual(self.switched_off(), 1)
        self.assertTrue(self.kept.exists(), "the word goes down with the machine")

    def test_a_switch_that_failed_is_tried_again(self):
        fails_once = f"sh -c 'echo off >> {self.switch}; test $(wc -l < {self.switch}) -ge 2'"
        self.watch(power_off=fails_once).until(ended=0)
        self.assertEqual(self.switched_off(), 2)

    def test_who_hears_gets_time_and_then_the_power_goes_all_the_same(self):
        watch = self.watch(patience=4 * self.GRACE)
        said, line = watch.until(idle=True)
        self.ask("heard", line["word"])
        heard, _ = watch.until(heard=line["word"])
        off, _ = watch.until(powerOff=line["word"])
        self.assertGreaterEqual(off - heard, 4 * self.GRACE - 0.1)
        self.assertGreater(off - said, 3 * self.GRACE)

    def test_who_goes_on_hearing_is_never_cut_short(self):
        watch = self.watch(patience=1.0)
        _, line = watch.until(idle=True)
        for _ in range(6):
            self.ask("heard", line["word"])
            last, _ = watch.until(heard=line["word"])
        self.assertEqual(self.switched_off(), 0)
        off, _ = watch.until(powerOff=line["word"])
        self.assertGreaterEqual(off - last, 0.9)

    def test_a_stream_that_comes_back_takes_the_word_back(self):
        watch = self.watch(grace=LONG)
        _, line = watch.until(idle=True)
        self.ask("heard", line["word"])
        with stream(47999):
            watch.until(busy="a stream on UDP port 47999")
            self.assertFalse(self.kept.exists(), "the word still stands on the disk")
            late = self.ask("heard", line["word"], check=False)
            self.assertEqual((late.returncode, late.stderr.count("does not stand: a stream on UDP port 47999")), (1, 1))
        _, next_line = watch.until(idle=True)
        self.assertNotEqual(next_line["word"], line["word"])
        self.assertEqual(self.switched_off(), 0)

    def test_hearing_an_earlier_word_counts_for_nothing(self):
        (self.run_dir / "heard").write_text('{"word": "an earlier one"}')
        watch = self.watch()
        watch.until(idle=True)
        watch.until(ended=0)
        self.assertEqual(self.switched_off(), 1)
        self.assertFalse([it for it in watch.heard if "heard" in it])


class Told(IdleCase):
    def test_once(self):
        self.assertEqual(json.loads(self.ask("tell").stdout), {"idle": False, "busy": None, "watched": False})
        _, line = self.watch(grace=LONG).until(idle=True)
        self.assertEqual(json.loads(self.ask("tell").stdout), line)

    def test_as_it_changes_until_the_reader_goes(self):
        watch = self.watch(grace=LONG)
        command = [IDLE, "--run", self.run_dir, "tell", "--follow"]
        with subprocess.Popen([str(it) for it in command], stdout=subprocess.PIPE, text=True) as follower:
            told = lambda: json.loads(follower.stdout.readline())  # noqa: E731
            while not (line := told())["idle"]:
                pass
            self.assertEqual(line, watch.until(idle=True)[1])
            with configuring(self.run_dir):
                self.assertEqual(told(), {"idle": False, "busy": "a configuration"})
            follower.stdout.close()
            self.assertEqual(follower.wait(timeout=LONG), 0)

    def test_the_word_of_an_earlier_boot_is_taken_away_and_told_as_such(self):
        slept = {"idle": True, "word": "before", "since": "2026-11-22T23:00:00+00:00", "reason": "no stream"}
        self.kept.write_text(json.dumps(slept))
        self.watch(grace=LONG).until(idle=False)
        self.assertFalse(self.kept.exists())
        told = json.loads(self.ask("tell").stdout)
        self.assertEqual((told["idle"], told["slept"]), (False, slept))


class Killed(IdleCase):
    def test_at_any_call_no_word_is_half_written(self):
        if run("strace", "--version", check=False).returncode != 0:
            self.skipTest("no strace")
        paths = [it for path in (self.said, self.kept) for it in ("-P", path, "-P", path.with_name(".idle.json.new"))]
        calls = ["openat", "write", "fsync", "rename", "sync", "unlink"]
        strace = ["strace", "-f", "-qq", "-o", self.work / "trace", *paths]
        options = {"after": 0.15, "grace": 0.1, "every": 0.05}
        self.watch(*strace, "-e", f"trace={','.join(calls)}", **options).until(ended=0)
        made = [call for it in (self.work / "trace").read_text().splitlines() if (call := re.split(r"[ (]+", it)[1]) in calls]
        kills = 0
        for place, call in enumerate(made):
            nth = 1 + made[:place].count(call)
            watch = self.watch(*strace, "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={nth}", **options)
            ended = self.end_of(watch)
            self.assertNotEqual(ended, 0, f"not killed at {call} {nth}")
            kills += 1
            for path in (self.said, self.kept):
                if path.exists():
                    self.assertIn("idle", json.loads(path.read_text()))
            # The next one clears up.
            after = self.watch(grace=LONG, after=LONG)
            after.until(idle=False)
            self.assertFalse(self.kept.exists())
            after.close()
        self.assertGreater(kills, 8)
        tell("guest: kills of the service that notices idleness", kills)

    def end_of(self, watch):
        while "ended" not in (line := watch.lines.get(timeout=LONG)[1]):
            pass
        return line["ended"]

    def test_at_random_moments_too(self):
        random, kills = dice(), 8
        for _ in range(kills):
            watch = self.watch(after=0.1, every=0.01, grace=LONG)
            watch.until(idle=False)
            threading.Event().wait(random.uniform(0.09, 0.13))
            watch.close()
            for path in (self.said, self.kept):
                if path.exists():
                    self.assertIn("idle", json.loads(path.read_text()))
        tell("guest: kills at random moments around the word", kills)


class BadConfiguration(IdleCase):
    def test_is_said_in_words(self):
        for options, says in (
            ({"after": 0}, "argument --after: '0' is not a number above 0"),
            ({"after": "nan"}, "argument --after: 'nan' is not a number above 0"),
            ({"grace": "-1"}, "argument --grace: '-1' is not a number above 0"),
            ({"stream_ports": "9-1"}, "argument --stream-ports: '9-1' are not ports, like 47998-48010"),
            ({"stream_ports": "70000"}, "argument --stream-ports: '70000' are not ports"),
            ({"run": "/nowhere"}, "unrecognized arguments: --run /nowhere"),
        ):
            with self.subTest(options):
                done = self.ask("watch", *self.options(**options), check=False)
                self.assertEqual(done.returncode, 2)
                self.assertIn(says, done.stderr)
        done = run(IDLE, "--run", "/nowhere", "tell", check=False)
        self.assertEqual((done.returncode, "--run /nowhere is not a directory" in done.stderr), (2, True))


if __name__ == "__main__":
    unittest.main()
