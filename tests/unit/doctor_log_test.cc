// What doctor says of the mail log.
#include "tests/unit/doctor_rig.h"

using test::only_complaint;
using test::Rig;
using test::State;

namespace {

constexpr const char* kLog = "/var/log/mail.log";

// Set up as the manual says.
struct LogRig : Rig {
  LogRig() {
    ours.config.maillog = kLog;
    set("smtp_tls_loglevel", "1");
    set("maillog_file", "");
    add_file(kLog, 0640, 0, 4);
  }
};

using Fixes = std::vector<std::string>;

}  // namespace

TEST_CASE("doctor: a mail log that is read and tells of TLS is well") {
  LogRig rig;
  CHECK(rig.complaints("maillog").empty());
  rig.set("maillog_file", kLog);
  CHECK(rig.complaints("maillog").empty());
  rig.ours.config.maillog = app::kJournald;
  rig.set("maillog_file", "");
  CHECK(rig.complaints("maillog").empty());
}

TEST_CASE("doctor: no mail log is a choice, whatever Postfix logs") {
  Rig rig;
  rig.set("smtp_tls_loglevel", "0");
  rig.set("maillog_file", "/var/log/postfix.log");
  CHECK(rig.complaints("maillog").empty());
}

TEST_CASE("doctor: a log that says nothing of TLS, for each service") {
  LogRig rig;
  rig.set("smtp_tls_loglevel", "0");
  rig.add_service("relay", "smtp", true, {{"smtp_tls_loglevel", "untrusted"}});
  rig.add_service("loud", "smtp", true, {{"smtp_tls_loglevel", "2"}});
  rig.add_service("smtp", "smtpd", true);
  const auto found = rig.complaints("maillog");
  REQUIRE(found.size() == 2);
  CHECK(found[0].service == "smtp/unix");
  CHECK(found[0].looked_at == "smtp_tls_loglevel = 0 (main.cf)");
  CHECK(found[0].state == State::Warning);
  CHECK(found[0].fixes == Fixes{"postconf -e 'smtp_tls_loglevel = 1'"});
  CHECK(found[1].service == "relay/unix");
  CHECK(found[1].fixes == Fixes{"postconf -P 'relay/unix/smtp_tls_loglevel = 1'"});
}

TEST_CASE("doctor: Postfix writes another log than the one that is followed") {
  LogRig rig;
  rig.set("maillog_file", "/var/log/postfix.log");
  const auto complaint = only_complaint(rig, "maillog", State::Warning);
  CHECK(complaint.text == "Postfix writes its log there, and tlspolicyd follows /var/log/mail.log");
  CHECK(complaint.fixes == Fixes{"/etc/tlspolicyd/tlspolicyd.conf: maillog = /var/log/postfix.log",
                                 "systemctl restart tlspolicyd"});

  SECTION("what can't be followed is no advice") {
    rig.set("maillog_file", "/dev/stdout");
    CHECK(only_complaint(rig, "maillog", State::Warning).fixes.empty());
  }
  SECTION("nor can several be followed") {
    rig.host.instances.push_back(rig.host.instances.front());
    const auto found = rig.complaints("maillog");
    REQUIRE(found.size() == 2);
    CHECK(found[0].fixes.empty());
  }
}

TEST_CASE("doctor: a log that the daemon can't read, and why") {
  LogRig rig;
  rig.ours.daemon.is_log_missing = true;
  rig.host.files[kLog].group = "adm";
  auto complaint = only_complaint(rig, "maillog", State::Warning);
  CHECK(complaint.looked_at == "maillog = /var/log/mail.log (/etc/tlspolicyd/tlspolicyd.conf)");
  CHECK(complaint.text ==
        "tlspolicyd can't read it, and does not see which mail went in clear: user tlspolicyd has "
        "no right to");
  CHECK(complaint.fixes == Fixes{"usermod -aG adm tlspolicyd", "systemctl restart tlspolicyd"});

  for (const auto& [mode, gid] : {std::pair{0640U, 0U}, std::pair{0600U, 4U}}) {
    rig.host.files[kLog].mode = mode;
    rig.host.files[kLog].gid = gid;
    CHECK(only_complaint(rig, "maillog", State::Warning).fixes ==
          Fixes{"chgrp adm /var/log/mail.log && chmod g+r /var/log/mail.log",
                "usermod -aG adm tlspolicyd", "systemctl restart tlspolicyd"});
  }

  rig.host.files.erase(kLog);
  complaint = only_complaint(rig, "maillog", State::Warning);
  CHECK(
      complaint.text.ends_with("there is no such file. Where no syslog daemon writes one, the "
                               "journal has the log"));
  CHECK(complaint.fixes == Fixes{"/etc/tlspolicyd/tlspolicyd.conf: maillog = journald",
                                 "usermod -aG systemd-journal tlspolicyd",
                                 "systemctl restart tlspolicyd"});

  rig.set("maillog_file", "/var/log/postfix.log");
  const auto found = rig.complaints("maillog");
  REQUIRE(found.size() == 2);
  CHECK(found[0].text.ends_with(": there is no such file"));
  CHECK(found[0].fixes.empty());
  CHECK(found[1].fixes[0] == "/etc/tlspolicyd/tlspolicyd.conf: maillog = /var/log/postfix.log");

  rig.set("maillog_file", "");
  rig.ours.config.maillog = app::kJournald;
  rig.ours.account.reset();
  complaint = only_complaint(rig, "maillog", State::Warning);
  CHECK(complaint.fixes ==
        Fixes{"usermod -aG systemd-journal tlspolicyd", "systemctl restart tlspolicyd"});
}

TEST_CASE("doctor: with the daemon down nothing is said of what it can read") {
  LogRig rig;
  rig.ours.daemon.is_up = false;
  rig.ours.daemon.is_log_missing = true;
  const auto found = rig.complaints("maillog");
  REQUIRE(found.size() == 1);
  CHECK(found[0].state == State::Skipped);
}
