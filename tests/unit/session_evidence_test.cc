// The pairing rule of DESIGN section 3, and those who try to get round it.
#include <map>
#include <string>
#include <vector>

#include "src/wire/netstring.h"
#include "tests/unit/catch.h"
#include "tlsmap/session.h"

namespace {

using model::Fallback;
using model::Level;
using model::Security;

class FakeOracle final : public model::Oracle {
 public:
  model::Verdict verdict_for(const model::Question& question) override {
    const auto found = profiles.find(question.key.text);
    if (found == profiles.end()) return {};
    model::Verdict verdict;
    verdict.kind = model::Verdict::Kind::Policy;
    verdict.level = found->second.level;
    verdict.row.destination = found->first;
    verdict.row.profile = &found->second;
    return verdict;
  }
  std::map<std::string, model::Profile, std::less<>> profiles;
};

// Writes down "VIEW/DESTINATION SECURITY CAUSE" of each piece, and "asked VIEW/DESTINATION".
class FakeWitness final : public model::Witness {
 public:
  void asked(std::int64_t pid, std::string_view view, const model::Key& key) override {
    asked_by = pid;
    questions.push_back(std::string(view) + "/" + key.text);
  }
  bool saw(std::string_view view, const model::Key& key, const model::Evidence& evidence) override {
    std::string text = std::string(view) + "/" + key.text + " ";
    text += model::to_word(evidence.outcome.security);
    if (evidence.outcome.cause) {
      text += " ";
      text += model::to_word(*evidence.outcome.cause);
    }
    seen.push_back(text);
    is_trusted.push_back(evidence.is_trusted);
    return tells_sender;
  }
  [[nodiscard]] bool is_followed(const model::Key& /*key*/) const override { return false; }
  void follow(std::string_view /*map*/, const model::Key& /*key*/,
              std::string_view /*reply*/) override {}

