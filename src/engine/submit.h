// Submitted mail: which rule of table `submission` holds for a sender, and what becomes of his
// mail. Pure: rules, what smtpd said and what is sure of a destination come in, a judgement goes
// out.
//
//   for a message                    rules asked, the first that has not expired decides
//   SASL user and sender             SASL user > address > domain > nearest .parent > *
//   no SASL user                     address > domain > nearest .parent > *
//   the null sender                  SASL user > *
//   no message: map sender-transport address > domain > nearest .parent > *
//
// The SASL user stands first because MAIL FROM is the client's own choice. `domain` does not cover
// what is below it, `.domain` covers that and not itself.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/clock.h"
#include "src/engine/assurance.h"
#include "src/model/sender_match.h"
#include "src/model/submission_rule.h"

namespace engine {

enum class SenderStep : std::uint8_t { SaslUser, Address, Domain, Parent, Any };
// "SASL user", "address", ...: how the precedence is shown.
[[nodiscard]] std::string_view to_word(SenderStep step);

struct Submitter {
  model::SenderKey sender;  // in normal form; empty for the null sender
  std::string sasl_user;    // in lower case; empty: none
};
// As Postfix tells them. A bounce is "" or "<>".
Submitter submitter_of(std::string_view sender, std::string_view sasl_user);

// Calls `visit(step, name)` for each step, strongest first, until it returns true.
template <class Visit>
bool walk_senders(const Submitter& submitter, Visit visit) {
  if (!submitter.sasl_user.empty() && visit(SenderStep::SaslUser, submitter.sasl_user)) return true;
  const std::string_view address = submitter.sender.address;
  const auto at = address.rfind('@');
  if (at != address.npos) {
    if (at > 0 && visit(SenderStep::Address, address)) return true;
    const auto domain = address.substr(at + 1);
    if (!domain.empty() && visit(SenderStep::Domain, domain)) return true;
    for (auto dot = domain.find('.'); dot != domain.npos; dot = domain.find('.', dot + 1)) {
      if (visit(SenderStep::Parent, domain.substr(dot))) return true;
    }
  }
  return visit(SenderStep::Any, std::string_view("*"));
}

// The rules by name.
class SubmissionBook {
 public:
  SubmissionBook() = default;
  // The rules outlive the book.
  explicit SubmissionBook(const std::vector<model::SubmissionRule>& rules);

  struct Found {
    const model::SubmissionRule* rule = nullptr;  // null: none holds
    SenderStep step = SenderStep::Any;
  };
  [[nodiscard]] Found find(const Submitter& submitter, base::sys_seconds now) const;

 private:
  std::map<std::string_view, const model::SubmissionRule*, std::less<>> rules_;
};

enum class Judgement : std::uint8_t {
  Met,        // what the rule demands holds
  WeakLink,   // the client's own connection is older than min_protocol
  NotSure,    // the recipient is not sure to be reached as the rule demands
  Unknown,    // whether he is can't be told now
  BrokenRule  // the rule can't be used
};

// `protocol`: OpenSSL's word for the client's connection, empty for plaintext. `recipient` is
// nothing where there is none to judge.
Judgement judge_submission(const model::SubmissionRule& rule, std::string_view protocol,
                           const std::optional<Assured>& recipient);

// What a mail of this sender is sent by: TLS alone, because a rule that is more than observed
// holds.
enum class SenderRoute : std::uint8_t { Usual, TlsOnly, Unknown };
[[nodiscard]] SenderRoute route_of(const SubmissionBook::Found& found);

}  // namespace engine
