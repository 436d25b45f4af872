// inbound list, add and remove: the rules for incoming mail.
#include "src/app/ctl_inbound.h"

#include <fmt/format.h>

#include "src/app/ctl_table.h"
#include "src/app/ctl_time.h"
#include "src/base/text.h"
#include "src/model/client_match.h"
#include "src/model/sender_match.h"

namespace app::ctl {
namespace {

using store::InboundRow;
using store::PolicyDb;

Json text_or_null(std::string_view text) {
  return text.empty() ? Json() : Json(std::string(text));
}

Json number_or_null(std::int64_t number) {
  return number == 0 ? Json() : Json(number);
}

std::string or_dash(std::string_view text, std::string_view dash = "-") {
  return std::string(text.empty() ? dash : text);
}

std::optional<std::string> given(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

template <class T>
base::Result<void> read_word(const std::string& word, std::string_view option,
                             std::optional<T> (*parse)(std::string_view), std::string_view allowed,
                             T& value) {
  if (word.empty()) return {};
  const auto parsed = parse(word);
  if (!parsed) {
    return base::Error{
        fmt::format("{}: \"{}\" is not allowed; allowed is {}", option, word, allowed)};
  }
  value = *parsed;
  return {};
}

base::Result<void> read_match(const Arguments& arguments, model::InboundRule& rule) {
  if (!arguments.client.empty()) {
    const auto client = model::parse_client(arguments.client);
    if (!client) return base::Error{client.error()};
    rule.client = model::to_text(*client);
  }
  if (!arguments.sender.empty()) {
    rule.sender = arguments.sender;
    if (rule.sender == "<>") return {};
    const auto sender = model::parse_sender(arguments.sender);
    if (!sender) return base::Error{sender.error()};
    rule.sender = sender->text;
  }
  return {};
}

// The row that the arguments ask for, in normal form; the error is one of usage.
base::Result<InboundRow> row_from(const Context& context, const Arguments& arguments) {
  InboundRow row;
  auto& rule = row.rule;
  if (auto read = read_match(arguments, rule); !read) return base::Error{read.error()};
  model::TlsVersion version{};
  for (const auto& read :
       {read_word(arguments.require, "--require", &model::parse_inbound_require,
                  "none, encrypt or certificate", rule.require),
        read_word(arguments.on_violation, "--on-violation", &model::parse_on_violation,
                  "reject, defer, tag or observe", rule.on_violation),
        read_word(arguments.min_protocol, "--min-protocol", &model::parse_tls_version,
                  "TLSv1, TLSv1.1, TLSv1.2 or TLSv1.3", version)}) {
    if (!read) return base::Error{read.error()};
  }
  if (!arguments.min_protocol.empty()) rule.min_protocol = version;
  rule.min_bits = arguments.min_bits;
  rule.learn_count = arguments.learn_count;
  rule.ccert_name = arguments.ccert_name;
  rule.ccert_issuer = arguments.ccert_issuer;
  rule.ccert_fingerprint = arguments.ccert_fingerprint;
  rule.text = arguments.text;
  row.owner = given(arguments.owner);
  row.reason = given(arguments.reason);
  row.comment = given(arguments.comment);
  if (!arguments.expires.empty() && arguments.expires != "never") {
    const auto at = parse_expiry(arguments.expires, context.now);
    if (!at) return base::Error{fmt::format("--expires: {}", at.error())};
    rule.expires_at = at->time_since_epoch().count();
  }
  return row;
}

std::string whom(const model::InboundRule& rule) {
  if (rule.client.empty() && rule.sender.empty()) return "all mail";
  if (rule.client.empty()) return "mail from sender " + rule.sender;
  return "mail from client " + rule.client +
         (rule.sender.empty() ? "" : " with sender " + rule.sender);
}

Exit run_add(const Context& context, const Arguments& arguments) {
  auto row = row_from(context, arguments);
  if (!row) return refuse_usage(row.error());
  if (const auto fault = model::find_fault(row->rule)) return fail("not stored: " + *fault);
  auto db = open_policy_db(context, PolicyDb::Access::ReadWrite);
  if (!db) return fail(db.error());
  const auto id = db->add_inbound(*row);
  if (!id) return fail("not stored: " + plain_sentence(id.error()));
  row->rule.id = *id;
  if (context.is_json) {
    print_json(to_json(*row));
  } else {
    say(terminal_text(fmt::format("rule {}: {} must have {}, else {}", *id, whom(row->rule),
                                  describe_requirement(row->rule),
                                  model::to_word(row->rule.on_violation))));
  }
  if (context.config.mode == model::RowMode::Observe) {
    warn(
        fmt::format("the daemon's mode is observe ({}): no rule is enforced", context.config_file));
  }
  return Exit::Done;
}

Exit run_remove(const Context& context, const Arguments& arguments) {
  const auto id = base::parse_number<std::int64_t>(arguments.key);
  if (!id) return refuse_usage("ID must be a number, as `tlspolicyctl inbound list` shows it");
  auto db = open_policy_db(context, PolicyDb::Access::ReadWrite);
  if (!db) return fail(db.error());
  const auto removed = db->remove_inbound(*id);
  if (!removed)
    return fail(fmt::format("rule {}: not removed: {}", *id, plain_sentence(removed.error())));
  if (!*removed) return fail(fmt::format("there is no rule {}", *id));
  if (context.is_json) {
    print_json(Json{{"id", *id}, {"removed", true}});
  } else {
    say(fmt::format("rule {}: removed", *id));
  }
  return Exit::Done;
}

Exit run_list(const Context& context, const Arguments& /*arguments*/) {
  auto db = open_policy_db(context, PolicyDb::Access::ReadOnly);
  if (!db) return fail(db.error());
  const auto rows = db->list_inbound();
  if (!rows) return fail(plain_sentence(rows.error()));
  if (context.is_json) {
    JsonArray array;
    for (const auto& row : *rows) array.add(to_json(row));
    array.finish();
    return Exit::Done;
  }
  Table table(
      {"id", "client", "sender", "requires", "else", "learn", "expires", "owner", "reason"});
  for (const auto& row : *rows) {
    const auto& rule = row.rule;
    const auto expires_at = rule.expires_at == 0 ? std::nullopt : std::optional(rule.expires_at);
    table.add({std::to_string(rule.id), or_dash(rule.client, "any"), or_dash(rule.sender, "any"),
               rule.fault.empty() ? describe_requirement(rule) : "at fault: " + rule.fault,
               rule.require == model::InboundRequire::None
                   ? "-"
                   : std::string(model::to_word(rule.on_violation)),
               rule.learn_count == 0 ? "-" : std::to_string(rule.learn_count),
               expiry_cell(expires_at, context.now), row.owner.value_or("-"),
               row.reason.value_or("-")});
  }
  fmt::print(stdout, "{}", table.render());
  return Exit::Done;
}

void add_row_options(const Verb& add, Arguments& to) {
  add.add_option("--client", to.client,
                 "192.0.2.1, 192.0.2.0/24, mx.example.com, *.example.com (a verified host name)");
  add.add_option("--sender", to.sender, "user@example.com, example.com, .example.com or <>");
  add.add_option("--require", to.require, "none, encrypt (the default) or certificate");
  add.add_option("--min-protocol", to.min_protocol, "TLSv1, TLSv1.1, TLSv1.2 or TLSv1.3");
  add.add_option("--min-bits", to.min_bits, "Of the cipher");
  add.add_option("--ccert-name", to.ccert_name, "The certificate's common name, * in it for any");
  add.add_option("--ccert-issuer", to.ccert_issuer, "The issuer's common name, * in it for any");
  add.add_option("--ccert-fingerprint", to.ccert_fingerprint,
                 "Fingerprints of certificates or public keys, | between them");
  add.add_option("--on-violation", to.on_violation, "reject (the default), defer, tag or observe");
  add.add_option("--learn-count", to.learn_count,
                 "Only for senders that used TLS for so many messages before");
  add.add_option("--text", to.text,
                 "What the client is told; $sender_domain, $client, $required and $got are known");
  add.add_option("--owner", to.owner, "Who answers for this rule");
  add.add_option("--reason", to.reason, "Why it is there");
  add.add_option("--expires", to.expires,
                 "30m, 4h, 7d, 2w, seconds, a UTC date (2026-11-22T08:15), or never");
  add.add_option("--comment", to.comment, "Anything else");
}

}  // namespace

Json to_json(const InboundRow& row) {
  const auto& rule = row.rule;
  return {{"id", rule.id},
          {"client", text_or_null(rule.client)},
          {"sender", text_or_null(rule.sender)},
          {"require", model::to_word(rule.require)},
          {"min_protocol", rule.min_protocol ? Json(model::to_word(*rule.min_protocol)) : Json()},
          {"min_bits", number_or_null(rule.min_bits)},
          {"ccert_name", text_or_null(rule.ccert_name)},
          {"ccert_issuer", text_or_null(rule.ccert_issuer)},
          {"ccert_fingerprint", text_or_null(rule.ccert_fingerprint)},
          {"on_violation", model::to_word(rule.on_violation)},
          {"learn_count", number_or_null(rule.learn_count)},
          {"text", text_or_null(rule.text)},
          {"owner", to_json(row.owner)},
          {"reason", to_json(row.reason)},
          {"expires_at", number_or_null(rule.expires_at)},
          {"comment", to_json(row.comment)}};
}

std::string describe_requirement(const model::InboundRule& rule) {
  std::string text(model::to_word(rule.require));
  if (rule.min_protocol) text += fmt::format(", {} or newer", model::to_word(*rule.min_protocol));
  if (rule.min_bits != 0) text += fmt::format(", {} bits", rule.min_bits);
  if (!rule.ccert_name.empty()) text += fmt::format(", name {}", rule.ccert_name);
  if (!rule.ccert_issuer.empty()) text += fmt::format(", issuer {}", rule.ccert_issuer);
  if (!rule.ccert_fingerprint.empty()) text += ", a pinned certificate";
  return text;
}

void add_inbound_verbs(const Verb& root, CommandLine& line) {
  const Verb inbound = root.add_subcommand("inbound", "Rules for mail that comes in, by smtpd");
  inbound.group(kPolicyGroup);
  inbound.require_subcommand();
  add_verb(inbound, line, "list", "Show every rule", run_list);
  add_row_options(add_verb(inbound, line, "add", "Add a rule", run_add), line.arguments);
  add_verb(inbound, line, "remove", "Remove a rule", run_remove)
      .add_option("ID", line.arguments.key, "As it stands in the list")
      .required();
  add_inbound_report_verb(inbound, line);
}

}  // namespace app::ctl
