// Policy delegation with any bytes: each strict prefix of a request waits, a bad one is named for
// good, the order of its lines changes nothing, and a session answers each request once however it
// is split.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "policyd/attributes.h"
#include "policyd/session.h"
#include "src/base/text.h"

namespace {

class PassesAll final : public model::MailOracle {
 public:
  model::Ruling ruling_for(const model::MailFacts& /*facts*/) override { return {}; }
};

using policyd::Complete;
using policyd::Malformed;
using policyd::NeedMore;
using policyd::parse_request;

constexpr std::string_view kReply = "action=DUNNO\n\n";

void require(bool holds) {
  if (!holds) std::abort();
}

void check_prefixes(std::string_view input) {
  const auto whole = parse_request(input);
  const auto* complete = std::get_if<Complete>(&whole);
  for (std::size_t length = 0; length < input.size(); ++length) {
    const auto part = parse_request(input.substr(0, length));
    if (std::holds_alternative<Complete>(part)) {
      require(complete != nullptr && std::get<Complete>(part).consumed == complete->consumed);
    } else if (std::holds_alternative<Malformed>(part)) {
      require(std::holds_alternative<Malformed>(whole));
    } else {
      require(complete == nullptr || length < complete->consumed);
    }
  }
}

void check_order(std::string_view input) {
  const auto parsed = parse_request(input);
  const auto* complete = std::get_if<Complete>(&parsed);
  if (complete == nullptr) return;
  auto lines = base::split(input.substr(0, complete->consumed), "\n");
  std::string reversed;
  std::reverse(lines.begin(), lines.end());
  for (const auto line : lines) {
    reversed += line;
    reversed += '\n';
  }
  reversed += '\n';
  const auto again = parse_request(reversed);
  const auto* other = std::get_if<Complete>(&again);
  if (other == nullptr) std::abort();
  require(other->consumed == complete->consumed);
  const auto& a = complete->request;
  const auto& b = other->request;
  require(a.state == b.state && a.sender == b.sender && a.recipient == b.recipient);
  require(a.client_address == b.client_address && a.sasl_username == b.sasl_username);
  require(a.encryption_protocol == b.encryption_protocol && a.size == b.size);
  require(a.encryption_keysize == b.encryption_keysize && a.ccert_subject == b.ccert_subject);
  require(a.ccert_subject.find('\0') == a.ccert_subject.npos);
}

// Says back what the peer said, as the text of a rule would.
class Echo final : public model::MailOracle {
 public:
  model::Ruling ruling_for(const model::MailFacts& facts) override {
    return {model::Action::Reject, std::string(facts.sender) + std::string(facts.ccert_subject)};
  }
};

// Whatever stands in the attributes, each answer is one line of ours and an empty one.
void check_replies(std::string_view input) {
  policyd::Counters counters;
  Echo oracle;
  policyd::Session session(oracle, counters);
  std::string out;
  session.receive(input, out);
  std::size_t answers = 0;
  for (std::size_t at = 0; at < out.size(); ++answers) {
    const auto end = out.find("\n\n", at);
    require(end != out.npos);
    const auto line = std::string_view(out).substr(at, end - at);
    require(line.starts_with("action=550 5.7.10") && line.size() < 450);
    for (const char c : line) require(c >= ' ' && c <= '~');
    at = end + 2;
  }
  require(answers == counters.answers);
}

struct Outcome {
  std::string out;
  std::size_t consumed = 0;
  bool hang_up = false;
  bool operator==(const Outcome&) const = default;
};

Outcome converse(std::string_view input, std::size_t chunk) {
  policyd::Counters counters;
  PassesAll oracle;
  policyd::Session session(oracle, counters);
  Outcome all;
  for (std::size_t end = std::min(chunk, input.size());;) {
    std::string out;
    const auto step = session.receive(input.substr(all.consumed, end - all.consumed), out);
    all.out += out;
    all.consumed += step.consumed;
    all.hang_up = step.hang_up;
    if (step.hang_up) break;
    if (step.consumed > 0 && out.size() >= net::kMostUnreadReplies) continue;
    if (end == input.size()) break;
    end = std::min(end + chunk, input.size());
  }
  require(all.out.size() == counters.answers * kReply.size());
  require(counters.malformed == (all.hang_up ? 1U : 0U));
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto whole = converse(input, input.size() + 1);
  check_order(input);
  require(converse(input, 11) == whole);
  check_replies(input);
  if (size > 400) return 0;
  check_prefixes(input);
  require(converse(input, 1) == whole);
  return 0;
}
