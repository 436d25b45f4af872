#include <functional>
#include <map>
#include <string>
#include <vector>

#include "src/wire/netstring.h"
#include "tests/unit/catch.h"
#include "tlsmap/session.h"

using model::Level;
using model::Verdict;

namespace {

// Answers by key, remembers what it was asked.
class FakeOracle final : public model::Oracle {
 public:
  Verdict verdict_for(const model::Question& question) override {
    keys.push_back(question.key.text);
    views.emplace_back(question.view);
    transports.push_back(question.transport);
    const auto found = rows.find(question.key.text);
    return found == rows.end() ? Verdict{} : found->second;
  }

  model::SenderAnswer route_for_sender(std::string_view sender) override {
    senders.emplace_back(sender);
    return route;
  }

  std::optional<model::Whereabouts> look_ahead(std::string_view key) const override {
    ahead.emplace_back(key);
    if (!is_far) return std::nullopt;
    return model::Whereabouts{17, 4};
  }
  void look_further(const model::Whereabouts& where) const override { further.push_back(where); }

  bool is_far = true;
  mutable std::vector<std::string> ahead;
  mutable std::vector<model::Whereabouts> further;
  model::SenderAnswer route;
  std::vector<std::string> senders;
  std::map<std::string, Verdict> rows;
  std::vector<std::string> keys;
  std::vector<std::string> views;
  std::vector<model::Transport> transports;
};

class Rig {
 public:
  Rig() {
    required.name = "required";
    bounded.name = "bounded";
    bounded.min_protocol = model::TlsVersion::Tls12;
    broken.name = "broken";
    broken.ciphers = "strong";
    oracle.rows["bank.test"] = policy(required, "bank.test");
    oracle.rows["bounded.test"] = policy(bounded, "bounded.test");
    oracle.rows["broken.test"] = policy(broken, "broken.test");
    Verdict unknown;
    unknown.kind = Verdict::Kind::Unknown;
    unknown.row.destination = "typo.test";
    unknown.reason = "level is \"strong\"; none, may, ... are allowed";
    oracle.rows["typo.test"] = unknown;
  }

  static Verdict policy(const model::Profile& profile, std::string_view destination) {
    Verdict verdict;
    verdict.kind = Verdict::Kind::Policy;
    verdict.level = profile.level;
    verdict.row.destination = destination;
    verdict.row.profile = &profile;
    return verdict;
  }

