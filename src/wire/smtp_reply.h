// Replies of an SMTP server (RFC 5321 4.2) out of bytes that arrive in any pieces, and what its
// reply to EHLO offers. No I/O and no opinion: what a code means for a conversation is the
// caller's business.
//
// A line feed ends a line, with or without a carriage return before it, as smtp(8) reads it
// (global/smtp_stream.c); a reply with a bare one says so. Any other byte is text: it is the
// peer's, and is filtered where it is shown.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wire {

// [R 2]. A line is counted without its end, the stream with everything.
inline constexpr std::size_t kLongestReplyLine = 2048;
inline constexpr std::size_t kMostReplyLines = 100;
inline constexpr std::size_t kLargestReplyStream = 64 * 1024;

struct SmtpReply {
  int code = 0;                    // 200 to 599
  std::vector<std::string> lines;  // behind code and '-' or blank; at least one
  bool has_bare_lf = false;
  bool operator==(const SmtpReply&) const = default;
};

enum class ReplyFault : std::uint8_t {
  LineTooLong,
  TooManyLines,
  TooMuch,      // all replies of one stream together
  NotAReply,    // no three digits, 2 to 5 first, with '-', a blank or nothing behind them
  CodeChanges,  // RFC 5321 4.2.1: all lines of a reply have the same code
};
// What is wrong with the peer, to stand behind "the reply ".
std::string_view to_words(ReplyFault fault);

// Reads one stream. Holds at most one line and one reply, and at most kLargestReplyStream of them.
class ReplyReader {
 public:
  // Takes the bytes up to and with the end of one reply; says how many. Takes none while a reply
  // waits to be taken, and none after a fault, which is for good.
  std::size_t feed(std::string_view bytes);

  [[nodiscard]] bool is_complete() const { return is_complete_; }
  [[nodiscard]] std::optional<ReplyFault> fault() const { return fault_; }
  // True where some bytes of a reply are there, and not all.
  [[nodiscard]] bool is_inside() const { return !is_complete_ && (!line_.empty() || has_lines()); }
  // Only where is_complete(); the next reply starts with the next byte.
  SmtpReply take();

 private:
  [[nodiscard]] bool has_lines() const { return !reply_.lines.empty(); }
  void end_line();
  void take_line(std::string_view line);

  std::string line_;  // the one that is not over yet
  SmtpReply reply_;
  std::size_t seen_ = 0;
  bool is_complete_ = false;
  std::optional<ReplyFault> fault_;
};

// What stands in a reply to EHLO, its first line aside (RFC 5321 4.1.1.1).
struct Capabilities {
  std::vector<std::string> lines;  // keyword and parameters, as sent
  bool has_starttls = false;       // RFC 3207 2
  // A keyword of X's, or with one other letter at its end: what a firewall makes of STARTTLS.
  bool is_crossed_out = false;
};
Capabilities parse_capabilities(const SmtpReply& reply);

}  // namespace wire
