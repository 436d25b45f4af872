// `explain --json`: everything that its text says, as data.
#include "src/app/ctl_explain.h"
#include "src/app/ctl_rows.h"

namespace app::ctl {
namespace {

using Kind = model::Verdict::Kind;

Json answers_of(const Explanation& found) {
  Json answers = Json::array();
  for (const auto& answer : found.answers) {
    answers.push_back({{"map", answer.map},
                       {"postfix_version", answer.postfix_version},
                       {"reply", answer.reply.text},
                       {"status", answer.reply.status},
                       {"value", answer.reply.value}});
  }
  return answers;
}

Json rows_of(const Explanation& found, base::sys_seconds now) {
  Json rows = Json::array();
  for (const auto& each : found.considered) {
    const auto why = explain_fate(found, each, now);
    rows.push_back(
        {{"destination", each.row.destination},
         {"profile", each.row.profile == nullptr ? Json(nullptr) : Json(each.row.profile->name)},
         {"step", model::to_word(each.step)},
         {"fate", to_word(each.fate)},
         {"why", why.empty() ? Json(nullptr) : Json(why)},
         {"mode", model::to_word(each.row.mode)},
         {"expires_at", each.row.expires_at == 0 ? Json(nullptr) : Json(each.row.expires_at)}});
  }
  return rows;
}

Json counted_of(const Explanation& found) {
  Json counted = Json::array();
  for (const auto& each : found.counted) {
    counted.push_back({{"hour", each.last},
                       {"source", each.source},
                       {"ending", each.ending},
                       {"trusted", each.is_trusted},
                       {"count", each.count},
                       {"view", each.view}});
  }
  return counted;
}

Json change_of(const Explanation& found) {
  if (!found.last_change) return nullptr;
  return {{"seq", found.last_change->seq},
          {"at", found.last_change->at},
          {"op", found.last_change->op}};
}

}  // namespace

Json to_json(const Explanation& found, const Context& context) {
  const auto& verdict = found.verdict;
  const bool has_policy = verdict.kind == Kind::Policy;
  const bool is_missing = verdict.kind == Kind::NotFound;
  return {{"asked", found.asked},
          {"destination", found.key.text},
          {"mode", model::to_word(found.mode)},
          {"verdict", to_word(verdict.kind)},
          {"reason", verdict.reason},
          {"level", has_policy ? Json(model::to_word(verdict.level)) : Json(nullptr)},
          {"step", is_missing ? Json(nullptr) : Json(model::to_word(verdict.step))},
          {"answers", answers_of(found)},
          {"row", found.deciding == nullptr ? Json(nullptr) : to_json(found.deciding->row)},
          {"known", found.known},
          {"evidence", counted_of(found)},
          {"rows", rows_of(found, context.now)},
          {"profile", found.profile ? to_json(*found.profile) : Json(nullptr)},
          {"last_change", change_of(found)},
          {"next_keys", found.next_keys},
          {"then", is_missing ? Json("smtp_tls_security_level") : Json(nullptr)},
          {"notes", found.notes}};
}

}  // namespace app::ctl