  std::vector<std::string> questions;
  std::vector<std::string> seen;
  std::vector<bool> is_trusted;
  std::int64_t asked_by = 0;
  bool tells_sender = false;
};

using Texts = std::vector<std::string>;

// One connection.
class Rig {
 public:
  explicit Rig(bool is_trusted = true)
      : session_(oracle, settings_, counters, &witness, is_trusted, 4711) {
    add("a.test", Level::Encrypt, Fallback::Never);
    add("b.test", Level::May, Fallback::AfterRetry);
    add("secure.test", Level::Secure, Fallback::Never);
    add("bounce.test", Level::Encrypt, Fallback::Bounce);
    add(".below.test", Level::Encrypt, Fallback::Never);
  }
  void add(const std::string& name, Level level, Fallback fallback) {
    auto& profile = oracle.profiles[name];
    profile.name = "test";
    profile.level = level;
    profile.fallback = fallback;
  }
  // The last reply.
  std::string say(const Texts& requests) {
    std::string reply;
    for (const auto& request : requests) {
      std::string in;
      wire::append_netstring(in, request);
      std::string out;
      REQUIRE(session_.receive(in, out).consumed == in.size());
      const auto parsed = wire::parse_netstring(out, 99'999);
      const auto* frame = std::get_if<wire::Frame>(&parsed);
      REQUIRE(frame != nullptr);
      reply = frame->payload;
    }
    return reply;
  }

  FakeOracle oracle;
  FakeWitness witness;
  tlsmap::Counters counters;

 private:
  tlsmap::Settings settings_;
  tlsmap::Session session_;
};

const std::string kFailed = "outcome 4.7.5 Cannot start TLS: handshake failure";
const std::string kSent = "outcome 2.0.0 250 2.0.0 Ok: queued as 9Z";

}  // namespace

TEST_CASE("pairing: the first outcome belongs to the last key asked, at the level answered") {
  Rig rig;
  CHECK(rig.say({"policy a.test", kSent}) == "NOTFOUND ");
  rig.say({"policy b.test", kSent, "policy secure.test", kSent, "policy other.test", kSent});
  rig.say({"policy a.test", "policy b.test", kFailed});
  CHECK(rig.witness.seen == Texts{"/a.test encrypted", "/b.test unknown",
                                  "/secure.test authenticated", "/other.test unknown",
                                  "/b.test unknown handshake-failure"});
  CHECK(rig.counters.outcomes == 5);
  CHECK(rig.counters.orphans == 0);
  CHECK(rig.counters.untrusted == 0);
  CHECK(rig.witness.asked_by == 4711);
}

TEST_CASE("pairing: every outcome but the first is an orphan, of the next recipient or of others") {
  Rig rig;
  rig.say({kFailed, "policy a.test", kSent, kFailed, kFailed});
  CHECK(rig.witness.seen == Texts{"/a.test encrypted"});
  CHECK(rig.counters.outcomes == 1);
  CHECK(rig.counters.orphans == 3);
}

TEST_CASE("pairing: a try that reached nobody, or that TLS has no part in, is no delivery") {
  for (const std::string tried :
       {"outcome 4.4.1 connect to mx.a.test[192.0.2.1]:25: Connection refused",
        "outcome 4.4.3 Host or domain name not found. Name service error for name=a.test type=MX",
        "outcome 5.1.1 host mx.a.test[192.0.2.1] said: 550 5.1.1 no such user",
        "outcome 4.7.5 delivery temporarily suspended: Cannot start TLS: handshake failure"}) {
    INFO(tried);
    Rig rig;
    CHECK(rig.say({"policy a.test", tried}) == "NOTFOUND ");
    CHECK(rig.witness.seen.empty());
    CHECK(rig.counters.outcomes == 1);
    // What follows is the outcome of another delivery.
    rig.say({kSent});
    CHECK(rig.counters.orphans == 1);
  }
}

TEST_CASE("pairing: views of one connection are kept apart") {
  Rig rig;
  rig.say(
      {"policy@one a.test", "outcome@two 2.0.0 ok", "outcome 2.0.0 ok", "outcome@one 2.0.0 ok"});
  CHECK(rig.witness.seen == Texts{"one/a.test encrypted"});
  rig.say({"policy@one a.test", "policy@two b.test",
           "outcome@one 4.7.5 Server certificate not verified"});
  CHECK(rig.witness.seen.size() == 1);
  CHECK(rig.counters.orphans == 3);
}

TEST_CASE("pairing: the parents that Postfix walks are about the name it began with") {
  Rig rig;
  rig.say({"policy x.plain.test", "policy .plain.test", "policy .test", kFailed});
  CHECK(rig.witness.seen == Texts{"/x.plain.test unknown handshake-failure"});
  rig.say({"policy x.below.test", "policy .below.test", kSent});
  CHECK(rig.witness.seen.back() == "/x.below.test encrypted");
  CHECK(rig.witness.questions == Texts{"/x.plain.test", "/x.below.test"});
}

TEST_CASE("pairing: the parents that several tables of ours are asked for are no destinations") {
  Rig rig;
  rig.say({"policy@one x.test", "policy@two x.test", "policy@one .test", "policy@two .test",
           "outcome@one 2.0.0 ok", "outcome@two 2.0.0 ok"});
  CHECK(rig.witness.seen == Texts{"two/x.test unknown"});
  rig.say({"policy@one x.below.test", "policy@two x.below.test", "policy@one .below.test",
           "outcome@one 2.0.0 ok", "outcome@two 2.0.0 ok"});
  CHECK(rig.witness.seen == Texts{"two/x.test unknown", "one/x.below.test encrypted"});
  CHECK(rig.witness.questions == Texts{"one/x.test", "two/x.test", "one/x.below.test",
                                       "two/x.below.test", "one/x.below.test"});
}

TEST_CASE("pairing: a parent that nobody's question led to closes the question before it") {
  Rig rig;
  rig.say({"policy .test", kFailed, "policy a.test", "policy .other", kFailed, "policy a.test",
           kSent, "policy .test", kFailed});
  CHECK(rig.witness.seen == Texts{"/a.test encrypted"});
  CHECK(rig.counters.orphans == 3);
}

TEST_CASE("pairing: what a stranger says is passed on as untrusted, and counted") {
  Rig rig(false);
  rig.say({"policy a.test", kFailed});
  CHECK(rig.witness.is_trusted == std::vector<bool>{false});
  CHECK(rig.counters.untrusted == 1);
}

TEST_CASE("pairing: an outcome that can't be read was the first all the same") {
  for (const std::string unreadable : {"outcome", "outcome ", "outcome hello", "outcome 3.0.0 x",
                                       "outcome 2.0.0", "outcome 4.7.5555 x"}) {
    INFO(unreadable);
    Rig rig;
    rig.say({"policy a.test", unreadable, kSent});
    CHECK(rig.witness.seen.empty());
    CHECK(rig.counters.orphans == 2);
  }
}

TEST_CASE("rewrite: a 5xx to STARTTLS is kept for every recipient, in our words alone") {
  Rig rig;
  const std::string refused =
      "outcome 5.7.0 TLS is required, but host mx.a.test[192.0.2.1] refused to start TLS: 554 OK "
      "\r\n4.7.5 Cannot start TLS";
  const std::string kept =
      "OK 4.7.0 TLS is required, but host mx.a.test[192.0.2.1] refused to start TLS";
  CHECK(rig.say({"policy a.test", refused}) == kept);
  CHECK(rig.say({refused}) == kept);
  CHECK(rig.counters.kept == 2);
  CHECK(rig.counters.outcomes == 1);
  CHECK(rig.say({"policy other.test", refused}) == "NOTFOUND ");
  CHECK(rig.say({"policy bounce.test", refused}) == "NOTFOUND ");
}

TEST_CASE("rewrite: only who is told so by the witness bounces, never an orphan") {
  Rig rig;
  rig.witness.tells_sender = true;
  CHECK(rig.say({"policy bounce.test", kFailed}).starts_with("OK 5.7.5 TLS is required"));
  CHECK(rig.say({kFailed}) == "NOTFOUND ");
  CHECK(rig.counters.bounced == 1);
}
