#!/usr/bin/env python3
"""alarm_mail: what rises is mailed by sendmail_command, one mail at once and the rest gathered."""
import email
import os
import subprocess
import unittest

from alarms_test import Watched
from daemon import BAD_CONFIG, BIN
from feedback_test import HANDSHAKE
from processes import wait_until

FAKE = """#!/usr/bin/python3
import os, sys
folder = os.path.dirname(sys.argv[0])
message = sys.stdin.buffer.read()
name = folder + "/mail-%d" % sum(each.startswith("mail-") for each in os.listdir(folder))
with open(name + ".part", "wb") as file:
    file.write((" ".join(sys.argv[1:]) + chr(10)).encode() + message)
os.rename(name + ".part", name)
sys.exit(int(os.path.exists(folder + "/refuse")))
"""


class Mailed(Watched):
    def __init__(self, **settings):
        super().__init__([(f"{letter}.test", "required") for letter in "abc"], alarm_mail="ops@example.com", **settings)
        self.folder = self.path("sent")
        os.mkdir(self.folder)
        program = os.path.join(self.folder, "sendmail")
        with open(program, "w", encoding="utf-8") as file:
            file.write(FAKE)
        os.chmod(program, 0o755)
        self.configure(sendmail_command=program)

    def mails(self):
        """Arguments and message of each that was sent, in order."""
        found = []
        for name in sorted(name for name in os.listdir(self.folder) if name.startswith("mail-") and name[-1] != "t"):
            with open(os.path.join(self.folder, name), encoding="ascii") as file:
                arguments, message = file.read().split("\n", 1)
                found.append((arguments, email.message_from_string(message)))
        return found


class AlarmMail(unittest.TestCase):
    def test_the_first_alarm_is_mailed_at_once_and_those_after_it_together(self):
        with Mailed() as daemon:
            daemon.deliver("a.test", HANDSHAKE)
            wait_until(daemon.mails, daemon.log)
            arguments, first = daemon.mails()[0]
            self.assertEqual("-i -t", arguments)
            self.assertEqual("ops@example.com", first["To"])
            self.assertRegex(first["Subject"], r"^tlspolicyd on \S+: tls-failing: a\.test$")
            self.assertEqual("auto-generated", first["Auto-Submitted"])
            daemon.deliver("b.test", HANDSHAKE)
            daemon.deliver("c.test", HANDSHAKE)
            # alarm_command is told of each: the parent has them.
            daemon.wait_until_heard(*(["tls-failing", "raised", f"{letter}.test"] for letter in "abc"))
            self.assertEqual(1, len(daemon.mails()))
            daemon.stop()
            wait_until(lambda: len(daemon.mails()) == 2, daemon.log)
            second = daemon.mails()[1][1]
            self.assertRegex(second["Subject"], r": 2 alarms$")
            self.assertRegex(second.get_payload(), r"(?s)tls-failing: b\.test\n    \S.*tls-failing: c\.test\n    \S")

    def test_a_mail_that_could_not_be_sent_is_logged(self):
        with Mailed() as daemon:
            with open(os.path.join(daemon.folder, "refuse"), "w", encoding="utf-8"):
                pass
            daemon.deliver("a.test", HANDSHAKE)
            wait_until(lambda: daemon.lines("error: alarm_mail: "), daemon.log)
            self.assertIn("no mail went out", daemon.lines("error: alarm_mail: ")[0])

    def test_what_is_no_mailbox_is_refused_by_the_configuration(self):
        with Mailed() as daemon:
            for value in ("-t", "a@b, c@d", "<ops@example.com>"):
                daemon.configure(alarm_mail=value)
                done = subprocess.run([os.path.join(BIN, "tlspolicyd"), "--config", daemon.config, "--check-config"],
                                      capture_output=True, text=True, check=False, timeout=60)
                self.assertEqual(BAD_CONFIG, done.returncode)
                self.assertRegex(done.stdout + done.stderr, r"alarm_mail.*user@example\.com")


if __name__ == "__main__":
    unittest.main()
