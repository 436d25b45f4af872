#include "src/wire/queue_line.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "src/base/text.h"

namespace wire {
namespace {

using Json = nlohmann::json;

// showq(8) writes the null sender so.
constexpr std::string_view kNullSender = "MAILER-DAEMON";

std::optional<std::string> text_of(const Json& object, const char* name) {
  const auto at = object.find(name);
  if (at == object.end() || !at->is_string()) return std::nullopt;
  return at->get<std::string>();
}

template <class IsAllowed>
bool is_word(std::string_view text, IsAllowed is_allowed) {
  return !text.empty() && text.size() <= kLongestQueueWord &&
         std::all_of(text.begin(), text.end(), is_allowed);
}

bool is_lower_letter(char c) {
  return c >= 'a' && c <= 'z';
}

Json parse_leniently(std::string_view line) {
  auto object = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!object.is_discarded()) return object;
  std::string plain(line);
  for (char& c : plain) {
    if (static_cast<unsigned char>(c) >= 0x80U) c = '?';
  }
  return Json::parse(plain, nullptr, false);
}

std::optional<QueuedRecipient> read_recipient(const Json& object) {
  if (!object.is_object()) return std::nullopt;
  auto address = text_of(object, "address");
  if (!address || address->size() > kLongestQueuedAddress) return std::nullopt;
  return QueuedRecipient{std::move(*address), text_of(object, "delay_reason").value_or("")};
}

}  // namespace

std::optional<QueuedMessage> parse_queue_line(std::string_view line) {
  const Json object = parse_leniently(line);
  if (!object.is_object()) return std::nullopt;
  auto queue = text_of(object, "queue_name");
  auto id = text_of(object, "queue_id");
  const auto arrived = object.find("arrival_time");
  const auto recipients = object.find("recipients");
  if (!queue || !is_word(*queue, is_lower_letter) || !id || !is_word(*id, base::is_alnum) ||
      arrived == object.end() || !arrived->is_number_integer() || recipients == object.end() ||
      !recipients->is_array()) {
    return std::nullopt;
  }
  QueuedMessage message{std::move(*queue),
                        std::move(*id),
                        arrived->get<std::int64_t>(),
                        false,
                        text_of(object, "sender") == kNullSender,
                        {}};
  if (message.arrived < 0 || message.arrived > kLatestArrival) return std::nullopt;
  const auto forced = object.find("forced_expire");
  message.is_expiry_forced = forced != object.end() && forced->is_boolean() && forced->get<bool>();
  for (const Json& each : *recipients) {
    if (auto recipient = read_recipient(each)) message.recipients.push_back(std::move(*recipient));
  }
  return message;
}

}  // namespace wire
