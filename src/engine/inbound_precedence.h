// Which rule of `inbound` holds for a mail: the one table of precedence. inbound_book.cc walks it,
// `explain --inbound` prints it, tests go through it row by row.
//
//   1  client and sender both match     \  the client decides first, then the sender:
//   2  the client matches, sender any   /    client: address or network, the longer prefix first;
//                                                    verified host name; *.suffix, the longer first
//                                            sender: address; domain; .domain, the nearer first; <>
//   3  the sender matches, client any      as the sender above. Strengthening only: MAIL FROM is
//                                          forged for free, so every rule of 3 that matches, and
//                                          that of 4, must be satisfied; the harshest breach counts
//   4  client any, sender any
//   -  no rule: nothing is asked
//
// An address outranks every name, because names are what a DNS says. The host name counts only
// where Postfix has verified it (client_name, never reverse_client_name). Expired rules don't
// exist. `<>` matches the empty sender, which has no domain.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace engine {

enum class InboundStep : std::uint8_t { ClientAndSender, Client, Sender, Any };

[[nodiscard]] constexpr std::string_view to_word(InboundStep step) {
  constexpr std::array<std::string_view, 4> kWords{"client and sender", "client", "sender",
                                                   "any mail"};
  return kWords.at(static_cast<std::size_t>(step));
}

}  // namespace engine
