// What the verbs about incoming mail share: rows as data and as cells, facts from a command line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/app/ctl_verbs.h"
#include "src/model/mail_oracle.h"
#include "src/store/policy_db.h"

namespace app::ctl {

Json to_json(const store::InboundRow& row);
// "encrypt, TLSv1.2 or newer, 128 bits": all that a rule asks for.
std::string describe_requirement(const model::InboundRule& rule);

// What smtpd would say, as an admin writes it: "client=192.0.2.1", "sender=u@partner.example".
struct GivenFacts {
  std::string client;
  std::string name;
  std::string sender;
  std::string protocol;
  std::string subject;
  std::string issuer;
  std::string fingerprint;
  std::uint32_t bits = 0;

  // Views of this object.
  [[nodiscard]] model::MailFacts facts() const;
};
// The error says which words are known.
base::Result<GivenFacts> parse_facts(const std::vector<std::string>& words);

// decisions --inbound and explain --inbound.
Exit print_inbound_decisions(const Context& context, std::int64_t since);
Exit explain_inbound(const Context& context, const Arguments& arguments);

}  // namespace app::ctl