  // The reply's payload to one request, on a connection of its own.
  std::string ask(const std::string& request) {
    std::string in;
    wire::append_netstring(in, request);
    std::string out;
    tlsmap::Session session(oracle, settings, counters);
    const auto step = session.receive(in, out);
    REQUIRE(step.consumed == in.size());
    REQUIRE_FALSE(step.hang_up);
    const auto parsed = wire::parse_netstring(out, 99'999);
    const auto* frame = std::get_if<wire::Frame>(&parsed);
    REQUIRE(frame != nullptr);
    REQUIRE(frame->consumed == out.size());
    return std::string(frame->payload);
  }

  model::Profile required;
  model::Profile bounded;
  model::Profile broken;
  FakeOracle oracle;
  tlsmap::Settings settings;
  tlsmap::Counters counters;
};

bool is_printable(std::string_view text) {
  return text.find_first_not_of(
             " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`"
             "abcdefghijklmnopqrstuvwxyz{|}~") == text.npos;
}

}  // namespace

TEST_CASE("a policy is answered OK with its text, nothing with NOTFOUND and a blank") {
  Rig rig;
  CHECK(rig.ask("policy bank.test") == "OK encrypt");
  CHECK(rig.ask("policy other.test") == "NOTFOUND ");
  CHECK(rig.ask("QUERY bank.test") == "OK encrypt");
  CHECK(rig.ask("postfix bank.test") == "OK encrypt");
  CHECK(rig.ask("QUERYwithTLSRPT bank.test") == "OK encrypt");
}

TEST_CASE("the key is asked in normal form") {
  Rig rig;
  CHECK(rig.ask("policy BANK.Test.") == "OK encrypt");
  CHECK(rig.oracle.keys.back() == "bank.test");
}

TEST_CASE("the map name tells the version that will read the answer") {
  Rig rig;
  CHECK(rig.ask("policy bounded.test") == "OK encrypt protocols=!SSLv2:!SSLv3:!TLSv1:!TLSv1.1");
  CHECK(rig.ask("policy-3.10 bounded.test") == "OK encrypt protocols=>=TLSv1.2");
  CHECK(rig.ask("QUERYwithTLSRPT bounded.test") == "OK encrypt protocols=>=TLSv1.2");
  rig.settings.version = {3, 7, 0};
  CHECK(rig.ask("policy bounded.test") == "OK encrypt protocols=>=TLSv1.2");
  CHECK(rig.ask("policy-3.5 bounded.test") == "OK encrypt protocols=!SSLv2:!SSLv3:!TLSv1:!TLSv1.1");
}

TEST_CASE("view and transport reach the oracle") {
  Rig rig;
  rig.ask("policy@tenant1 bank.test");
  CHECK(rig.oracle.views.back() == "tenant1");
  CHECK(rig.oracle.transports.back() == model::Transport::Usual);
  rig.ask("strict-3.10@tenant2 bank.test");
  CHECK(rig.oracle.views.back() == "tenant2");
  CHECK(rig.oracle.transports.back() == model::Transport::TlsOnly);
  rig.ask("strict bank.test");
  CHECK(rig.oracle.views.back().empty());
}

TEST_CASE("outcome, transport and sender-transport are NOTFOUND, whatever the key") {
  Rig rig;
  for (const std::string request :
       {"outcome 4.7.5 Cannot start TLS: handshake failure", "transport bank.test",
        "sender-transport a@bank.test", "outcome@v bank.test", "transport"}) {
    INFO(request);
    CHECK(rig.ask(request) == "NOTFOUND ");
  }
  CHECK(rig.oracle.keys.empty());
}

TEST_CASE("sender-transport answers the TLS-only transport for the senders that have to") {
  Rig rig;
  rig.oracle.route.kind = model::SenderAnswer::Kind::TlsOnly;
  for (const std::string sender : {"a@bank.test", "@bank.test", "<>"}) {
    CHECK(rig.ask("sender-transport " + sender) == "OK smtp-strict:");
    CHECK(rig.oracle.senders.back() == sender);
  }
  CHECK(rig.ask("sender-transport root") == "NOTFOUND ");
  CHECK(rig.oracle.senders.size() == 3);
  rig.oracle.route = {model::SenderAnswer::Kind::Unknown, "the rule is broken"};
  CHECK(rig.ask("sender-transport a@bank.test") ==
        "TEMP the rule is broken; see tlspolicyctl status");
}

TEST_CASE("what isn't known is TEMP with its reason and what to do, never NOTFOUND") {
  Rig rig;
  CHECK(rig.ask("policy typo.test") ==
        "TEMP level is \"strong\"; none, may, ... are allowed; see tlspolicyctl explain typo.test");
  rig.oracle.rows["typo.test"].row.destination = {};
  rig.oracle.rows["typo.test"].reason = "no policy has been loaded yet";
  CHECK(rig.ask("policy typo.test") ==
        "TEMP no policy has been loaded yet; see tlspolicyctl status");
  rig.oracle.rows["typo.test"].reason = {};
  CHECK(rig.ask("policy typo.test") == "TEMP the policy isn't known now; see tlspolicyctl status");
}

TEST_CASE("a TEMP reason is printable, at most 200 bytes, and keeps its advice") {
  Rig rig;
  const std::string reason = "\x1b[2J\n" + std::string(500, 'x');
  rig.oracle.rows["typo.test"].reason = reason;
  const auto reply = rig.ask("policy typo.test");
  CHECK(reply.size() == 5 + 200);
  CHECK(is_printable(reply));
  CHECK(reply.ends_with("x; see tlspolicyctl explain typo.test"));
}

TEST_CASE("an answer that Postfix would refuse is TEMP and names row and profile") {
  Rig rig;
  CHECK(rig.ask("policy broken.test") ==
        "TEMP row \"broken.test\", profile \"broken\": Postfix 3.4 would refuse it: invalid cipher "
        "grade: \"strong\"; see tlspolicyctl explain broken.test");
  Verdict without;
  without.kind = Verdict::Kind::Policy;
  without.row.destination = "bare.test";
  rig.oracle.rows["bare.test"] = without;
  CHECK(rig.ask("policy bare.test").starts_with("TEMP row \"bare.test\""));
}

TEST_CASE("an unknown map name is PERM, printable and short, and the connection stays") {
  Rig rig;
  CHECK(rig.ask("polcy bank.test") ==
        "PERM unknown map name \"polcy\"; served are policy, policy-X.Y (for Postfix X.Y), strict, "
        "outcome, transport, sender-transport");
  CHECK(rig.ask("").starts_with("PERM unknown map name \"\""));
  for (const std::string& name : {std::string("\x1b[2J\n"), std::string(9000, 'x'),
                                  std::string("\xff\xfe"), std::string("policy\0", 7)}) {
    const auto reply = rig.ask(name + " bank.test");
    CHECK(reply.starts_with("PERM unknown map name \""));
    CHECK(reply.size() <= 205);
    CHECK(is_printable(reply));
  }
  CHECK(rig.counters.unknown_map == 6);
  CHECK(rig.oracle.keys.empty());
}

TEST_CASE("a payload without a blank is a name with an empty key") {
  Rig rig;
  CHECK(rig.ask("policy") == "NOTFOUND ");
  CHECK(rig.ask("policy ") == "NOTFOUND ");
  CHECK(rig.oracle.keys == std::vector<std::string>{"", ""});
}

TEST_CASE("keys that can't be domains are asked as they stand and never echoed") {
  Rig rig;
  const std::vector<std::string> keys{
      std::string("a\0b", 3), "\xff\xfe.test", std::string(300, 'a'), "a b c", "/var/run/lmtp",
      "[192.0.2.1]:25",       "a..b"};
  for (const auto& key : keys) CHECK(rig.ask("policy " + key) == "NOTFOUND ");
  CHECK(rig.oracle.keys.size() == keys.size());
}

TEST_CASE("a hundred requests in one packet get a hundred replies in order") {
  Rig rig;
  std::string in;
  std::string expected;
  for (int i = 0; i < 100; ++i) {
    const bool is_hit = i % 3 == 0;
    wire::append_netstring(in, is_hit ? "policy bank.test" : "policy other.test");
    wire::append_netstring(expected, is_hit ? "OK encrypt" : "NOTFOUND ");
  }
  std::string out;
  tlsmap::Session session(rig.oracle, rig.settings, rig.counters);
  const auto step = session.receive(in, out);
  CHECK(step.consumed == in.size());
  CHECK(out == expected);
}

TEST_CASE("requests split at every byte get the same replies") {
  Rig rig;
  const std::string in = "16:policy bank.test,17:policy other.test,4:what,16:strict bank.test,";
  std::string whole;
  tlsmap::Session at_once(rig.oracle, rig.settings, rig.counters);
  REQUIRE(at_once.receive(in, whole).consumed == in.size());
  tlsmap::Session session(rig.oracle, rig.settings, rig.counters);
  std::string out;
  std::string waiting;
  for (const char byte : in) {
    waiting += byte;
    const auto step = session.receive(waiting, out);
    REQUIRE_FALSE(step.hang_up);
    waiting.erase(0, step.consumed);
  }
  CHECK(waiting.empty());
  CHECK(out == whole);
}

TEST_CASE("a malformed frame hangs up without a reply to it; earlier replies still go out") {
  for (const std::string bad : {"-1:x,", "+4:quit,", "04:quit,", "GET / HTTP/1.1\r\n\r\n", ":,",
                                "4:quitX", "15994:", "5368709120:", "\n"}) {
    Rig rig;
    tlsmap::Session session(rig.oracle, rig.settings, rig.counters);
    std::string out;
    const auto step = session.receive("16:policy bank.test," + bad, out);
    INFO(bad);
    CHECK(step.hang_up);
    CHECK(out == "10:OK encrypt,");
    CHECK(rig.counters.malformed == 1);
  }
}

TEST_CASE("a frame of kLongestRequest bytes is the longest") {
  Rig rig;
  const std::string longest =
      "policy " + std::string(tlsmap::kLongestRequest - wire::kNetstringOverhead - 7, 'a');
  CHECK(rig.ask(longest) == "NOTFOUND ");
  std::string in;
  wire::append_netstring(in, longest);
  CHECK(in.size() == tlsmap::kLongestRequest);
}

TEST_CASE("while the peer doesn't read, no more requests are taken") {
  Rig rig;
  tlsmap::Session session(rig.oracle, rig.settings, rig.counters);
  std::string in;
  for (int i = 0; i < 100; ++i) wire::append_netstring(in, "policy other.test");
  std::string out(net::kMostUnreadReplies - 1, ' ');
  const auto step = session.receive(in, out);
  CHECK(step.consumed == in.size() / 100);
  CHECK_FALSE(step.hang_up);
  out.clear();
  CHECK(session.receive(std::string_view(in).substr(step.consumed), out).consumed ==
        in.size() - step.consumed);
}

TEST_CASE("each answer is counted by table and status") {
  Rig rig;
  rig.ask("policy bank.test");
  rig.ask("policy other.test");
  rig.ask("policy typo.test");
  rig.ask("policy broken.test");
  rig.ask("strict bank.test");
  rig.ask("outcome 2.0.0 x");
  const auto count = [&](tlsmap::Table table, tlsmap::Status status) {
    return rig.counters.answers.at(static_cast<std::size_t>(table))
        .at(static_cast<std::size_t>(status));
  };
  using tlsmap::Status;
  using tlsmap::Table;
  CHECK(count(Table::Policy, Status::Ok) == 1);
  CHECK(count(Table::Policy, Status::NotFound) == 1);
  CHECK(count(Table::Policy, Status::Temp) == 2);
  CHECK(count(Table::Strict, Status::Ok) == 1);
  CHECK(count(Table::Outcome, Status::NotFound) == 1);
}

TEST_CASE("what will be asked is shown to the oracle before, where that is worth while") {
  Rig rig;
  tlsmap::Session session(rig.oracle, rig.settings, rig.counters);
  CHECK(session.look_ahead("16:policy bank.test,16:policy next.test,"));
  CHECK(rig.oracle.ahead == std::vector<std::string>{"bank.test"});
  session.look_further();
  CHECK(rig.oracle.further == std::vector<model::Whereabouts>{{17, 4}});
  rig.oracle.is_far = false;
  CHECK_FALSE(session.look_ahead("16:policy bank.test,"));
  CHECK_FALSE(session.look_ahead("GET/"));
  CHECK(session.look_ahead(" ") == false);
  CHECK(rig.oracle.keys.empty());
}
