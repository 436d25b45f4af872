// Alarms as mail: one a minute, the rest gathered, and no line of anybody else's in it.
#include "src/app/alarm_mail.h"

#include <sys/wait.h>

#include <fstream>
#include <sstream>

#include "tests/unit/catch.h"
#include "tests/unit/database_files.h"

using app::AlarmGathering;
using std::chrono::seconds;

namespace {

const base::SteadyPoint kStart{seconds{1'000}};
const base::sys_seconds kNow{seconds{1'790'000'000}};

wire::AlarmMessage alarm(std::string destination, std::string text = "no STARTTLS") {
  return {"compliance", std::move(destination), std::move(text), false};
}

std::optional<std::string> take(AlarmGathering& gathering, base::SteadyPoint now) {
  return gathering.take("ops@example.com", "mail.example.com", now);
}

}  // namespace

TEST_CASE("alarm mail: the first alarm goes at once, as a mail that nobody answers") {
  AlarmGathering gathering;
  CHECK_FALSE(gathering.due().has_value());
  gathering.add(alarm("partner.example"), kNow);
  CHECK(take(gathering, kStart) ==
        "To: ops@example.com\n"
        "Subject: tlspolicyd on mail.example.com: compliance: partner.example\n"
        "Auto-Submitted: auto-generated\n"
        "MIME-Version: 1.0\n"
        "Content-Type: text/plain; charset=us-ascii\n"
        "\n"
        "2026-09-21T14:13:20Z compliance: partner.example\n"
        "    no STARTTLS\n");
}

TEST_CASE("alarm mail: what comes within a minute is gathered into one") {
  AlarmGathering gathering;
  gathering.add(alarm("a.example"), kNow);
  CHECK(take(gathering, kStart).has_value());
  CHECK_FALSE(gathering.due().has_value());
  for (std::size_t i = 0; i < AlarmGathering::kMost + 5; ++i) {
    gathering.add(alarm("b.example"), kNow);
  }
  auto over = alarm("b.example", "it goes again");
  CHECK(gathering.due() == kStart + AlarmGathering::kPause);
  CHECK_FALSE(take(gathering, kStart + seconds{59}).has_value());
  const auto mail = take(gathering, kStart + seconds{60});
  REQUIRE(mail.has_value());
  CHECK(mail->find("Subject: tlspolicyd on mail.example.com: 205 alarms\n") != std::string::npos);
  CHECK(mail->ends_with("\n5 more: see the log\n"));
  CHECK_FALSE(take(gathering, kStart + seconds{999}).has_value());
}

TEST_CASE("alarm mail: no text of a peer's becomes a line of its own") {
  AlarmGathering gathering;
  gathering.add({"compliance\nBcc: a@b", "x.example\r\nBcc: thief@evil.example",
                 "text\n.\nQUIT\r\n\xC3\xA4", true},
                kNow);
  const auto mail = gathering.take("ops@example.com", "h\nBcc: x", kStart);
  REQUIRE(mail.has_value());
  CHECK(mail->find("\nBcc:") == std::string::npos);
  CHECK(mail->find('\r') == std::string::npos);
  CHECK(mail->find("\n.\n") == std::string::npos);
  std::istringstream lines(*mail);
  for (std::string line; std::getline(lines, line);) CHECK(line.size() < 998);
}

TEST_CASE("alarm mail: only what is a plain mailbox may stand in a header") {
  for (const auto* good : {"root", "ops@example.com", "a.b+c@xn--bcher-kva.example", "o'x@[x]"}) {
    CAPTURE(good);
    CHECK(app::is_mailbox(good) == (std::string_view(good).find('[') == std::string_view::npos));
  }
  for (const auto* bad : {"", "-t", "-oX@example.com", "a b@example.com", "a@b, c@d", "a\nb", "a@",
                          "@b", "<a@b>", "a@b@c d", "|prog", "a@-b", ".a@b"}) {
    CAPTURE(bad);
    CHECK_FALSE(app::is_mailbox(bad));
  }
  CHECK_FALSE(app::is_mailbox(std::string(255, 'a')));
}

TEST_CASE("alarm mail: sendmail gets the message on its standard input") {
  const test::Folder folder;
  const auto program = folder.path("sendmail");
  std::ofstream(program) << "#!/bin/sh\necho \"$*\" > " << folder.path("got") << "\ncat >> "
                         << folder.path("got") << "\n";
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  const auto pid = app::start_sendmail(program, "To: a\n\nbody\n");
  REQUIRE(pid.has_value());
  int status = -1;
  REQUIRE(::waitpid(*pid, &status, 0) == *pid);
  CHECK(status == 0);
  std::ostringstream got;
  got << std::ifstream(folder.path("got")).rdbuf();
  CHECK(got.str() == "-i -t\nTo: a\n\nbody\n");
  CHECK_FALSE(app::start_sendmail(folder.path("nothing"), "x").has_value());
}
