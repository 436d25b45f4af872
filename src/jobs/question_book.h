// What each smtp(8) process asked about last, by its process id on the unix socket: a log line
// names the process but never the next-hop [F 3.7.4], so this is where the two meet.
//
// Bounded: the process that was silent for longest is forgotten first. Time comes in as a value.
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace jobs {

class QuestionBook {
 public:
  static constexpr std::size_t kMostProcesses = 4096;
  // Questions kept of one process: those of the second of a log line, and the one before.
  static constexpr std::size_t kKept = 8;

  struct Question {
    std::int64_t at = 0;  // seconds since the epoch
    std::string view;
    std::string key;
  };

  void asked(std::int64_t pid, std::string_view view, std::string_view key, std::int64_t at);

  struct Answer {
    bool is_known = false;             // the process asked before `at`
    std::optional<Question> question;  // nothing: about several, and nobody can say which
  };
  // What the process delivered to when it wrote a line at `at`. A stamp has no fractions: where it
  // asked about several names up to that second, it is the one that equals `likely`, if any.
  [[nodiscard]] Answer find(std::int64_t pid, std::int64_t at, std::string_view likely) const;

 private:
  struct Process {
    std::int64_t pid = 0;
    std::array<Question, kKept> questions;  // a ring; the newest is before `next`
    std::size_t next = 0;
    std::size_t count = 0;
  };
  [[nodiscard]] static const Question& nth_newest(const Process& process, std::size_t n);

  std::list<Process> recent_;  // asked last first
  std::unordered_map<std::int64_t, std::list<Process>::iterator> known_;
};

}  // namespace jobs
