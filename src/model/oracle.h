// The seam between the protocols (tlsmap, policyd) and whoever knows the answer.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "src/model/next_hop.h"
#include "src/model/verdict.h"

namespace model {

// For whom the answer is: the usual transport, or one that the admin set up for TLS alone, where
// none, may and dane become encrypt.
enum class Transport : std::uint8_t { Usual, TlsOnly };

struct Question {
  const Key& key;
  // Keeps evidence and state of several Postfix instances apart; empty for the usual one.
  std::string_view view = {};
  Transport transport = Transport::Usual;
};

// By what a sender's mail goes.
struct SenderAnswer {
  enum class Kind : std::uint8_t {
    Usual,    // main.cf decides
    TlsOnly,  // a rule of table submission says so
    Unknown,  // the rule can't be used, or none is loaded: the mail must not go in clear for that
  };
  Kind kind = Kind::Usual;
  std::string_view reason;  // of Unknown: one sentence
};

// Where the answer to a question that is still to be asked is looked for; nothing but its oracle
// reads it.
using Whereabouts = std::array<std::uint32_t, 2>;

class Oracle {
 public:
  virtual ~Oracle() = default;
  // A question about `key`, as Postfix wrote it, is likely to follow in some microseconds: fetches
  // memory, changes nothing. Nothing where that isn't worth while. The second step reads what the
  // first one fetched.
  virtual std::optional<Whereabouts> look_ahead(std::string_view /*key*/) const {
    return std::nullopt;
  }
  virtual void look_further(const Whereabouts& /*where*/) const {}
  // Answers from memory, at once. The verdict's views hold until the next call.
  virtual Verdict verdict_for(const Question& question) = 0;
  // The transport that mail to the destination is handed to now, because TLS is not to be had;
  // nothing nearly always. The view holds until the next call.
  virtual std::optional<std::string_view> reroute_for(const Question& /*question*/) {
    return std::nullopt;
  }
  // `sender`: an address, "@domain", or "<>". The view holds until the next call.
  virtual SenderAnswer route_for_sender(std::string_view /*sender*/) { return {}; }
};

}  // namespace model
