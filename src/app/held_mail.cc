#include "src/app/held_mail.h"

#include <algorithm>
#include <set>

#include "src/base/text.h"
#include "src/model/next_hop.h"
#include "src/wire/status_text.h"

namespace app::held {
namespace {

using model::Cause;

constexpr std::string_view kSuspended = "delivery temporarily suspended: ";
constexpr std::string_view kOnHold = "hold";
constexpr std::int64_t kLongestLifetime = std::int64_t{100} * 365 * 86'400;

// What tlsmap::keep_refused() makes of a 5xx reply to STARTTLS: Postfix's words without the peer's.
bool is_kept_refusal(std::string_view reason) {
  wire::Scan scan(reason);
  return scan.skip("TLS is required, but host ") && wire::take_log_peer(scan) &&
         scan.skip(" refused to start TLS") && scan.at_end();
}

std::int64_t seconds_of_unit(char unit) {
  switch (unit) {
    case 's':
      return 1;
    case 'm':
      return 60;
    case 'h':
      return 3'600;
    case 'd':
      return 86'400;
    case 'w':
      return 604'800;
    default:
      return 0;
  }
}

}  // namespace

std::optional<std::int64_t> parse_lifetime(std::string_view text) {
  text = base::trim(text);
  if (text.empty()) return std::nullopt;
  char unit = 'd';
  if (!base::is_digit(text.back())) {
    unit = text.back();
    text.remove_suffix(1);
  }
  const auto number = base::parse_number<std::int64_t>(text);
  const auto scale = seconds_of_unit(unit);
  if (!number || scale == 0 || *number > kLongestLifetime / scale) return std::nullopt;
  return *number * scale;
}

std::optional<Cause> cause_of_delay(std::string_view reason) {
  if (reason.starts_with(kSuspended)) reason.remove_prefix(kSuspended.size());
  if (is_kept_refusal(reason)) return Cause::StarttlsRefused;
  return wire::parse_status_text(reason).cause;
}

std::string destination_of(std::string_view address) {
  const auto at = address.rfind('@');
  return at == std::string_view::npos ? std::string()
                                      : model::normalise_key(address.substr(at + 1)).text;
}

Cause Destination::main_cause() const {
  const auto most =
      std::max_element(causes.begin(), causes.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == causes.end() ? Cause::LocalFault : most->first;
}

void merge(Destination& into, const Destination& from) {
  if (from.messages == 0) return;
  const bool is_empty = into.messages == 0;
  if (is_empty || from.oldest < into.oldest) {
    into.oldest = from.oldest;
    into.reason = from.reason;
  }
  into.bounces_at = is_empty ? from.bounces_at : std::min(into.bounces_at, from.bounces_at);
  into.recipients += from.recipients;
  for (const auto& [cause, count] : from.causes) into.causes[cause] += count;
  std::set<std::string_view> known(into.ids.begin(), into.ids.end());
  std::vector<std::string> added;
  for (const auto& id : from.ids) {
    if (known.count(id) == 0) added.push_back(id);
  }
  into.messages += added.size();
  into.ids.insert(into.ids.end(), added.begin(), added.end());
}

Destination* Mail::place_for(const std::string& address) {
  const auto domain = destination_of(address);
  auto name = by_ == By::Address ? base::to_lower(address) : domain;
  if (found_.count(name) == 0 && found_.size() >= kMostDestinations) name = domain;
  const auto at = found_.find(name);
  if (at != found_.end()) return &at->second;
  const auto most = by_ == By::Address ? 2 * kMostDestinations : kMostDestinations;
  if (found_.size() >= most) return nullptr;
  return &found_[name];
}

bool Mail::add(const wire::QueuedMessage& message) {
  if (looked_at_ >= kMostMessages) return false;
  ++looked_at_;
  const bool is_on_hold = message.queue == kOnHold;
  const auto lifetime = message.is_sender_null ? lifetimes_.bounces : lifetimes_.mail;
  const auto bounces_at = message.arrived + (message.is_expiry_forced ? 0 : lifetime);
  std::set<Destination*> touched;
  bool waits = false;
  for (const auto& recipient : message.recipients) {
    const auto cause = cause_of_delay(recipient.delay_reason);
    if (!cause) continue;
    waits = true;
    if (is_on_hold) break;
    Destination* to = place_for(recipient.address);
    if (to == nullptr) {
      ++left_out_;
      continue;
    }
    const bool is_first = to->messages == 0 && touched.count(to) == 0;
    if (is_first || message.arrived < to->oldest) {
      to->oldest = message.arrived;
      to->reason = recipient.delay_reason.substr(0, kLongestReason);
    }
    to->bounces_at = is_first ? bounces_at : std::min(to->bounces_at, bounces_at);
    ++to->recipients;
    ++to->causes[*cause];
    touched.insert(to);
  }
  for (Destination* to : touched) {
    ++to->messages;
    to->ids.push_back(message.id);
  }
  if (waits) ++(is_on_hold ? on_hold_ : messages_);
  return true;
}

}  // namespace app::held
