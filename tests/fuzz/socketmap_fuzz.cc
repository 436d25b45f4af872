// A whole socketmap connection with any bytes on it: one well-formed, printable reply for each
// well-formed request, in order, the same however the bytes were split; none for a malformed one.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "src/wire/netstring.h"
#include "tlsmap/grammar.h"
#include "tlsmap/session.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

// A verdict of every kind, chosen by the key alone, so that two runs agree.
class FakeOracle final : public model::Oracle {
 public:
  FakeOracle() {
    profile_.name = "fuzzed";
    profile_.min_protocol = model::TlsVersion::Tls12;
    profile_.servername = "hostname";
    profile_.connection_reuse = true;
    broken_.name = "broken";
    broken_.exclude = "a b";
  }

  model::Verdict verdict_for(const model::Question& question) override {
    unsigned sum = question.transport == model::Transport::TlsOnly ? 1U : 0U;
    for (const char c : question.key.text) sum = sum * 31 + static_cast<unsigned char>(c);
    model::Verdict verdict;
    key_ = question.key.text;
    verdict.row.destination = key_;
    switch (sum % 5) {
      case 0:
        return {};
      case 1:
        verdict.kind = model::Verdict::Kind::Unknown;
        verdict.reason = key_;
        return verdict;
      case 2:
        verdict.row.profile = &broken_;
        break;
      case 3:
        verdict.row.profile = &profile_;
        verdict.row.match = key_;
        break;
      case 4:
        verdict.row.profile = &profile_;
        break;
    }
    verdict.kind = model::Verdict::Kind::Policy;
    verdict.level = model::kLevels.at(sum / 5 % model::kLevels.size());
    return verdict;
  }

 private:
  model::Profile profile_;
  model::Profile broken_;
  std::string key_;
};

struct Outcome {
  std::string out;
  std::size_t consumed = 0;
  bool hang_up = false;
  bool operator==(const Outcome&) const = default;
};

// Offers the input as the shell does: what isn't consumed comes again, with `chunk` more bytes.
Outcome converse(std::string_view input, std::size_t chunk) {
  FakeOracle oracle;
  const tlsmap::Settings settings;
  tlsmap::Counters counters;
  tlsmap::Session session(oracle, settings, counters);
  Outcome all;
  for (std::size_t end = std::min(chunk, input.size());;) {
    std::string out;
    const auto step = session.receive(input.substr(all.consumed, end - all.consumed), out);
    all.out += out;
    all.consumed += step.consumed;
    require(all.consumed <= end);
    all.hang_up = step.hang_up;
    if (step.hang_up) return all;
    if (step.consumed > 0 && out.size() >= net::kMostUnreadReplies) continue;
    if (end == input.size()) return all;
    end = std::min(end + chunk, input.size());
  }
}

// The well-formed requests in front of the first malformed or unfinished one.
std::size_t count_requests(std::string_view input) {
  std::size_t count = 0;
  for (;; ++count) {
    const auto parsed =
        wire::parse_netstring(input, tlsmap::kLongestRequest - wire::kNetstringOverhead);
    const auto* frame = std::get_if<wire::Frame>(&parsed);
    if (frame == nullptr) return count;
    input.remove_prefix(frame->consumed);
  }
}

void check_reply(std::string_view reply) {
  for (const char c : reply) require(c >= ' ' && c <= '~');
  if (reply == "NOTFOUND ") return;
  const auto text = reply.substr(std::min(reply.find(' '), reply.size() - 1) + 1);
  require(!text.empty());
  if (reply.starts_with("OK ")) {
    // The newest version knows all that an older one does, and braces never leave.
    require(!tlsmap::find_objection(text, {3, 12, 0}));
    require(text.find('{') == text.npos);
    return;
  }
  require(reply.starts_with("TEMP ") || reply.starts_with("PERM unknown map name \""));
  require(text.size() <= 200);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto whole = converse(input, input.size() + 1);
  std::string_view replies = whole.out;
  for (auto left = count_requests(input); left > 0; --left) {
    const auto parsed = wire::parse_netstring(replies, 99'999);
    const auto* frame = std::get_if<wire::Frame>(&parsed);
    require(frame != nullptr);
    check_reply(frame->payload);
    replies.remove_prefix(frame->consumed);
  }
  require(replies.empty());
  if (size <= 2'000) require(converse(input, 1) == whole);
  require(converse(input, 7) == whole);
  return 0;
}
