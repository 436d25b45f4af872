// A probe in words: the steps of its transcript, and the verdicts behind it.
#include <fmt/format.h>

#include <vector>

#include "src/app/ctl_probe.h"
#include "src/app/ctl_table.h"
#include "src/app/ctl_time.h"
#include "src/base/counted.h"
#include "src/base/text.h"
#include "src/jobs/probe_notes.h"

namespace app::ctl {
namespace {

using model::ProbeStep;

std::string mark_of(ProbeStep::Kind kind) {
  switch (kind) {
    case ProbeStep::Kind::Sent:
      return "> ";
    case ProbeStep::Kind::Received:
      return "< ";
    case ProbeStep::Kind::Note:
      return "";
  }
  return "";
}

std::string encryption_of(const ProbedEndpoint& endpoint) {
  const auto& seen = endpoint.seen;
  if (endpoint.would.required == true) return "yes: " + jobs::describe_session(*seen.tls);
  const auto word = endpoint.would.required == false ? "no" : "unknown";
  const auto cause = seen.outcome.cause ? fmt::format(" ({})", model::to_word(*seen.outcome.cause))
                                        : std::string();
  return fmt::format("{}: {}{}", word, seen.trouble, cause);
}

std::string name_of(const ProbedEndpoint& endpoint, const model::SeenCertificate& leaf) {
  const auto& host = endpoint.expected.host;
  auto names = model::names_of(leaf);
  names.insert(names.end(), leaf.addresses.begin(), leaf.addresses.end());
  if (model::is_named(leaf, host)) return fmt::format("matches {}", host);
  return fmt::format("does not match {}; it would match {}", host, jobs::describe_names(names));
}

std::string nexthop_of(const ProbedEndpoint& endpoint, const model::SeenCertificate& leaf) {
  for (const auto& name : endpoint.expected.nexthop) {
    if (model::is_named(leaf, name)) return fmt::format("matches {}, which secure asks for", name);
  }
  return fmt::format("does not match {}, which secure asks for without a match",
                     base::join(endpoint.expected.nexthop, " or "));
}

std::string expiry_of(const model::SeenCertificate& leaf, base::sys_seconds now) {
  const auto at = now.time_since_epoch().count();
  const auto days = model::days_left(leaf, at);
  const auto date = iso_time_of(leaf.not_after);
  if (leaf.not_after < at)
    return fmt::format("expired {}, at {}", describe_distance(leaf.not_after, now), date);
  return fmt::format("in {}, at {}", base::counted(days, "day"), date);
}

void add_certificate(const ProbedEndpoint& endpoint, base::sys_seconds now, Table& table) {
  const auto& tls = *endpoint.seen.tls;
  table.add({"chain", jobs::describe_trust(tls)});
  if (tls.chain.empty()) return;
  const auto& leaf = tls.chain.front();
  table.add({"name", name_of(endpoint, leaf)});
  if (!endpoint.expected.nexthop.empty() &&
      endpoint.expected.nexthop.front() != endpoint.expected.host) {
    table.add({"", nexthop_of(endpoint, leaf)});
  }
  table.add({"expires", expiry_of(leaf, now)});
  table.add({"pin of key", leaf.key_fingerprint});
  table.add({"pin of cert.", leaf.fingerprint});
}

// What became of an offer that was not taken; empty: it was, or wasn't made.
std::string end_of(std::string_view offer, const model::WeakTrial& trial) {
  using Answer = model::WeakTrial::Answer;
  switch (trial.answer) {
    case Answer::Refused:
      return fmt::format("{}: refused ({})", offer, trial.text);
    case Answer::Unclear:
      return fmt::format("{}: unknown ({})", offer, trial.text);
    case Answer::NotTried:
    case Answer::Taken:
      break;
  }
  return {};
}

void add_weaknesses(const model::ProbedAddress& seen, Table& table) {
  auto weak = engine::find_weaknesses(seen);
  if (!seen.tls->chain.empty() && !seen.tls->is_fit_to_authenticate) {
    weak.emplace_back("too old for Postfix to check whose certificate it is");
  }
  if (weak.empty()) weak.emplace_back("nothing");
  for (std::size_t i = 0; i < weak.size(); ++i) table.add({i == 0 ? "weak" : "", weak[i]});
  auto ends = end_of("TLS 1.1 and older", seen.old_protocols);
  const auto other = end_of("broken ciphers", seen.broken_ciphers);
  if (!ends.empty() && !other.empty()) ends += "; ";
  ends += other;
  if (!ends.empty()) table.add({"offered", ends});
}

std::string plain_mail_of(const model::ProbedAddress& seen) {
  const auto reply = ": " + seen.plain_mail_reply;
  switch (seen.plain_mail) {
    case model::PlainMail::NotAsked:
      return "not asked, as it did not come to a conversation";
    case model::PlainMail::Accepted:
      return "MAIL FROM is taken without TLS" + reply;
    case model::PlainMail::Refused:
      return "refused without TLS" + reply;
    case model::PlainMail::Unclear:
      return "unknown" + reply;
  }
  return {};
}

}  // namespace

std::string title_of(const ProbedHost& host, const ProbedEndpoint& endpoint) {
  return terminal_text(fmt::format("{}[{}]:{}", host.name == endpoint.address ? "" : host.name,
                                   endpoint.address, endpoint.port));
}

std::string text_of(const ProbeStep& step) {
  const auto mark = mark_of(step.kind);
  std::string text;
  for (const auto line : base::split(step.text, "\n")) {
    const auto time = text.empty()
                          ? fmt::format("{:9.3f}", static_cast<double>(step.at.count()) / 1000.0)
                          : std::string(9, ' ');
    text += fmt::format("{}  {}{}\n", time, mark, terminal_text(line));
  }
  return text;
}

std::string verdicts_of(const ProbedEndpoint& endpoint, base::sys_seconds now) {
  Table table;
  if (!endpoint.refused.empty()) {
    table.add({"not probed", endpoint.refused});
    return table.render(2);
  }
  const auto& seen = endpoint.seen;
  table.add({"encrypted", encryption_of(endpoint)});
  if (seen.starttls_code / 100 == 5) {
    table.add({"", "Postfix bounces mail at once on this reply where TLS is required"});
  }
  if (seen.tls) {
    add_certificate(endpoint, now, table);
    add_weaknesses(seen, table);
  }
  if (seen.plain_mail != model::PlainMail::NotAsked) table.add({"in clear", plain_mail_of(seen)});
  return table.render(2);
}

}  // namespace app::ctl
