// can-receive-tls: whether mail to an address is sure to go by TLS, for panels that set up
// forwards.
#include "src/app/ctl_assurance.h"

#include <fmt/format.h>

#include "src/base/text.h"
#include "src/engine/judge.h"

namespace app::ctl {
namespace {

using engine::Assurance;
using Kind = model::Verdict::Kind;

// RFC 5321 4.5.3.1.1 and 4.5.3.1.2 have 64, '@' and 255; internationalised names are longer.
constexpr std::size_t kLongestAddress = 1'000;

base::Result<std::string_view> domain_of(const std::string& address) {
  const auto at = address.rfind('@');
  const auto domain = std::string_view(address).substr(at == std::string::npos ? 0 : at + 1);
  if (domain.empty() || address.size() > kLongestAddress) {
    return base::Error{fmt::format(
        "ADDRESS must be user@example.com or example.com, {} bytes at most", kLongestAddress)};
  }
  return domain;
}

std::string sentence_of(const std::string& address, const DestinationAssurance& found,
                        Assurance required) {
  const bool is_unknown = found.assurance == Assurance::Unknown;
  const std::string answer = is_unknown                             ? "can't be told now"
                             : is_enough(found.assurance, required) ? "yes"
                                                                    : "no";
  const auto row = found.row.empty() ? std::string() : fmt::format(" (row {})", found.row);
  return fmt::format("{}: {}, {} asked: {}{}", address, answer, engine::to_word(required),
                     found.why, row);
}

Json to_json(const std::string& address, const DestinationAssurance& found, Assurance required) {
  const bool is_unknown = found.assurance == Assurance::Unknown;
  return {{"address", address},
          {"destination", found.destination},
          {"require", engine::to_word(required)},
          {"can_receive", is_unknown ? Json(nullptr) : Json(is_enough(found.assurance, required))},
          {"assured", engine::to_word(found.assurance)},
          {"level", found.level ? Json(model::to_word(*found.level)) : Json(nullptr)},
          {"row", found.row.empty() ? Json(nullptr) : Json(found.row)},
          {"why", found.why}};
}

Exit run_can_receive(const Context& context, const Arguments& arguments) {
  const auto required = parse_requirement(arguments.require);
  if (!required) return refuse_usage(required.error());
  const auto domain = domain_of(arguments.address);
  if (!domain) return refuse_usage(domain.error());
  auto db = open_policy_db(context, store::PolicyDb::Access::ReadOnly);
  if (!db) return fail(db.error());
  Assessor assessor(context, *db);
  const auto found = assessor.assess(*domain);
  if (!found) return fail(fmt::format("{}: {}", arguments.address, found.error()));
  if (found->assurance == Assurance::Unknown) {
    return fail(terminal_text(sentence_of(arguments.address, *found, *required)));
  }
  if (context.is_json) {
    print_json(to_json(arguments.address, *found, *required));
  } else {
    say(terminal_text(sentence_of(arguments.address, *found, *required)));
  }
  return is_enough(found->assurance, *required) ? Exit::Done : Exit::NotWell;
}

}  // namespace

Assessor::Assessor(const Context& context, store::PolicyDb& db) : rows_(db), states_(context) {
  warn_of_trouble();
  if (const auto note = states_.clock_note(); !note.empty()) warn(note);
  if (const auto note = states_.panic_note(); !note.empty()) warn(note);
}

void Assessor::warn_of_trouble() {
  if (has_warned_ || states_.trouble().empty()) return;
  has_warned_ = true;
  warn(fmt::format("what was learned of destinations can't be read: {}",
                   plain_sentence(states_.trouble())));
}

base::Result<DestinationAssurance> Assessor::assess(std::string_view domain) {
  const auto key = model::normalise_key(domain);
  if (const auto known = known_.find(key.text); known != known_.end()) return known->second;
  const model::Question question{key, {}, model::Transport::Usual};
  auto verdict = engine::judge(rows_, question, states_.mode(), states_.wall());
  if (!rows_.trouble().empty()) return base::Error{plain_sentence(rows_.trouble())};
  DestinationAssurance found;
  found.destination = key.text;
  if (verdict.kind == Kind::Policy) {
    const auto rules = engine::rules_of(verdict.row, verdict.step, key.kind);
    if (engine::depends_on_state(rules)) {
      const auto state = states_.find(key.text);
      const auto held =
          engine::level_for(rules, state ? &*state : nullptr, states_.now(), states_.memory());
      warn_of_trouble();
      engine::hold_level(verdict, held, question.transport);
    }
    found.level = verdict.level;
  }
  if (verdict.kind != Kind::NotFound) found.row = verdict.row.destination;
  const auto assured = engine::assure(verdict);
  found.assurance = assured.assurance;
  found.why = assured.why;
  if (verdict.kind == Kind::NotFound && states_.mode() == model::RowMode::Observe) {
    found.why = "the daemon is in mode observe, so no rule is in force";
  }
  return known_.emplace(key.text, std::move(found)).first->second;
}

base::Result<Assurance> parse_requirement(const std::string& word) {
  if (word.empty() || word == "encrypt") return Assurance::Encrypted;
  if (word == "verify") return Assurance::Verified;
  return base::Error{
      fmt::format("--require: \"{}\" is not allowed; allowed is encrypt or verify", word)};
}

bool is_enough(Assurance assured, Assurance required) {
  return assured == Assurance::Verified || assured == required;
}

void add_require_option(const Verb& verb, CommandLine& line) {
  verb.add_option("--require", line.arguments.require,
                  "encrypt (TLS, or the mail waits), or verify (with a certificate that fits)")
      .type_name("WHAT")
      .shows_default("encrypt");
}

void add_can_receive_verb(const Verb& root, CommandLine& line) {
  const Verb verb =
      add_verb(root, line, "can-receive-tls", "Say whether mail to an address is sure to go by TLS",
               run_can_receive);
  verb.group(kAskingGroup);
  verb.add_option("ADDRESS", line.arguments.address, "user@example.com, or example.com").required();
  add_require_option(verb, line);
}

}  // namespace app::ctl
