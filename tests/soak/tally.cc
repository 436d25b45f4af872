#include "tests/soak/tally.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <string>

namespace soak {
namespace {

constexpr std::uint64_t kMostComplaints = 100;
constexpr std::size_t kLongestReply = 200;

// For a JSON string: nothing that would have to be escaped.
std::string plain(std::string_view text) {
  std::string result(text.substr(0, kLongestReply));
  std::replace_if(
      result.begin(), result.end(),
      [](char c) { return c < ' ' || c > '~' || c == '"' || c == '\\'; }, '?');
  return result;
}

double milliseconds(std::uint64_t nanoseconds) {
  return static_cast<double>(nanoseconds) / 1e6;
}

}  // namespace

void Tally::note_answer(std::size_t question, std::string_view reply, Answers allowed,
                        Clock::duration took) {
  times_.record(static_cast<std::uint64_t>(std::max<std::int64_t>(took.count(), 0)));
  const Answers answer = board_.find(reply);
  if ((answer & allowed) != 0) {
    ++right_;
  } else if (reply.starts_with("TEMP ")) {
    note_deferred(question, reply);
  } else if (answer != 0 && answer < (allowed & -allowed)) {
    ++weaker_;
    complain("weaker", question, reply, allowed);
  } else {
    ++other_;
    complain("wrong", question, reply, allowed);
  }
}

void Tally::note_deferred(std::size_t question, std::string_view why) {
  ++deferred_;
  complain("deferred", question, why, board_.allowed(question));
}

void Tally::note_late(std::size_t question, Clock::duration waited) {
  ++late_;
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(waited).count();
  complain("late", question, fmt::format("nothing for {} ms", ms), board_.allowed(question));
}

void Tally::complain(std::string_view kind, std::size_t question, std::string_view reply,
                     Answers allowed) {
  if (++complaints_ > kMostComplaints) return;
  fmt::print(
      "{{\"complaint\": \"{}\", \"question\": \"{}\", \"reply\": \"{}\", \"allowed\": \"{}\"}}\n",
      kind, plain(board_.question(question)), plain(reply), board_.describe(allowed));
  std::fflush(stdout);
}

void Tally::print(bool is_last) const {
  fmt::print(
      "{{\"is_last\": {}, \"lookups\": {}, \"right\": {}, \"weaker\": {}, \"wrong\": {}, "
      "\"deferred\": {}, \"late\": {}, \"retried\": {}, \"p50_ms\": {:.3f}, \"p99_ms\": {:.3f}, "
      "\"p999_ms\": {:.3f}, "
      "\"slowest_ms\": {:.1f}}}\n",
      is_last, right_ + weaker_ + other_ + deferred_ + late_, right_, weaker_, other_, deferred_,
      late_, retried_, milliseconds(times_.quantile(0.5)), milliseconds(times_.quantile(0.99)),
      milliseconds(times_.quantile(0.999)), milliseconds(times_.largest()));
  std::fflush(stdout);
}

}  // namespace soak
