"""tlspolicyctl learn, on logs that a real Postfix wrote, held against what the receivers saw."""

import json
import os
import subprocess

from instance import version
from story import Story

CTL = os.path.join(os.environ["TLSPOLICYD_BIN"], "tlspolicyctl")
LEVELS = ("smtp_tls_security_level = may\n"
          "smtp_tls_policy_maps = inline:{ { verified.good.test = verify },"
          " { verified.selfsigned.test = verify }, { verified.wrongname.test = verify },"
          " { required.nostarttls.test = encrypt }, { required.refuse.test = encrypt },"
          " { required.broken.test = encrypt }, { required.dropped.test = encrypt },"
          " { required.slow.test = encrypt } }\n")
# What TLS fails on under the levels above, and what is to be learnt of it.
FAILURES = {
    "verified.selfsigned.test": "certificate-not-trusted",
    "verified.wrongname.test": "certificate-host-mismatch",
    "required.nostarttls.test": "starttls-not-supported",
    "required.refuse.test": "starttls-refused",
    "required.broken.test": "handshake-failure",
    "required.dropped.test": "hang-up",
    "required.slow.test": "timeout",
}


class Learning(Story):
    def learn(self, postfix, *options):
        done = subprocess.run([CTL, "learn", os.path.join(postfix.directory, "mail.log"), "--json", *options],
                              capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return {each["destination"]: each for each in json.loads(done.stdout)}

    def check_against_the_receivers(self, found, recipients):
        for recipient in recipients:
            arrival = self.arrival(recipient)
            lesson = found[arrival.domain]
            self.assertEqual((lesson["deliveries"], lesson["tls"], lesson["clear"], lesson["unknown"]),
                             (1, 1, 0, 0) if arrival.encrypted else (1, 0, 1, 0), lesson)

    def test_tells_apart_what_the_receivers_saw(self):
        # In this order: nothing shows yet that TLS is logged when the first goes out in clear.
        recipients = ("a@nostarttls.test", "a@refuse.test", "a@good.test", "a@selfsigned.test",
                      "a@verified.good.test", "a@multi.test")
        with self.make_postfix(LEVELS) as postfix:
            for recipient in recipients:
                postfix.send(recipient)
                self.assertEqual(postfix.wait_for_attempt(recipient).status, "sent")
            found = self.learn(postfix)
            proposed = self.learn(postfix, "--propose")
        self.check_against_the_receivers(found, recipients)
        trusts = {name: (lesson["trusted"], lesson["verified"]) for name, lesson in found.items()}
        self.assertEqual(trusts, {"nostarttls.test": (0, 0), "refuse.test": (0, 0), "good.test": (1, 0),
                                  "selfsigned.test": (0, 0), "verified.good.test": (0, 1), "multi.test": (1, 0)})
        self.assertEqual({name: lesson["passes"][-1] for name, lesson in found.items()},
                         {"nostarttls.test": "opportunistic", "refuse.test": "opportunistic", "good.test": "required",
                          "selfsigned.test": "required", "verified.good.test": "verified", "multi.test": "required"})
        required = {name: "required" for name in ("good.test", "selfsigned.test", "multi.test")}
        # Before 3.11 the log doesn't say by which level a certificate was verified: maybe by DANE.
        if version() >= (3, 11):
            required["verified.good.test"] = "verified"
        self.assertEqual({name: each["profile"] for name, each in proposed.items()}, required)

    def test_sees_that_postfix_went_on_in_clear(self):
        with self.make_postfix(LEVELS) as postfix:
            postfix.send("a@broken.test")
            postfix.wait_until(lambda: any(each.status == "sent" for each in postfix.attempts("a@broken.test")),
                               60, "a@broken.test not delivered")
            found = self.learn(postfix)["broken.test"]
        self.assertEqual(self.arrival("a@broken.test").seen, "PLAIN")
        # Though no session was ever logged: the failed handshake with the same server was.
        self.assertEqual((found["clear"], found["unknown"]), (1, 0))
        self.assertEqual(found["failures"].pop("plaintext"), 1)
        self.assertEqual(set(found["failures"]), {"handshake-failure"})
        self.assertEqual(found["passes"][-1], "opportunistic")

    def test_names_what_tls_failed_on(self):
        with self.make_postfix(LEVELS) as postfix:
            for domain in FAILURES:
                postfix.send(f"a@{domain}")
            for domain in FAILURES:
                self.assertEqual(postfix.wait_for_attempt(f"a@{domain}").status, "deferred")
            found = self.learn(postfix)
        self.assertEqual({name: set(lesson["failures"]) for name, lesson in found.items()},
                         {name: {cause} for name, cause in FAILURES.items()})
        self.assertEqual({lesson["deliveries"] for lesson in found.values()}, {0})

    def test_does_not_guess_where_postfix_logs_no_tls(self):
        with self.make_postfix("smtp_tls_security_level = may\nsmtp_tls_loglevel = 0\n") as postfix:
            postfix.send("a@good.test", "a@nostarttls.test")
            for recipient in ("a@good.test", "a@nostarttls.test"):
                postfix.wait_for_attempt(recipient)
            found = self.learn(postfix)
        if version() >= (3, 11):
            self.check_against_the_receivers(found, ("a@good.test", "a@nostarttls.test"))
        else:
            self.assertEqual({(each["tls"], each["clear"], each["unknown"]) for each in found.values()}, {(0, 0, 1)})
