// Any bytes as the output of `postqueue -j`: what is read keeps its bounds, sums fit the messages,
// and an ID can't be anything but a word on a command line.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "src/app/held_mail.h"
#include "src/base/text.h"
#include "src/wire/queue_line.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

bool is_plain_word(const std::string& text) {
  return !text.empty() && text.size() <= wire::kLongestQueueWord &&
         std::all_of(text.begin(), text.end(), base::is_alnum);
}

void check(const wire::QueuedMessage& message) {
  require(is_plain_word(message.queue) && is_plain_word(message.id));
  require(message.arrived >= 0 && message.arrived <= wire::kLatestArrival);
  for (const auto& recipient : message.recipients) {
    require(recipient.address.size() <= wire::kLongestQueuedAddress);
  }
}

void check(const app::held::Destination& found) {
  std::size_t recipients = 0;
  for (const auto& [cause, count] : found.causes) recipients += count;
  require(recipients == found.recipients && found.recipients >= found.messages);
  require(found.messages == found.ids.size() && found.messages > 0);
  require(found.bounces_at >= found.oldest && !found.reason.empty());
  require(found.causes.count(found.main_cause()) == 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(bytes), size);
  app::held::Mail mail({432'000, 86'400});
  std::size_t given = 0;
  for (const auto line : base::split(text, "\n")) {
    const auto message = wire::parse_queue_line(line);
    if (!message) continue;
    check(*message);
    require(mail.add(*message));
    ++given;
  }
  require(mail.looked_at() == given && mail.messages() + mail.on_hold() <= given);
  for (const auto& [name, found] : mail.destinations()) check(found);
  return 0;
}
