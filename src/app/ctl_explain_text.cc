// `explain` for people, and the words that its JSON shares.
#include <fmt/format.h>

#include "src/app/ctl_explain.h"
#include "src/app/ctl_rows.h"
#include "src/app/ctl_table.h"
#include "src/app/ctl_time.h"

namespace app::ctl {
namespace {

using Fate = engine::Considered::Fate;
using Kind = model::Verdict::Kind;

void print_section(std::string_view title, const Table& table) {
  fmt::print(stdout, "\n{}\n{}", title, table.render(2));
}

std::string headline(const Explanation& found) {
  switch (found.verdict.kind) {
    case Kind::Policy:
      return fmt::format("row {} holds: {}", found.verdict.row.destination, found.verdict.reason);
    case Kind::NotFound:
      return fmt::format("NOTFOUND: {}", found.verdict.reason);
    case Kind::Unknown:
      return fmt::format("mail to it waits: row {} can't be used: {}",
                         found.verdict.row.destination, found.verdict.reason);
  }
  return {};
}

void print_answers(const Explanation& found) {
  Table table;
  bool is_first = true;
  for (const auto& answer : found.answers) {
    table.add({"map " + answer.map,
               fmt::format("Postfix {}{}", answer.postfix_version, is_first ? ", configured" : ""),
               answer.reply.text});
    is_first = false;
  }
  print_section("Answers", table);
}

void print_rows(const Explanation& found, base::sys_seconds now) {
  Table table({"destination", "profile", "step", "fate", "why"});
  for (const auto& each : found.considered) {
    table.add({std::string(each.row.destination),
               each.row.profile == nullptr ? "-" : each.row.profile->name,
               std::string(model::to_word(each.step)), std::string(to_word(each.fate)),
               explain_fate(found, each, now)});
  }
  print_section("Rows looked at, strongest first", table);
}

void print_deciding(const Explanation& found, base::sys_seconds now) {
  const store::OutboundRow& row = found.deciding->row;
  Table table;
  table.add({"match", row.match.value_or("-")});
  table.add({"mode", row.mode});
  table.add({"expires", row.expires_at ? fmt::format("{} ({})", iso_time_of(*row.expires_at),
                                                     describe_distance(*row.expires_at, now))
                                       : "never"});
  table.add({"owner", row.owner.value_or("-")});
  table.add({"reason", row.reason.value_or("-")});
  table.add({"comment", row.comment.value_or("-")});
  if (found.last_change) {
    table.add({"written", fmt::format("{} ({}), change {} ({})", iso_time_of(found.last_change->at),
                                      describe_distance(found.last_change->at, now),
                                      found.last_change->seq, found.last_change->op)});
  }
  print_section("Row " + terminal_text(row.destination), table);
}

void print_profile(const store::ProfileRow& profile) {
  Table table;
  for (const auto& column : profile) {
    if (column.text && column.name != "name") table.add({column.name, *column.text});
  }
  print_section("Profile " + terminal_text(text_of(profile, "name")), table);
}

void print_known(const Explanation& found) {
  Table table;
  for (const auto& line : found.known) table.add({line});
  print_section("Known of " + terminal_text(found.key.text), table);
}

void print_counted(const Explanation& found, base::sys_seconds now) {
  Table table({"newest", "source", "ending", "trusted", "count", "view"});
  constexpr std::int64_t kHour = 3600;
  for (const auto& each : found.counted) {
    // A counter knows the hour alone.
    const auto age = now.time_since_epoch().count() - each.last;
    table.add({age < kHour ? "this hour" : describe_distance(each.last, now), each.source,
               each.ending, each.is_trusted ? "yes" : "no: changes nothing",
               std::to_string(each.count), each.view.empty() ? "-" : each.view});
  }
  print_section("Evidence of the last day", table);
}

void print_what_is_next(const Explanation& found) {
  std::string keys;
  for (const auto& key : found.next_keys)
    keys += fmt::format("{}{}", keys.empty() ? "" : ", ", key);
  const auto walk = keys.empty() ? std::string("Postfix asks no other key")
                                 : fmt::format("Postfix then asks for {}", keys);
  fmt::print(stdout,
             "\nNext\n  {}.\n  Where every answer is NOTFOUND, smtp_tls_security_level in "
             "main.cf decides; empty means no TLS.\n",
             terminal_text(walk));
}

void print_repair(const Explanation& found) {
  fmt::print(stdout,
             "\nMend it\n  tlspolicyctl set {0} PROFILE, or tlspolicyctl remove {0}; until "
             "then every answer is TEMP and mail is deferred.\n",
             terminal_text(found.verdict.row.destination));
}

}  // namespace

std::string_view to_word(Fate fate) {
  switch (fate) {
    case Fate::Won:
      return "won";
    case Fate::Outranked:
      return "outranked";
    case Fate::Expired:
      return "expired";
    case Fate::Observed:
      return "observed";
    case Fate::Faulty:
      return "faulty";
  }
  return "";
}

std::string_view to_word(Kind kind) {
  switch (kind) {
    case Kind::NotFound:
      return "not-found";
    case Kind::Policy:
      return "policy";
    case Kind::Unknown:
      return "unknown";
  }
  return "";
}

std::string explain_fate(const Explanation& found, const engine::Considered& each,
                         base::sys_seconds now) {
  switch (each.fate) {
    case Fate::Won:
      return {};
    case Fate::Outranked:
      return fmt::format("outranked by {}",
                         found.deciding == nullptr ? "" : found.deciding->row.destination);
    case Fate::Expired:
      return fmt::format("expired at {} ({})", iso_time_of(each.row.expires_at),
                         describe_distance(each.row.expires_at, now));
    case Fate::Observed:
      return each.row.mode == model::RowMode::Observe
                 ? "its mode is observe: recorded, not enforced"
                 : "would hold, but the daemon's mode is observe";
    case Fate::Faulty:
      return std::string(each.row.fault);
  }
  return {};
}

void print_as_text(const Explanation& found, const Context& context) {
  say(terminal_text(fmt::format("{}: {}", found.key.text, headline(found))));
  for (const auto& note : found.notes) say(terminal_text(note));
  print_answers(found);
  if (!found.considered.empty()) print_rows(found, context.now);
  if (found.deciding != nullptr) print_deciding(found, context.now);
  if (found.profile) print_profile(*found.profile);
  if (!found.known.empty()) print_known(found);
  if (!found.counted.empty()) print_counted(found, context.now);
  if (found.verdict.kind == Kind::NotFound) print_what_is_next(found);
  if (found.verdict.kind == Kind::Unknown) print_repair(found);
}

}  // namespace app::ctl
