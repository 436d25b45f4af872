#include "src/jobs/view_book.h"

namespace jobs {

void ViewBook::note(std::string_view view, std::int64_t at) {
  if (const auto found = last_.find(view); found != last_.end()) {
    if (found->second < at) found->second = at;
    return;
  }
  std::erase_if(last_, [at](const auto& each) { return at - each.second >= kRemembered; });
  if (last_.size() < kMost) last_.emplace(view, at);
}

std::optional<std::string> ViewBook::only(std::int64_t now) const {
  std::optional<std::string> found;
  for (const auto& [view, at] : last_) {
    if (now - at >= kRemembered) continue;
    if (found) return std::nullopt;
    found = view;
  }
  return found ? found : std::string();
}

std::vector<std::string> ViewBook::all(std::int64_t now) const {
  std::vector<std::string> found;
  for (const auto& [view, at] : last_) {
    if (now - at < kRemembered) found.push_back(view);
  }
  return found;
}

}  // namespace jobs
