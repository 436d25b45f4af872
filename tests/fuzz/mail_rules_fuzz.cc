// What an admin may write into the tables inbound and submission, and who comes in: any text as
// client, sender, pins, patterns and texts of rules.
//
// Laws: an address is what inet_pton(3) takes; what is read as a client or a sender has a normal
// form that reads as itself; of many rules the index finds those that the table of precedence
// names, read rule by rule, and judges as the rule itself would; a pattern without a star fits
// itself alone; whatever a peer says, an answer is text of ours around printable bytes.
#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "src/base/text.h"
#include "src/engine/admit.h"
#include "src/engine/inbound_book.h"
#include "src/engine/submit.h"
#include "src/model/client_match.h"
#include "src/model/inbound_rule.h"
#include "src/model/sender_match.h"

namespace {

constexpr base::sys_seconds kNow{std::chrono::seconds{1'800'000'000}};
constexpr std::size_t kMostRules = 64;

void require(bool law) {
  if (!law) std::abort();
}

// inet_pton(3) says what is an address.
void check_address(std::string_view text) {
  const std::string given(text);
  std::array<std::uint8_t, 16> bytes{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0};
  const bool is_ipv4 = inet_pton(AF_INET, given.c_str(), bytes.data() + 12) == 1;
  const bool is_ipv6 = !is_ipv4 && inet_pton(AF_INET6, given.c_str(), bytes.data()) == 1;
  const auto address = model::parse_address(text);
  if (given.find('\0') != given.npos) return require(!address);
  require(address.has_value() == (is_ipv4 || is_ipv6) && (!address || *address == bytes));
}

void check_client(std::string_view text) {
  const auto client = model::parse_client(text);
  if (!client) {
    require(!client.error().empty());
    return;
  }
  const auto normal = model::to_text(*client);
  const auto again = model::parse_client(normal);
  require(again && again->kind == client->kind && again->name == client->name);
  require(again->network == client->network && model::to_text(*again) == normal);
}

void check_sender(std::string_view text) {
  if (const auto sender = model::parse_sender(text)) {
    const auto again = model::parse_sender(sender->text);
    require(again && again->kind == sender->kind && again->text == sender->text);
  } else {
    require(!sender.error().empty());
  }
  const auto key = model::normalise_sender(text);
  require(model::normalise_sender(key.address).address == key.address);
}

// --- The table of precedence, read rule by rule.

// How specific a match is: the greater, the more; 0: none.
using Rank = std::tuple<int, std::size_t>;
constexpr Rank kNone{0, 0};

Rank rank_client(const std::string& written, const engine::Bringer& bringer) {
  const auto client = model::parse_client(written);
  require(client.ok());
  const auto& network = client->network;
  switch (client->kind) {
    case model::ClientMatch::Kind::Network:
      if (!bringer.address) return kNone;
      // An IPv4 address is in no network of IPv6.
      if (model::is_ipv4(*bringer.address) && network.prefix < model::kIpv4Bits) return kNone;
      for (unsigned bit = 0; bit < network.prefix; ++bit) {
        const auto mask = 0x80U >> (bit % 8);
        if (((bringer.address->at(bit / 8) ^ network.address.at(bit / 8)) & mask) != 0)
          return kNone;
      }
      return {3, network.prefix};
    case model::ClientMatch::Kind::Name:
      return bringer.name == client->name ? Rank{2, 0} : kNone;
    case model::ClientMatch::Kind::Suffix:
      return bringer.name.ends_with("." + client->name) ? Rank{1, client->name.size()} : kNone;
  }
  return kNone;
}

Rank rank_sender(const std::string& written, const engine::Bringer& bringer) {
  const auto& address = bringer.sender.address;
  if (written == "<>") return address.empty() ? Rank{1, 0} : kNone;
  const auto sender = model::parse_sender(written);
  require(sender.ok());
  const auto domain = bringer.sender.domain();
  switch (sender->kind) {
    case model::SenderMatch::Kind::Address:
      return address == sender->text ? Rank{3, 0} : kNone;
    case model::SenderMatch::Kind::Domain:
      return domain == sender->text ? Rank{2, 0} : kNone;
    case model::SenderMatch::Kind::Parent:
      return domain.ends_with(sender->text) ? Rank{1, sender->text.size()} : kNone;
  }
  return kNone;
}

struct Candidate {
  std::tuple<int, Rank, Rank> rank;
  const model::InboundRule* rule = nullptr;
};

std::vector<const model::InboundRule*> read_table(const std::vector<model::InboundRule>& rules,
                                                  const engine::Bringer& bringer) {
  std::vector<Candidate> all;
  for (const auto& rule : rules) {
    const auto client = rule.client.empty() ? kNone : rank_client(rule.client, bringer);
    const auto sender = rule.sender.empty() ? kNone : rank_sender(rule.sender, bringer);
    if (!rule.client.empty() && client == kNone) continue;
    if (!rule.sender.empty() && sender == kNone) continue;
    const int step = (rule.client.empty() ? 0 : 2) + (rule.sender.empty() ? 0 : 1);
    all.push_back({{step, client, sender}, &rule});
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Candidate& a, const Candidate& b) { return a.rank > b.rank; });
  std::vector<const model::InboundRule*> found;
  for (const auto& each : all) {
    found.push_back(each.rule);
    if (std::get<0>(each.rank) >= 2) break;
  }
  return found;
}

// Rules that can stand in one table: each readable, none for the same mail as one before it.
std::vector<model::InboundRule> usable(const std::vector<model::InboundRule>& written) {
  std::vector<model::InboundRule> rules;
  std::vector<std::string> seen;
  for (const auto& rule : written) {
    const auto client = model::parse_client(rule.client);
    const auto sender = model::parse_sender(rule.sender);
    if (!rule.client.empty() && !client) continue;
    if (!rule.sender.empty() && rule.sender != "<>" && !sender) continue;
    auto key = (client ? model::to_text(*client) : "") + '\n';
    key += sender ? sender->text : rule.sender;
    if (std::find(seen.begin(), seen.end(), key) != seen.end()) continue;
    seen.push_back(std::move(key));
    rules.push_back(rule);
  }
  return rules;
}

void check_ruling(const engine::Admission& admission, const model::MailFacts& facts) {
  const auto ruling = engine::ruling_of(admission, facts);
  if (admission.kind != engine::Admission::Kind::Violated) return;
  for (const char c : admission.shortfall.got) require(c >= ' ' && c <= '~');
  if (!admission.rule->text.empty()) return;
  for (const char c : ruling.text) require(c >= ' ' && c <= '~');
  require(ruling.text.size() < 1'000);
}

// What the rule itself says of the mail, read without the book's copy of its demand.
engine::Admission::Kind judge(const model::InboundRule& rule, const model::MailFacts& facts) {
  if (!rule.fault.empty()) return engine::Admission::Kind::Faulty;
  return engine::find_shortfall(rule, facts) ? engine::Admission::Kind::Violated
                                             : engine::Admission::Kind::Passed;
}

void check_rules(const std::vector<model::InboundRule>& written, const model::MailFacts& facts) {
  const auto rules = usable(written);
  const engine::InboundBook book(rules);
  require(book.size() == rules.size());
  const auto bringer = engine::make_bringer(facts);
  const auto expected = read_table(rules, bringer);
  auto [by_client, found] = book.find(bringer, kNow);
  require(!by_client || found.empty());
  if (by_client) found.push_back(*by_client);
  require(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) require(found[i].terms->rule == expected[i]);
  const auto admission = engine::admit(book, bringer, facts, kNow,
                                       [](const model::InboundDemand& /*demand*/) { return true; });
  require((admission.rule == nullptr) == found.empty());
  if (found.empty()) return;
  require(admission.kind == judge(*admission.rule, facts));
  require(*admission.demand == static_cast<const model::InboundDemand&>(*admission.rule));
  check_ruling(admission, facts);
}

void check_pattern(std::string_view pattern, std::string_view text) {
  require(engine::matches_pattern("*", text) && engine::matches_pattern(text, text));
  require(
      engine::matches_pattern("*" + std::string(text), std::string(pattern) + std::string(text)));
  if (pattern.find('*') != pattern.npos) return;
  require(engine::matches_pattern(pattern, text) == base::is_equal_ignoring_case(pattern, text));
}

void check_submission(const std::vector<std::string_view>& names, const model::MailFacts& facts) {
  std::vector<model::SubmissionRule> rules;
  for (const auto name : names) rules.emplace_back().sender = name;
  const engine::SubmissionBook book(rules);
  const auto submitter = engine::submitter_of(facts.sender, facts.sasl_username);
  const auto found = book.find(submitter, kNow);
  if (found.rule == nullptr) {
    require(std::find(names.begin(), names.end(), "*") == names.end());
    return;
  }
  const auto& name = found.rule->sender;
  require((name == "*") == (found.step == engine::SenderStep::Any));
  if (found.step == engine::SenderStep::SaslUser) require(name == submitter.sasl_user);
  if (found.step == engine::SenderStep::Address) require(name == submitter.sender.address);
  if (found.step == engine::SenderStep::Domain) require(name == submitter.sender.domain());
  if (found.step == engine::SenderStep::Parent) require(submitter.sender.domain().ends_with(name));
}

}  // namespace

// The first line is who comes in: "address|name|sender|subject|SASL user"; each other is a rule:
// "client|sender|name|pins|text".
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  std::vector<std::vector<std::string_view>> lines;
  std::string_view rest = input;
  while (!rest.empty() && lines.size() <= kMostRules) {
    const auto end = std::min(rest.find('\n'), rest.size());
    auto& fields = lines.emplace_back(5);
    auto line = rest.substr(0, end);
    for (auto& field : fields) {
      const auto bar = std::min(line.find('|'), line.size());
      field = line.substr(0, bar);
      line.remove_prefix(std::min(bar + 1, line.size()));
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (lines.empty()) return 0;
  model::MailFacts facts;
  facts.has_sender = true;
  facts.client_address = lines[0][0];
  facts.client_name = lines[0][1];
  facts.sender = lines[0][2];
  facts.ccert_subject = facts.ccert_issuer = facts.ccert_fingerprint = lines[0][3];
  facts.sasl_username = lines[0][4];
  facts.protocol = facts.sasl_username.empty() ? "" : "TLSv1.2";
  std::vector<model::InboundRule> rules;
  std::vector<std::string_view> names;
  for (const auto& line : lines) {
    check_address(line[0]);
    check_client(line[0]);
    check_sender(line[1]);
    check_pattern(line[2], facts.ccert_subject);
    names.push_back(line[1]);
    auto& rule = rules.emplace_back();
    rule.id = static_cast<std::int64_t>(rules.size());
    rule.client = line[0];
    rule.sender = line[1];
    rule.ccert_name = line[2];
    rule.ccert_fingerprint = line[3];
    rule.text = line[4];
    rule.require =
        line[2].empty() ? model::InboundRequire::Encrypt : model::InboundRequire::Certificate;
    rule.fault = model::find_fault(rule).value_or("");
  }
  check_rules(rules, facts);
  check_submission(names, facts);
  return 0;
}
