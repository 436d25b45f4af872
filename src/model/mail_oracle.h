// The seam between the policy delegation protocol (policyd) and whoever decides about incoming and
// submitted mail: what smtpd(8) said in, one ruling out. Data only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace model {

// What Postfix said of a client and a message [F 5.1, 5.2]. Absent is empty. Views live as long as
// the question.
struct MailFacts {
  // False before MAIL, and for VRFY, ETRN and states of a newer Postfix: the facts about TLS or the
  // sender aren't there yet [F 5.2.6].
  bool has_sender = false;
  bool is_end_of_message = false;
  std::string_view client_address;
  std::string_view client_name;  // "unknown" where it isn't verified
  std::string_view sender;       // empty: a bounce
  std::string_view recipient;    // empty at DATA and END-OF-MESSAGE of several [F 5.2.7]
  std::string_view instance;     // one value for all questions about one message
  std::string_view queue_id;
  std::string_view policy_context;
  std::string_view sasl_username;
  std::string_view protocol;  // OpenSSL's word: "TLSv1.3"; empty: plaintext
  std::uint32_t bits = 0;
  std::string_view ccert_subject;  // the CN; not empty only where the chain verified [F 5.2.2]
  std::string_view ccert_issuer;
  std::string_view ccert_fingerprint;  // of any certificate shown [F 5.2.3]
  std::string_view ccert_pubkey_fingerprint;
};

// True for mail that a user of ours hands in.
[[nodiscard]] inline bool is_submission(const MailFacts& facts) {
  return facts.policy_context.starts_with("submission") || !facts.sasl_username.empty();
}

// What smtpd is told. There is no "OK": it would skip the checks behind ours [F 5.3.6].
enum class Action : std::uint8_t {
  Pass,
  Reject,         // 550 5.7.10
  Defer,          // 450 4.7.10
  DeferIfPermit,  // 450 4.7.0, unless a check behind ours rejects
  Prepend,        // a header
  Hold,
  Warn,  // a line in Postfix's log
};

struct Ruling {
  Action action = Action::Pass;
  std::string text;
};

class MailOracle {
 public:
  virtual ~MailOracle() = default;
  // Answers from memory, at once.
  virtual Ruling ruling_for(const MailFacts& facts) = 0;
};

}  // namespace model
