"""doctor on smtpd's questions about incoming and submitted mail, and on the TLS-only transport."""

import os

from test_doctor import DONE, NOT_WELL, Doctor
from test_examples import read

INBOUND_RULE = "INSERT INTO inbound(client) VALUES('192.0.2.0/24');\n"
SUBMISSION_RULE = "INSERT INTO submission(sender) VALUES('ann@example.com');\n"


class Mail(Doctor):
    def assert_mends(self):
        """Its own lines make the host well."""
        with self.daemon, self.postfix:
            self.mend()
            self.assertEqual({}, self.complaints(DONE))


class Incoming(Mail):
    def test_is_well_by_the_examples(self):
        for name in ("inbound-observe.cf", "inbound-enforce.cf"):
            with self.subTest(example=name):
                self.make_host(main_cf=read(name), rows=INBOUND_RULE)
                with self.daemon:
                    self.assertEqual({}, self.complaints(DONE))

    def test_behind_a_permit_is_found_and_mended(self):
        place = "check_policy_service { unix:tlspolicyd/policyd.sock, default_action=DUNNO }"
        self.make_host(main_cf="smtpd_tls_security_level = may\n"
                       f"smtpd_recipient_restrictions = permit_mynetworks, {place}, reject_unauth_destination\n",
                       rows=INBOUND_RULE)
        with self.daemon:
            self.assert_state(self.complaints(DONE), "inbound", "warning", "permit_mynetworks stands before it")
            for each in self.findings(DONE):
                if each["check"] == "inbound":
                    self.apply(each["fix"])
            self.assertEqual({}, self.complaints(DONE))


class Submitted(Mail):
    def make_submission(self, main_cf=read("submission.cf"), master_cf=read("submission.master.cf")):
        self.make_host(main_cf=main_cf, master_cf=master_cf, rows=SUBMISSION_RULE)

    def test_is_well_by_the_example(self):
        self.make_submission()
        with self.daemon:
            self.assertEqual({}, self.complaints(DONE))
            self.assertEqual(5, sum(each["check"] == "submission" for each in self.findings(DONE)))

    def test_questions_behind_permits_of_master_cf_are_found_and_mended(self):
        text = read("submission.master.cf")
        spoilt = text.replace("= permit_auth_destination,", "= permit_sasl_authenticated,").replace(
            "smtpd_sender_restrictions = ", "smtpd_sender_restrictions = permit_mynetworks, ")
        self.make_submission(master_cf=spoilt)
        with self.daemon:
            found = self.complaints(NOT_WELL)
            self.assertEqual({"submission"}, set(found))
            self.assertEqual({"submission/inet", "submissions/inet"}, {each["service"] for each in found["submission"]})
            self.assertEqual(4, len(found["submission"]))
            self.assert_state(found, "submission", "error", "permit_mynetworks", "permit_sasl_authenticated")
        self.assert_mends()

    def test_mail_that_no_map_sends_by_tls_alone_is_found_and_mended(self):
        self.make_submission(main_cf="")
        with self.daemon:
            found = self.complaints(NOT_WELL)
            self.assertEqual({"submission"}, set(found))
            self.assert_state(found, "submission", "error", "sender_dependent_default_transport_maps", "1 row")
        self.assert_mends()

    def test_a_missing_transport_is_found_and_mended(self):
        text = read("submission.master.cf")
        self.make_submission(master_cf=text[:text.index("smtp-strict")])
        with self.daemon:
            found = self.complaints(NOT_WELL)
            self.assertEqual({"submission"}, set(found))
            self.assert_state(found, "submission", "error", "it isn't there")
        self.assert_mends()

    def test_a_transport_that_may_send_in_clear_is_found_and_mended(self):
        text = read("submission.master.cf").replace("tlsmap.sock:strict", "tlsmap.sock:policy").replace(
            "smtp_tls_security_level=encrypt\n", "smtp_tls_security_level=may\n")
        self.make_submission(master_cf=text)
        with self.daemon:
            found = self.complaints(NOT_WELL)["submission"]
            self.assertIn("smtp-strict/unix", {each["service"] for each in found})
            self.assertEqual(2, len(found))
        self.assert_mends()

    def test_without_rows_is_no_business_of_ours(self):
        self.make_host(main_cf="smtpd_recipient_restrictions = permit\n")
        with self.daemon:
            self.assertEqual({}, self.complaints(DONE))
