// Whether a row asks for more than the mail in clear that was seen.
#include "src/app/ctl_policy_rows.h"
#include "src/app/ctl_report.h"
#include "src/engine/judge.h"

namespace app::ctl {
namespace {

using Answer = Asked::Answer;
using Fate = engine::Considered::Fate;

Asked asked_by(const engine::Considered& considered) {
  Asked asked;
  asked.row = considered.row.destination;
  if (considered.fate == Fate::Faulty || considered.row.profile == nullptr) return asked;
  const auto& profile = *considered.row.profile;
  asked.profile = profile.name;
  asked.level = profile.level;
  asked.fallback = profile.fallback;
  const bool is_more = model::is_tls_required(profile.level);
  const auto more = considered.fate == Fate::Observed ? Answer::Observed : Answer::Yes;
  asked.answer = is_more ? more : Answer::No;
  return asked;
}

}  // namespace

std::string_view to_word(Asked::Answer answer) {
  switch (answer) {
    case Answer::Yes:
      return "yes";
    case Answer::Observed:
      return "observed";
    case Answer::No:
      return "no";
    case Answer::NoRow:
      return "no row";
    case Answer::Unknown:
      return "unknown";
  }
  return "";
}

AskedRows::AskedRows(const Context& context) : states_(context) {
  auto db = open_policy_db(context, store::PolicyDb::Access::ReadOnly);
  if (db) {
    db_ = std::move(*db);
  } else {
    warn("whether a row asked for more can't be told: " + db.error());
  }
  if (const auto note = states_.panic_note(); !note.empty()) warn(note);
}

Asked AskedRows::ask(std::string_view destination) {
  if (!db_) return {};
  // Anew for each, so that the rows of a million destinations need no memory.
  const PolicyDbRows rows(*db_);
  const auto key = model::normalise_key(destination);
  std::vector<engine::Considered> considered;
  engine::judge(rows, {key, {}, model::Transport::Usual}, states_.mode(), states_.wall(),
                &considered);
  if (!rows.trouble().empty()) return {};
  std::optional<Asked> deciding;
  // A row that decides, and asks; else one that only observes, and would ask.
  for (const auto& each : considered) {
    const bool decides = each.fate == Fate::Won || each.fate == Fate::Faulty;
    if (!decides && each.fate != Fate::Observed) continue;
    auto asked = asked_by(each);
    if (decides && asked.answer != Answer::No) return asked;
    const bool is_news = !deciding || (decides && deciding->answer == Answer::No);
    if (is_news) deciding = std::move(asked);
  }
  if (deciding) return std::move(*deciding);
  return {Answer::NoRow, {}, {}, {}, {}};
}

}  // namespace app::ctl
