#include "src/wire/smtp_reply.h"

#include <algorithm>
#include <utility>

#include "src/base/text.h"

namespace wire {
namespace {

constexpr std::size_t kCodeLength = 3;
// Shorter words of X's may be extensions.
constexpr std::size_t kShortestCrossedOut = 4;

// Postfix takes a code of any three digits; RFC 5321 4.2 has 2 to 5 first, and so have we: no other
// means anything.
std::optional<int> parse_code(std::string_view line) {
  if (line.size() < kCodeLength || line[0] < '2' || line[0] > '5') return std::nullopt;
  return base::parse_number<int>(line.substr(0, kCodeLength));
}

bool is_crossed_out(std::string_view keyword) {
  if (keyword.size() < kShortestCrossedOut || keyword.back() < 'A' || keyword.back() > 'Z') {
    return false;
  }
  return keyword.find_first_not_of('X') >= keyword.size() - 1;
}

}  // namespace

std::string_view to_words(ReplyFault fault) {
  switch (fault) {
    case ReplyFault::LineTooLong:
      return "has a line of more than 2048 bytes";
    case ReplyFault::TooManyLines:
      return "has more than 100 lines";
    case ReplyFault::TooMuch:
      return "goes beyond 64 KiB for the whole conversation";
    case ReplyFault::NotAReply:
      return "does not begin with a reply code";
    case ReplyFault::CodeChanges:
      return "changes its code from line to line";
  }
  return "";
}

std::size_t ReplyReader::feed(std::string_view bytes) {
  std::size_t taken = 0;
  while (taken < bytes.size() && !is_complete_ && !fault_) {
    const char c = bytes[taken++];
    if (++seen_ > kLargestReplyStream) {
      fault_ = ReplyFault::TooMuch;
    } else if (c == '\n') {
      end_line();
    } else if (line_.size() > kLongestReplyLine ||
               (line_.size() == kLongestReplyLine && c != '\r')) {
      fault_ = ReplyFault::LineTooLong;
    } else {
      line_ += c;
    }
  }
  return taken;
}

void ReplyReader::end_line() {
  std::string_view line = line_;
  if (line.ends_with('\r')) {
    line.remove_suffix(1);
  } else {
    reply_.has_bare_lf = true;
  }
  take_line(line);
  line_.clear();
}

void ReplyReader::take_line(std::string_view line) {
  const auto code = parse_code(line);
  const char next = line.size() > kCodeLength ? line[kCodeLength] : ' ';
  if (!code || (next != '-' && next != ' ')) {
    fault_ = ReplyFault::NotAReply;
  } else if (has_lines() && *code != reply_.code) {
    fault_ = ReplyFault::CodeChanges;
  } else if (reply_.lines.size() == kMostReplyLines) {
    fault_ = ReplyFault::TooManyLines;
  } else {
    reply_.code = *code;
    reply_.lines.emplace_back(line.substr(std::min(line.size(), kCodeLength + 1)));
    is_complete_ = next != '-';
  }
}

SmtpReply ReplyReader::take() {
  is_complete_ = false;
  return std::exchange(reply_, {});
}

Capabilities parse_capabilities(const SmtpReply& reply) {
  Capabilities found;
  for (std::size_t i = 1; i < reply.lines.size(); ++i) {
    const auto words = base::split(reply.lines[i], " \t");
    if (words.empty()) continue;
    // smtp(8) compares without regard to case (smtp/smtp_proto.c, smtp_helo()).
    if (base::is_equal_ignoring_case(words.front(), "STARTTLS")) found.has_starttls = true;
    if (is_crossed_out(words.front())) found.is_crossed_out = true;
    found.lines.push_back(reply.lines[i]);
  }
  return found;
}

}  // namespace wire
