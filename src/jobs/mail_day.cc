#include "src/jobs/mail_day.h"

#include <algorithm>
#include <utility>

#include "src/engine/traffic.h"

namespace jobs {
namespace {

using model::Overview;

constexpr std::int64_t kHour = 3'600;
constexpr auto kHours = static_cast<std::int64_t>(Overview::kTrafficHours);
// What is counted at the end of an hour is written down some seconds later.
constexpr std::int64_t kSettled = 120;

std::uint64_t as_count(std::int64_t number) {
  return number > 0 ? static_cast<std::uint64_t>(number) : 0;
}

bool has_more(const PutOff& one, const PutOff& other) {
  return one.deferred > other.deferred;
}

}  // namespace

void MailDay::refresh(std::int64_t now, const ReadHour& read,
                      const std::function<bool()>& is_enough) {
  newest_ = now / kHour * kHour;
  const auto oldest = newest_ - (kHours - 1) * kHour;
  std::erase_if(hours_,
                [&](const auto& each) { return each.first < oldest || each.first > newest_; });
  for (auto start = newest_; start >= oldest; start -= kHour) {
    const auto known = hours_.find(start);
    if (known != hours_.end() && known->second.is_final) continue;
    Hour hour;
    hour.sum.start = start;
    const auto visit = [&hour](const model::HourOfMail& seen) { add(hour, seen); };
    if (!read(start, visit)) return;
    hour.is_final = now >= start + kHour + kSettled;
    cut(hour);
    hours_[start] = std::move(hour);
    if (is_enough()) return;
  }
}

void MailDay::add(Hour& hour, const model::HourOfMail& seen) {
  const auto traffic = engine::count_once(seen);
  hour.sum.authenticated += as_count(traffic.authenticated);
  hour.sum.encrypted += as_count(traffic.encrypted);
  hour.sum.clear += as_count(traffic.clear);
  hour.sum.unknown += as_count(traffic.unknown);
  hour.sum.deferred += as_count(traffic.deferred);
  const auto of_theirs = traffic.deferred - traffic.count(model::Cause::LocalFault);
  if (of_theirs <= 0) return;
  PutOff put_off{seen.view, seen.destination, as_count(of_theirs),
                 {},        hour.sum.start,   hour.sum.start};
  std::int64_t most = 0;
  for (const auto cause : model::kCauses) {
    const bool is_of_waiting =
        cause != model::Cause::LocalFault && cause != model::Cause::Plaintext;
    if (!is_of_waiting || traffic.count(cause) <= most) continue;
    most = traffic.count(cause);
    put_off.cause = cause;
  }
  hour.put_off.push_back(std::move(put_off));
  if (hour.put_off.size() >= 2 * kMostPutOff) cut(hour);
}

void MailDay::cut(Hour& hour) {
  if (hour.put_off.size() <= kMostPutOff) return;
  const auto end = hour.put_off.begin() + static_cast<std::ptrdiff_t>(kMostPutOff);
  std::nth_element(hour.put_off.begin(), end, hour.put_off.end(), has_more);
  hour.put_off.erase(end, hour.put_off.end());
}

std::vector<Overview::Hour> MailDay::hours() const {
  std::vector<Overview::Hour> all;
  for (auto start = newest_ - (kHours - 1) * kHour; start <= newest_; start += kHour) {
    const auto known = hours_.find(start);
    all.push_back(known == hours_.end() ? Overview::Hour{} : known->second.sum);
    all.back().start = start;
  }
  return all;
}

std::vector<PutOff> MailDay::put_off() const {
  std::map<std::pair<std::string, std::string>, PutOff> by_name;
  for (const auto& [start, hour] : hours_) {
    for (const auto& each : hour.put_off) {
      const auto [known, is_new] = by_name.try_emplace({each.view, each.destination}, each);
      if (is_new) continue;
      known->second.deferred += each.deferred;
      known->second.cause = each.cause;
      known->second.last_hour = each.last_hour;
    }
  }
  std::vector<PutOff> all;
  all.reserve(by_name.size());
  for (auto& [name, each] : by_name) all.push_back(std::move(each));
  std::stable_sort(all.begin(), all.end(), has_more);
  return all;
}

}  // namespace jobs
