// The rules of `inbound`, indexed: a look per prefix length and per suffix, never a scan.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "src/base/clock.h"
#include "src/engine/inbound_precedence.h"
#include "src/engine/network_index.h"
#include "src/model/client_match.h"
#include "src/model/inbound_rule.h"
#include "src/model/mail_oracle.h"
#include "src/model/sender_match.h"

namespace engine {

// Who brings a mail, in normal form.
struct Bringer {
  std::optional<model::AddressBytes> address;
  std::string name;  // verified, in lower case; else empty
  model::SenderKey sender;

  // "<>" for a bounce; an address without a domain as it stands.
  [[nodiscard]] std::string_view sender_domain() const {
    if (sender.address.empty()) return "<>";
    const auto domain = sender.domain();
    return domain.empty() ? std::string_view(sender.address) : domain;
  }
};
Bringer make_bringer(const model::MailFacts& facts);
// The same into one that is there already, whose memory it reuses.
void make_bringer(const model::MailFacts& facts, Bringer& bringer);

// A rule as the book keeps it, with its own copy of the demand: mail that satisfies it costs no
// look at the rule, which lies far away where there are thousands.
struct InboundTerms {
  const model::InboundRule* rule = nullptr;
  model::InboundDemand demand;
  bool is_all = false;  // model::is_demand_alone(*rule)
};

struct InboundMatch {
  const InboundTerms* terms = nullptr;
  InboundStep step = InboundStep::Any;
};

// The rule that holds, alone, where it matches by client; else every rule that does by its sender
// and the one for any mail, in order of precedence.
struct InboundMatches {
  std::optional<InboundMatch> by_client;
  std::vector<InboundMatch> others;
};

class InboundBook {
 public:
  InboundBook() = default;
  // The rules outlive the book. One whose client or sender can't be read is left out, but for a
  // network with host bits, which is found for all of it; one with another fault is found like any.
  explicit InboundBook(std::span<const model::InboundRule> rules);

  // A question of the address's owner is about to follow: fetches the places of its networks.
  void look_ahead(const model::AddressBytes& address) const { networks_.look_ahead(address); }
  [[nodiscard]] InboundMatches find(const Bringer& bringer, base::sys_seconds now) const;
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  template <class T>
  using ByText = std::unordered_map<std::string, T, TextHash, std::equal_to<>>;
  // The rules of one client: by sender, and the one for any sender. Small, as there may be many and
  // few of them know senders.
  struct Group {
    std::unique_ptr<ByText<InboundTerms>> senders;
    InboundTerms any;
  };

  void add(const model::InboundRule& rule);
  // Calls `visit` with each group whose client matches, most specific first, until it says true.
  template <class Visit>
  void walk_clients(const Bringer& bringer, const Visit& visit) const;
  // The same with the rules of one group whose sender matches.
  template <class Visit>
  static bool walk_senders(const Group& group, const model::SenderKey& sender, const Visit& visit);

  NetworkIndex<Group> networks_;
  ByText<Group> names_;
  ByText<Group> suffixes_;
  Group any_client_;
  std::size_t size_ = 0;
};

}  // namespace engine
