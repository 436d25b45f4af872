"""tlspolicyctl held on the queue of a real Postfix: what waits because of TLS, and how to send it off."""

import json
import os
import subprocess
import tempfile
import time

from daemon import BIN, Daemon
from story import Story
from test_examples import read

DONE, NOT_WELL, FAILED = 0, 1, 3
FIVE_DAYS = 432000


class Held(Story):
    def make_host(self, main_cf="", rows=""):
        self.postfix = self.make_postfix(read("unix-chroot.cf") + main_cf)
        self.daemon = self.make_daemon(self.postfix)
        self.daemon.edit(Daemon.row("nostarttls.test", "required") + Daemon.row("broken.test", "required") + rows)

    def run_held(self, *arguments, expect, **options):
        program = [os.path.join(BIN, "tlspolicyctl"), "--config", self.daemon.config, "held",
                   "--postfix-config", self.postfix.config, *arguments]
        done = subprocess.run(program, capture_output=True, text=True, check=False, timeout=60, **options)
        self.assertEqual(done.returncode, expect, f"{done.stdout}\n{done.stderr}")
        return done

    def held(self, expect=NOT_WELL):
        return {each["destination"]: each for each in json.loads(self.run_held("--json", expect=expect).stdout)}

    def wait_until_deferred(self, *recipients):
        """Tried, and back in the queue with the reason."""
        for recipient in recipients:
            self.postfix.wait_for_attempt(recipient)
        self.postfix.wait_until(lambda: sum(each["queue_name"] == "deferred" for each in self.postfix.queued())
                                == len(recipients), 30, "the mail is deferred")

    def test_shows_what_waits_because_of_tls_and_its_lines_send_it_off(self):
        # Nothing is tried again unless asked for.
        self.make_host("minimal_backoff_time = 1h\nmaximal_backoff_time = 1h\nqueue_run_delay = 1h\n")
        with self.daemon, self.postfix:
            self.assertEqual(self.held(expect=DONE), {})
            self.assertIn("none waits because of TLS", self.run_held(expect=DONE).stdout)
            before = int(time.time())
            self.postfix.send("a@nostarttls.test", "a@greylist.test")
            self.wait_until_deferred("a@nostarttls.test", "a@greylist.test")
            found = self.held()
            self.assertEqual(list(found), ["nostarttls.test"], "greylisting is not TLS")
            one = found["nostarttls.test"]
            self.assertEqual((one["messages"], one["recipients"], one["cause"], one["row"], one["profile"]),
                             (1, 1, "starttls-not-supported", "nostarttls.test", "required"))
            self.assertIn("was not offered by host", one["reason"])
            self.assertGreaterEqual(one["oldest"], before)
            self.assertEqual(one["bounces_at"], one["oldest"] + FIVE_DAYS)
            text = self.run_held(expect=NOT_WELL).stdout
            self.assertRegex(text, r"nostarttls\.test +1 +1 .*in (5 d|4 d 23 h) +starttls-not-supported "
                             r"+nostarttls\.test \(required\)")
            lines = [line.strip() for line in text.splitlines() if line.startswith("  postqueue ")]
            self.assertEqual(lines, one["retry"])
            self.daemon.ctl("set", "nostarttls.test", "off")
            self.daemon.wait_until_answers("nostarttls.test", "OK none")
            for line in lines:
                subprocess.run(["/bin/sh", "-c", line], check=True)
            self.postfix.wait_for_attempt("a@nostarttls.test", nth=2)
            self.assertEqual(self.arrival("a@nostarttls.test").seen, "PLAIN")
            self.postfix.wait_until(lambda: len(self.postfix.queued()) == 1, 30, "it left the queue")
            self.assertEqual(self.held(expect=DONE), {})

    def test_mail_put_off_with_the_first_one_counts_too(self):
        self.make_host("minimal_backoff_time = 1h\nmaximal_backoff_time = 1h\nqueue_run_delay = 1h\n"
                       "maximal_queue_lifetime = 2h\nbounce_queue_lifetime = 1h\n")
        recipients = [f"{name}@broken.test" for name in "abc"]
        with self.daemon, self.postfix:
            self.postfix.send("a@broken.test")
            self.wait_until_deferred("a@broken.test")
            self.postfix.send("b@broken.test", "c@broken.test", sender="somebody@sender.test")
            self.postfix.wait_until(lambda: all(self.postfix.attempts(each) for each in recipients), 60, "all tried")
            self.postfix.wait_until(lambda: sum(each["queue_name"] == "deferred" for each in self.postfix.queued())
                                    == len(recipients), 30, "all deferred")
            one = self.held()["broken.test"]
        self.assertEqual((one["messages"], one["cause"]), (3, "handshake-failure"))
        self.assertEqual(one["bounces_at"], one["oldest"] + 3600, "the first one is from the null sender")

    def test_names_what_a_relay_hides_and_mail_on_hold(self):
        self.make_host("relayhost = [plainrelay.infra.test]:587\n", rows=Daemon.row("[*]", "required"))
        with self.daemon, self.postfix:
            self.postfix.send("a@good.test")
            self.wait_until_deferred("a@good.test")
            one = self.held()["good.test"]
            self.assertEqual((one["next_hop"], one["row"]), ("[plainrelay.infra.test]:587", "[*]"))
            self.daemon.ctl("panic", "observe")
            done = self.run_held("--json", expect=NOT_WELL)
            self.assertEqual((None, "mode is observe: main.cf decides"),
                             tuple(json.loads(done.stdout)[0][key] for key in ("row", "note")))
            self.assertIn("tlspolicyctl panic off", done.stderr)
            self.daemon.ctl("panic", "off")
            subprocess.run(["postsuper", "-c", self.postfix.config, "-h", one["retry"][0].split()[-1]], check=True,
                           capture_output=True)
            done = self.run_held("--json", expect=DONE)
            self.assertEqual(json.loads(done.stdout), [])
            self.assertIn("on hold", done.stderr)

    def test_asks_transport_maps_as_postfix_does(self):
        table = ("greylist.test smtp:[plainrelay.infra.test]:587\n.below.test :[plainrelay.infra.test]:587\n"
                 "special@good.test smtp:nostarttls.test\nreset.test smtp:\n")
        self.make_host("relayhost = [plainrelay.infra.test]:587\n"
                       "transport_maps = texthash:$config_directory/transport\nrecipient_delimiter = +\n",
                       rows=Daemon.row("[*]", "required") + Daemon.row("good.test", "off"))
        with open(os.path.join(self.postfix.config, "transport"), "w", encoding="ascii") as file:
            file.write(table)
        recipients = ["a@greylist.test", "a@x.below.test", "special+tag@good.test", "usual@good.test"]
        with self.daemon, self.postfix:
            self.postfix.send(*recipients)
            self.postfix.wait_until(lambda: len([each for message in self.postfix.queued()
                                                 for each in message["recipients"] if each.get("delay_reason")])
                                    == len(recipients), 60, "all are put off")
            lines = json.loads(self.run_held("--json", expect=NOT_WELL).stdout)
            found = {(each["destination"], each["next_hop"]): each for each in lines}
            relay = "[plainrelay.infra.test]:587"
            self.assertEqual({("greylist.test", relay), ("x.below.test", relay), ("good.test", "nostarttls.test"),
                              ("good.test", relay)}, set(found))
            self.assertEqual("nostarttls.test", found["good.test", "nostarttls.test"]["row"])
            self.assertEqual("[*]", found["good.test", relay]["row"])
            # Postfix went there.
            for (_, next_hop), each in found.items():
                self.assertIn("host plainrelay.infra.test" if next_hop == relay else "host mx.nostarttls.test",
                              each["reason"])
            os.unlink(os.path.join(self.postfix.config, "transport"))
            done = self.run_held("--json", expect=NOT_WELL)
            self.assertIn("transport_maps, texthash:", done.stderr)
            self.assertEqual({relay}, {each["next_hop"] for each in json.loads(done.stdout)})

    def test_without_daemon_and_database_still_shows_the_mail(self):
        self.make_host()
        with self.postfix:
            with self.daemon:
                self.postfix.send("a@nostarttls.test")
                self.wait_until_deferred("a@nostarttls.test")
            os.rename(self.daemon.policy_db, self.daemon.policy_db + ".away")
            one = json.loads(self.run_held("--json", expect=NOT_WELL).stdout)[0]
            self.assertIsNone(one["row"])

    def test_a_queue_that_can_not_be_read_is_no_answer(self):
        self.make_host()
        folder = tempfile.mkdtemp(dir=self.daemon.directory)
        for script, words in (("echo broken >&2; exit 69", "postqueue: exit status 69: broken"),
                              ("exec tr '\\0' x </dev/zero", "postqueue: it prints too much")):
            stand_in = os.path.join(folder, "postqueue")
            with open(stand_in, "w", encoding="ascii") as file:
                file.write(f"#!/bin/sh\n{script}\n")
            os.chmod(stand_in, 0o755)
            done = self.run_held(expect=FAILED, env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"})
            self.assertEqual(done.stdout, "")
            self.assertIn(words, done.stderr)

    def test_lines_of_a_hostile_queue_are_left_out_and_reach_no_terminal(self):
        self.make_host()
        folder = tempfile.mkdtemp(dir=self.daemon.directory)
        good = {"queue_name": "deferred", "queue_id": "A1", "arrival_time": 1, "sender": "",
                "recipients": [{"address": "a@\x1b[2Jevil.test", "delay_reason": "Cannot start TLS: handshake failure"}]}
        with open(os.path.join(folder, "queue"), "w", encoding="utf-8") as file:
            for line in (good, {**good, "queue_id": "$(reboot)"}, {"queue_id": 7}):
                file.write(json.dumps(line) + "\n")
        stand_in = os.path.join(folder, "postqueue")
        with open(stand_in, "w", encoding="ascii") as file:
            file.write(f"#!/bin/sh\nexec cat {folder}/queue\n")
        os.chmod(stand_in, 0o755)
        done = self.run_held(expect=NOT_WELL, env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"})
        self.assertNotIn("\x1b", done.stdout + done.stderr)
        self.assertNotIn("reboot", done.stdout)
        self.assertIn("with the next try", done.stdout)
        self.assertIn("2 lines of postqueue -j could not be read", done.stderr)
