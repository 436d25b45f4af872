// explain --inbound: what smtpd would be told of a mail, without a connection and without a daemon.
#include <fmt/format.h>

#include "policyd/action.h"
#include "src/app/ctl_explain_state.h"
#include "src/app/ctl_inbound.h"
#include "src/app/ctl_table.h"
#include "src/app/ctl_time.h"
#include "src/base/text.h"
#include "src/engine/admit.h"
#include "src/store/state_db.h"

namespace app::ctl {
namespace {

constexpr std::string_view kKnownWords =
    "client (an address), name (its verified host name), sender, protocol (TLSv1.3; empty for "
    "plaintext), bits, subject, issuer, fingerprint";

std::string_view to_word(engine::Admission::Kind kind) {
  switch (kind) {
    case engine::Admission::Kind::NoRule:
      return "no rule";
    case engine::Admission::Kind::Passed:
      return "passes";
    case engine::Admission::Kind::Learning:
      return "passes while the rule learns";
    case engine::Admission::Kind::Violated:
      return "violates the rule";
    case engine::Admission::Kind::Faulty:
      return "the rule is at fault";
  }
  return "";
}

// In the words that smtpd would read.
std::string reply_of(const model::Ruling& ruling) {
  std::string answer;
  policyd::append_action(answer, ruling);
  const auto text = base::trim(answer);
  return std::string(text.substr(text.find('=') + 1));
}

// How many messages this sender is known to have sent over TLS; nothing where nobody remembers.
std::int64_t known_messages(const Context& context, const GivenFacts& given) {
  auto db = store::StateDb::open_read_only(context.config.state_db);
  if (!db) return 0;
  const auto bringer = engine::make_bringer(given.facts());
  const auto domain = bringer.sender_domain();
  const auto network = model::client_network_of(given.client);
  std::int64_t messages = 0;
  static_cast<void>(
      db->load_known(store::StateDb::kMostInbound, [&](const model::InboundKnown& known) {
        if (known.sender_domain == domain && known.network == network) messages = known.messages;
      }));
  return messages;
}

struct Explained {
  engine::Admission admission;
  std::string reply;
  const store::InboundRow* row = nullptr;
  std::int64_t known = 0;
  model::RowMode mode = model::RowMode::Enforce;  // of the daemon now
  std::string panic;                              // what to say of a panic
};

Json json_of(const Explained& found) {
  const auto& [admission, reply, row, known, mode, panic] = found;
  const auto text = [](const std::string& value) { return value.empty() ? Json() : Json(value); };
  return {{"outcome", to_word(admission.kind)},
          {"rule", row == nullptr ? Json() : to_json(*row)},
          {"step", row == nullptr ? Json() : Json(engine::to_word(admission.step))},
          {"required", text(admission.shortfall.required)},
          {"got", text(admission.shortfall.got)},
          {"known_messages", known},
          {"mode", model::to_word(mode)},
          {"action", reply}};
}

void print_as_text(const Explained& found) {
  const auto& [admission, reply, row, known, mode, panic] = found;
  Table table;
  table.add({"outcome", std::string(to_word(admission.kind))});
  if (row != nullptr) {
    table.add({"rule", fmt::format("{} ({}), client {}, sender {}", row->rule.id,
                                   engine::to_word(admission.step),
                                   row->rule.client.empty() ? "any" : row->rule.client,
                                   row->rule.sender.empty() ? "any" : row->rule.sender)});
    table.add({"requires", describe_requirement(row->rule)});
    if (!row->rule.fault.empty()) table.add({"fault", row->rule.fault});
    if (row->rule.learn_count != 0) {
      table.add({"learnt", fmt::format("{} of {} messages over TLS from this sender and network",
                                       known, row->rule.learn_count)});
    }
    if (row->owner) table.add({"owner", *row->owner});
    if (row->reason) table.add({"reason", *row->reason});
    if (row->rule.expires_at != 0) table.add({"until", iso_time_of(row->rule.expires_at)});
  }
  if (!admission.shortfall.required.empty()) {
    table.add({"required", admission.shortfall.required});
    table.add({"got", admission.shortfall.got});
  }
  table.add({"smtpd is told", reply});
  fmt::print(stdout, "{}", table.render());
  if (mode == model::RowMode::Observe) {
    say("The daemon's mode is observe: it says DUNNO and writes down what it would have said.");
  }
  if (!panic.empty()) say(panic);
}

}  // namespace

model::MailFacts GivenFacts::facts() const {
  model::MailFacts made;
  made.has_sender = true;
  made.client_address = client;
  made.client_name = name;
  made.sender = sender;
  made.protocol = protocol;
  made.bits = bits;
  made.ccert_subject = subject;
  made.ccert_issuer = issuer;
  made.ccert_fingerprint = fingerprint;
  return made;
}

base::Result<GivenFacts> parse_facts(const std::vector<std::string>& words) {
  GivenFacts given;
  for (const auto& word : words) {
    const auto equals = word.find('=');
    const auto name = word.substr(0, equals);
    const auto value = equals == word.npos ? std::string() : word.substr(equals + 1);
    bool is_good = equals != word.npos;
    if (name == "client") {
      // A name alone is what Postfix would have verified.
      (model::parse_address(value) ? given.client : given.name) = value;
    } else if (name == "name") {
      given.name = value;
    } else if (name == "sender") {
      given.sender = value == "<>" ? "" : value;
    } else if (name == "protocol") {
      given.protocol = value == "none" || value == "plaintext" ? "" : value;
    } else if (name == "subject") {
      given.subject = value;
    } else if (name == "issuer") {
      given.issuer = value;
    } else if (name == "fingerprint") {
      given.fingerprint = value;
    } else if (name == "bits") {
      const auto bits = base::parse_number<std::uint32_t>(value);
      is_good = bits.has_value();
      given.bits = bits.value_or(0);
    } else {
      is_good = false;
    }
    if (!is_good) {
      return base::Error{
          fmt::format("--inbound: \"{}\" is not understood; known are WORD=VALUE of {}",
                      terminal_text(word), kKnownWords)};
    }
  }
  if (given.client.empty() && given.name.empty()) {
    return base::Error{"--inbound: client=ADDRESS is missing"};
  }
  return given;
}

Exit explain_inbound(const Context& context, const Arguments& arguments) {
  const auto given = parse_facts(arguments.facts);
  if (!given) return refuse_usage(given.error());
  auto db = open_policy_db(context, store::PolicyDb::Access::ReadOnly);
  if (!db) return fail(db.error());
  const auto rows = db->list_inbound();
  if (!rows) return fail(plain_sentence(rows.error()));
  std::vector<model::InboundRule> rules;
  for (const auto& row : *rows) rules.push_back(row.rule);
  const KnownStates states(context);
  Explained found;
  found.mode = states.mode();
  found.panic = states.panic_note();
  found.known = known_messages(context, *given);
  const auto facts = given->facts();
  const engine::InboundBook book(rules);
  found.admission = engine::admit(
      book, engine::make_bringer(facts), facts, states.wall(),
      [&found](const model::InboundDemand& demand) { return found.known >= demand.learn_count; });
  found.reply = reply_of(engine::ruling_of(found.admission, facts));
  for (const auto& row : *rows) {
    if (found.admission.rule != nullptr && found.admission.rule->id == row.rule.id) {
      found.row = &row;
    }
  }
  if (context.is_json) {
    print_json(json_of(found));
  } else {
    print_as_text(found);
  }
  return Exit::Done;
}

}  // namespace app::ctl
