// query: asks the running daemon as Postfix would, one question, and shows the reply as it came.
#include <fmt/format.h>

#include <chrono>

#include "src/app/ctl_peer.h"
#include "src/app/ctl_reply.h"
#include "src/app/ctl_verbs.h"
#include "src/wire/netstring.h"

namespace app::ctl {
namespace {

constexpr std::chrono::milliseconds kPatience{2000};

base::Result<Reply> ask(Peer& peer, std::string_view request) {
  if (auto sent = peer.send(request); !sent) return base::Error{sent.error()};
  std::string bytes;
  while (std::holds_alternative<wire::NeedMore>(wire::parse_netstring(bytes, kLargestReply))) {
    const auto more = peer.receive(bytes);
    if (!more) return base::Error{more.error()};
    if (!*more) return base::Error{"it hung up without a reply"};
  }
  return parse_reply(bytes);
}

// The first listener that can be reached; the error names each that was tried.
struct Reached {
  Peer peer;
  std::string endpoint;
};
base::Result<Reached> reach(const Config& config) {
  std::string tried;
  for (const Listen& listen : config.tlsmap_listen) {
    if (listen.kind == Listen::Kind::Passed) continue;
    auto peer = Peer::connect(listen, kPatience);
    if (peer) return Reached{std::move(*peer), listen.text};
    tried += fmt::format("{}{}: {}", tried.empty() ? "" : ", ", listen.text, peer.error());
  }
  if (tried.empty()) {
    return base::Error{
        "tlsmap_listen names only sockets that systemd passes in, whose address it doesn't tell; "
        "ask with: postmap -q KEY socketmap:ADDRESS:policy, or add an inet: or unix: listener"};
  }
  return base::Error{fmt::format("the daemon can't be reached at {}; is it running?", tried)};
}

Exit run_query(const Context& context, const Arguments& arguments) {
  auto reached = reach(context.config);
  if (!reached) return fail(reached.error());
  const auto reply = ask(reached->peer, make_request(arguments.map, arguments.key));
  if (!reply) {
    return fail(fmt::format("{}: {} (asked map {} for {})", reached->endpoint, reply.error(),
                            arguments.map, arguments.key));
  }
  if (context.is_json) {
    print_json(Json{{"key", arguments.key},
                    {"map", arguments.map},
                    {"reply", reply->text},
                    {"status", reply->status},
                    {"value", reply->value}});
  } else {
    say(terminal_text(reply->text));
  }
  return reply->is_answer() ? Exit::Done : Exit::NotWell;
}

}  // namespace

void add_query_verb(const Verb& root, CommandLine& line) {
  const Verb query =
      add_verb(root, line, "query", "Ask the running daemon one question, as Postfix would",
               run_query, ConfigNeed::Address);
  query.group(kAskingGroup);
  query.add_option("KEY", line.arguments.key, "A next-hop, as Postfix would ask for it").required();
  query.add_option("--map", line.arguments.map, "The socketmap name: policy, policy-3.10, strict")
      .shows_default();
}

}  // namespace app::ctl
