// Which mail in a queue waits because of TLS, by destination. Pure: messages come in one by one,
// a sum comes out; knows no Postfix command, no row and no clock.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/model/cause.h"
#include "src/wire/queue_line.h"

namespace app::held {

// How long a queue keeps mail, in seconds (qmgr(8): maximal_queue_lifetime, and
// bounce_queue_lifetime for mail from the null sender).
struct Lifetimes {
  std::int64_t mail = 0;
  std::int64_t bounces = 0;
};

// A time as main.cf has it: "5d", "100", "3600s", the unit being days where none is given
// (postconf(5), both lifetimes). Nothing where it is none, or longer than a century.
std::optional<std::int64_t> parse_lifetime(std::string_view text);

// Why a delivery that waits failed, where TLS is the reason. Unlike evidence this looks behind
// "delivery temporarily suspended: " too, and knows the reason that map `outcome` writes itself.
std::optional<model::Cause> cause_of_delay(std::string_view reason);

// What stands behind the last '@' of an address, in the normal form of a row; empty where nothing
// does.
std::string destination_of(std::string_view address);

struct Destination {
  std::size_t messages = 0;
  std::size_t recipients = 0;
  std::int64_t oldest = 0;      // arrival of its oldest message
  std::int64_t bounces_at = 0;  // of the first message to be returned: with the attempt after this
  std::map<model::Cause, std::size_t> causes{};  // recipients by cause
  std::string reason{};                          // of its oldest message, as Postfix wrote it
  std::vector<std::string> ids{};                // in the order of the queue

  // The one of most recipients.
  [[nodiscard]] model::Cause main_cause() const;
};

// Adds up what waits under two names that turn out to be one: a message that waits under both is
// one message.
void merge(Destination& into, const Destination& from);

class Mail {
 public:
  // What the mail is told apart by: the recipient's domain or, where a table may send one recipient
  // elsewhere than his neighbour, the address in lower case. Once there are kMostDestinations of
  // them, what is new counts for its domain, of which there may be as many again.
  enum class By : std::uint8_t { Domain, Address };
  // Bounds of one queue; what is beyond them is counted by left_out().
  static constexpr std::size_t kMostDestinations = 100'000;
  static constexpr std::size_t kMostMessages = 1'000'000;
  static constexpr std::size_t kLongestReason = 500;

  explicit Mail(Lifetimes lifetimes, By by = By::Domain) : lifetimes_(lifetimes), by_(by) {}

  // False once no more messages are taken.
  bool add(const wire::QueuedMessage& message);

  [[nodiscard]] const std::map<std::string, Destination>& destinations() const { return found_; }
  [[nodiscard]] std::size_t looked_at() const { return looked_at_; }
  // Messages that wait because of TLS.
  [[nodiscard]] std::size_t messages() const { return messages_; }
  // Messages that failed by TLS and that an admin put on hold (postsuper -h): they wait for him.
  [[nodiscard]] std::size_t on_hold() const { return on_hold_; }
  [[nodiscard]] std::size_t left_out() const { return left_out_; }

 private:
  Destination* place_for(const std::string& address);

  Lifetimes lifetimes_;
  By by_;
  std::map<std::string, Destination> found_;
  std::size_t looked_at_ = 0;
  std::size_t messages_ = 0;
  std::size_t on_hold_ = 0;
  std::size_t left_out_ = 0;
};

}  // namespace app::held
