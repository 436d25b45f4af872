// A real journal file, written by systemd-journal-remote from the export format (systemd.io,
// JOURNAL_EXPORT_FORMATS), as journald would have written it.
#include "src/app/journal.h"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <vector>

#include "tests/unit/catch.h"
#include "tests/unit/log_rig.h"

namespace {

using app::Journal;
using app::LineAge;

constexpr const char* kRemote = "/lib/systemd/systemd-journal-remote";

class JournalFolder {
 public:
  struct Line {
    std::string message;
    std::string more = "SYSLOG_FACILITY=2\n_UID=100\n_SYSTEMD_UNIT=postfix@-.service\n";
  };

  void write(const std::vector<Line>& lines) {
    const std::string command =
        fmt::format("{} -o {} - 2>&1", kRemote, files_.path("system.journal"));
    // NOLINTNEXTLINE(cert-env33-c): the path is the test's own
    FILE* remote = ::popen(command.c_str(), "w");
    REQUIRE(remote != nullptr);
    for (const auto& line : lines) {
      ++written_;
      fmt::print(remote,
                 "__REALTIME_TIMESTAMP={}\n__MONOTONIC_TIMESTAMP={}\n"
                 "_BOOT_ID=0123456789abcdef0123456789abcdef\nSYSLOG_IDENTIFIER=postfix/smtp\n"
                 "_PID=42\n_HOSTNAME=mail\n{}MESSAGE={}\n\n",
                 1'795'320'000'000'000 + written_ * 1000, 1000 + written_, line.more, line.message);
    }
    REQUIRE(::pclose(remote) == 0);
  }
  [[nodiscard]] std::string path() const { return files_.path("."); }

 private:
  LogFolder files_;
  std::int64_t written_ = 0;
};

std::vector<JournalFolder::Line> lines(int first, int last) {
  std::vector<JournalFolder::Line> made;
  for (const auto& text : expected(first, last)) made.push_back({text});
  return made;
}

std::vector<std::string> read_all(Journal& journal, LineAge wanted = LineAge::Live) {
  std::vector<std::string> found;
  while (journal.read_some([&](const Journal::Entry& entry, LineAge age) {
    if (age == wanted) found.emplace_back(entry.message);
  })) {
  }
  return found;
}

}  // namespace

TEST_CASE("journal: entries come once, with the fields that only journald sets") {
  JournalFolder folder;
  folder.write(lines(1, 3));
  Journal journal(folder.path());
  journal.begin_at_end();
  CHECK(read_all(journal).empty());
  folder.write({{"of mail"}, {"of others", "SYSLOG_FACILITY=3\n_UID=0\n"}});
  std::vector<std::string> seen;
  journal.read_some([&](const Journal::Entry& entry, LineAge age) {
    seen.emplace_back(entry.message);
    CHECK(age == LineAge::Live);
    CHECK(entry.identifier == "postfix/smtp");
    CHECK(entry.host == "mail");
    CHECK(entry.pid == 42);
    CHECK(entry.uid == 100);
    CHECK(entry.unit == "postfix@-.service");
    CHECK(entry.at.time_since_epoch().count() == 1'795'320'000);
  });
  CHECK(seen == std::vector<std::string>{"of mail"});
  CHECK(read_all(journal).empty());
}

TEST_CASE("journal: a restart goes on behind the last entry, those before it are known") {
  JournalFolder folder;
  folder.write(lines(1, 700));
  Journal journal(folder.path());
  journal.begin_at_end();
  folder.write(lines(701, 710));
  CHECK(read_all(journal) == expected(701, 710));
  const std::string cursor = journal.cursor();
  folder.write(lines(711, 715));
  {
    Journal next(folder.path());
    next.resume(cursor);
    CHECK(read_all(next, LineAge::Backlog) == expected(711, 715));
    folder.write(lines(716, 716));
    CHECK(read_all(next) == expected(716, 716));
  }
  Journal again(folder.path());
  again.resume(cursor);
  const auto known = read_all(again, LineAge::Known);
  REQUIRE(known.size() >= Journal::kReadAgain - 1);
  CHECK(known.back() == "line 710");
}

TEST_CASE("journal: one that can't be opened at first is not read from its head then") {
  JournalFolder folder;
  folder.write(lines(1, 3));
  Journal former(folder.path());
  former.begin_at_end();
  folder.write(lines(4, 5));
  const LogFolder elsewhere;
  const auto appear = [&](const char* name) {
    std::filesystem::create_directory_symlink(std::filesystem::path(folder.path()),
                                              elsewhere.path(name));
  };
  SECTION("it goes on where the last reading stopped") {
    Journal journal(elsewhere.path("a"));
    journal.resume(former.cursor());
    CHECK(read_all(journal).empty());
    CHECK_FALSE(journal.trouble().empty());
    CHECK(journal.cursor() == former.cursor());
    appear("a");
    CHECK(read_all(journal, LineAge::Backlog) == expected(4, 5));
  }
  SECTION("it begins at its end") {
    Journal journal(elsewhere.path("b"));
    journal.begin_at_end();
    CHECK(read_all(journal).empty());
    appear("b");
    CHECK(read_all(journal).empty());
    folder.write(lines(6, 6));
    CHECK(read_all(journal) == expected(6, 6));
  }
}

TEST_CASE("journal: only the kernel's word makes an entry one of Postfix's") {
  struct Case {
    std::string_view unit;
    std::int64_t uid;
    std::int64_t trusted_uid;
    bool is_postfix;
  };
  for (const auto& c :
       {Case{"postfix@-.service", 0, -1, true}, Case{"postfix.service", 0, -1, true},
        Case{"user@1000.service", 1000, 100, false}, Case{"postfixes.service", 0, 100, false},
        Case{"postfix@x.scope", 7, 100, false}, Case{"", 100, 100, true},
        Case{"", -1, -1, false}}) {
    Journal::Entry entry;
    entry.identifier = "postfix/smtp";
    entry.unit = c.unit;
    entry.uid = c.uid;
    CHECK(Journal::is_of_postfix(entry, c.trusted_uid) == c.is_postfix);
  }
}

TEST_CASE("journal: a short one is known from its first entry on") {
  JournalFolder folder;
  folder.write(lines(1, 5));
  Journal journal(folder.path());
  journal.begin_at_end();
  Journal next(folder.path());
  next.resume(journal.cursor());
  CHECK(read_all(next, LineAge::Known) == expected(1, 5));
  CHECK(next.trouble().empty());
}

TEST_CASE("journal: a place that is lost is said, and what is there is read") {
  JournalFolder folder;
  folder.write(lines(1, 2));
  Journal journal(folder.path());
  journal.begin_at_end();
  JournalFolder other;
  other.write(lines(7, 8));
  Journal next(other.path());
  next.resume(journal.cursor());
  CHECK(next.trouble().empty());
  CHECK(next.take_loss().find("has lost the entry") != std::string::npos);
  CHECK(next.take_loss().empty());
  CHECK(read_all(next, LineAge::Backlog).size() <= 2);
}

TEST_CASE("journal: one without a line of mail is said to be unreadable, and then read") {
  JournalFolder folder;
  folder.write({{"of others", "SYSLOG_FACILITY=3\n"}});
  Journal journal(folder.path());
  journal.begin_at_end();
  CHECK(journal.trouble().find("systemd-journal") != std::string::npos);
  folder.write(lines(1, 1));
  CHECK(read_all(journal) == expected(1, 1));
  CHECK(journal.trouble().empty());
}
