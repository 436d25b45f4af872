// To which question an outcome belongs, and what each that belongs to none is worth: DESIGN section
// 3, "Pairing" and "Trust".
#include <map>
#include <string>
#include <vector>

#include "src/wire/netstring.h"
#include "tests/unit/catch.h"
#include "tlsmap/session.h"

using model::Cause;
using model::Fallback;
using model::Level;
using model::Security;
using model::Verdict;

namespace {

class FakeOracle final : public model::Oracle {
 public:
  Verdict verdict_for(const model::Question& question) override {
    const auto found = profiles.find(question.key.text);
    if (found == profiles.end()) return {};
    Verdict verdict;
    verdict.kind = is_unsure ? Verdict::Kind::Unknown : Verdict::Kind::Policy;
    verdict.level = found->second.level;
    verdict.row.destination = found->first;
    verdict.row.profile = &found->second;
    return verdict;
  }

  std::map<std::string, model::Profile> profiles;
  bool is_unsure = false;
};

class FakeWitness final : public model::Witness {
 public:
  struct Seen {
    std::string view;
    std::string key;
    model::Evidence evidence;
  };
  void asked(std::int64_t pid, std::string_view, const model::Key& key) override {
    questions.push_back(std::to_string(pid) + " " + key.text);
  }
  bool saw(std::string_view view, const model::Key& key, const model::Evidence& evidence) override {
    seen.push_back({std::string(view), key.text, evidence});
    return bounces;
  }
  [[nodiscard]] bool is_followed(const model::Key& /*key*/) const override { return false; }
  void follow(std::string_view, const model::Key&, std::string_view) override {}

  std::vector<std::string> questions;
  std::vector<Seen> seen;
  bool bounces = false;
};

// One connection: one smtp(8) process.
class Rig {
 public:
  explicit Rig(bool is_trusted = true)
      : session_(oracle, settings_, counters, &witness, is_trusted, 4242) {
    put("a.test", Level::Encrypt, Fallback::AfterRetry);
    put("b.test", Level::Secure, Fallback::Never);
    put("may.test", Level::May, Fallback::AfterRetry);
    put("told.test", Level::Encrypt, Fallback::Bounce);
    put(".below.test", Level::Encrypt, Fallback::AfterRetry);
  }

  void put(const std::string& name, Level level, Fallback fallback) {
    auto& profile = oracle.profiles[name];
    profile.name = "p";
    profile.level = level;
    profile.fallback = fallback;
  }

  std::string ask(const std::string& request) {
    std::string in;
    wire::append_netstring(in, request);
    std::string out;
    REQUIRE(session_.receive(in, out).consumed == in.size());
    const auto parsed = wire::parse_netstring(out, 99'999);
    const auto* frame = std::get_if<wire::Frame>(&parsed);
    REQUIRE(frame != nullptr);
    return std::string(frame->payload);
  }

  FakeOracle oracle;
  FakeWitness witness;
  tlsmap::Counters counters;

 private:
  tlsmap::Settings settings_;
  tlsmap::Session session_;
};

const std::string kSent = "2.0.0 250 2.0.0 taken by mx.good.test";
const std::string kHandshake = "4.7.5 Cannot start TLS: handshake failure";
const std::string kRefused =
    "5.7.0 TLS is required, but host mx.a.test[192.0.2.1] refused to start TLS: 554 go away";

}  // namespace

TEST_CASE("pairing: an outcome nobody asked before is an orphan") {
  Rig rig;
  for (const auto& end : {kSent, kHandshake, kRefused}) {
    CHECK(rig.ask("outcome " + end) == "NOTFOUND ");
  }
  CHECK(rig.witness.seen.empty());
  CHECK(rig.counters.orphans == 3);
  CHECK(rig.counters.outcomes == 0);
}

TEST_CASE("pairing: the first outcome consumes the question") {
  Rig rig;
  rig.ask("policy a.test");
  rig.ask("outcome " + kSent);
  // Another recipient, a message with TLS-Required: no, a cached connection: nobody can tell.
  rig.ask("outcome " + kHandshake);
  rig.ask("outcome " + kHandshake);
  REQUIRE(rig.witness.seen.size() == 1);
  CHECK(rig.witness.seen[0].key == "a.test");
  CHECK(rig.witness.seen[0].evidence.outcome.security == Security::Encrypted);
  CHECK(rig.counters.outcomes == 1);
  CHECK(rig.counters.orphans == 2);
}

TEST_CASE("pairing: of two questions the last one has the outcome, the older one none ever") {
  Rig rig;
  rig.ask("policy a.test");
  rig.ask("policy b.test");
  rig.ask("outcome " + kSent);
  rig.ask("outcome " + kHandshake);
  REQUIRE(rig.witness.seen.size() == 1);
  CHECK(rig.witness.seen[0].key == "b.test");
  CHECK(rig.witness.seen[0].evidence.outcome.security == Security::Authenticated);
  CHECK(rig.counters.orphans == 1);
}

TEST_CASE("pairing: the level is the one that was answered last") {
  Rig rig;
  rig.ask("policy may.test");
  rig.ask("outcome " + kSent);
  CHECK(rig.witness.seen.back().evidence.outcome.security == Security::Unknown);
  rig.put("may.test", Level::Encrypt, Fallback::AfterRetry);
  rig.ask("policy may.test");
  rig.put("may.test", Level::May, Fallback::AfterRetry);
  rig.ask("outcome " + kSent);
  CHECK(rig.witness.seen.back().evidence.outcome.security == Security::Encrypted);
}

TEST_CASE("pairing: what strict raised is what proves TLS") {
  Rig rig;
  rig.put("may.test", Level::Encrypt, Fallback::AfterRetry);  // as the oracle does for `strict`
  rig.ask("strict may.test");
  rig.ask("outcome " + kSent);
  CHECK(rig.witness.seen.back().evidence.outcome.security == Security::Encrypted);
}

TEST_CASE("pairing: mail that arrived where we gave no policy proves nothing") {
  Rig rig;
  SECTION("not found: main.cf decided") {
    rig.ask("policy unknown.test");
  }
  SECTION("TEMP: nobody asked the peer") {
    rig.oracle.is_unsure = true;
    CHECK(rig.ask("policy a.test").starts_with("TEMP "));
  }
  SECTION("NOTFOUND after a policy for the same name") {
    rig.ask("policy a.test");
    rig.oracle.profiles.erase("a.test");
    rig.ask("policy a.test");
  }
  rig.ask("outcome " + kSent);
  REQUIRE(rig.witness.seen.size() == 1);
  CHECK(rig.witness.seen[0].evidence.outcome.security == Security::Unknown);
  rig.ask("outcome " + kRefused);
  CHECK(rig.counters.kept == 0);
}

TEST_CASE("pairing: over the walk to the parents the name that was asked first counts") {
  Rig rig;
  CHECK(rig.ask("policy mx.a.below.test") == "NOTFOUND ");
  CHECK(rig.ask("policy .a.below.test") == "NOTFOUND ");
  CHECK(rig.ask("policy .below.test") == "OK encrypt");
  rig.ask("outcome " + kSent);
  REQUIRE(rig.witness.seen.size() == 1);
  CHECK(rig.witness.seen[0].key == "mx.a.below.test");
  CHECK(rig.witness.seen[0].evidence.outcome.security == Security::Encrypted);
  CHECK(rig.witness.questions == std::vector<std::string>{"4242 mx.a.below.test"});
}

TEST_CASE("pairing: a parent of something else, and one asked late, is nobody's question") {
  Rig rig;
  std::size_t known = 0;
  SECTION("of something else") {
    rig.ask("policy other.test");
    rig.ask("policy .below.test");
  }
  SECTION("after the outcome") {
    rig.ask("policy x.below.test");
    rig.ask("outcome " + kHandshake);
    rig.ask("policy .below.test");
    known = 1;
  }
  rig.ask("outcome " + kSent);
  CHECK(rig.witness.seen.size() == known);
  CHECK(rig.counters.orphans == 1);
}

TEST_CASE("pairing: an outcome of another view is an orphan, and takes the question from nobody") {
  Rig rig;
  rig.ask("policy@v1 a.test");
  CHECK(rig.ask("outcome " + kRefused) == "NOTFOUND ");
  CHECK(rig.ask("outcome@v2 " + kHandshake) == "NOTFOUND ");
  CHECK(rig.witness.seen.empty());
  CHECK(rig.counters.orphans == 2);
  rig.ask("outcome@v1 " + kSent);
  REQUIRE(rig.witness.seen.size() == 1);
  CHECK(rig.witness.seen[0].view == "v1");
}

TEST_CASE("pairing: a key that is no outcome counts for nothing") {
  Rig rig;
  rig.ask("policy a.test");
  for (const std::string end : {"", "4.7.5", "nonsense", "4.7.5\tCannot start TLS", "9.9.9 x"}) {
    CHECK(rig.ask("outcome " + end) == "NOTFOUND ");
  }
  CHECK(rig.witness.seen.empty());
  CHECK(rig.counters.orphans == 5);
}

TEST_CASE("pairing: an outcome as long as a request can be is read to its end and no further") {
  Rig rig;
  rig.ask("policy a.test");
  const std::string rest = std::string(15'000, 'x') + "Cannot start TLS: handshake failure";
  rig.ask("outcome 4.7.5 host mx.a.test[192.0.2.1] said: 454 " + rest);
  CHECK(rig.counters.outcomes == 1);
  CHECK(rig.witness.seen.empty());
  rig.ask("policy a.test");
  rig.ask("outcome 2.0.0 250 2.0.0 " + rest);
  REQUIRE(rig.witness.seen.size() == 1);
  CHECK_FALSE(rig.witness.seen[0].evidence.outcome.cause);
  CHECK(rig.witness.seen[0].evidence.text.size() < 100);
}

TEST_CASE("pairing: other maps between question and outcome change nothing") {
  Rig rig;
  rig.ask("policy a.test");
  rig.ask("transport b.test");
  rig.ask("sender-transport u@b.test");
  rig.ask("nonsense b.test");
  rig.ask("outcome " + kSent);
  REQUIRE(rig.witness.seen.size() == 1);
  CHECK(rig.witness.seen[0].key == "a.test");
}

TEST_CASE("trust: what a stranger says is marked as his") {
  for (const bool is_trusted : {true, false}) {
    Rig rig(is_trusted);
    rig.ask("policy a.test");
    rig.ask("outcome " + kHandshake);
    REQUIRE(rig.witness.seen.size() == 1);
    CHECK(rig.witness.seen[0].evidence.is_trusted == is_trusted);
    CHECK(rig.counters.untrusted == (is_trusted ? 0 : 1));
  }
}

TEST_CASE("trust: a peer that says our words is believed nothing") {
  Rig rig;
  rig.witness.bounces = true;
  rig.ask("policy told.test");
  const auto reply =
      rig.ask("outcome 4.7.5 host mx.evil.test[192.0.2.66] said: 454 4.7.5 " + kHandshake);
  CHECK(reply == "NOTFOUND ");
  CHECK(rig.counters.outcomes == 1);
  CHECK(rig.witness.seen.empty());
}

TEST_CASE("rewrite: a refused STARTTLS waits, for every recipient of the delivery") {
  Rig rig;
  rig.ask("policy a.test");
  const std::string expected =
      "OK 4.7.0 TLS is required, but host mx.a.test[192.0.2.1] refused to start TLS";
  CHECK(rig.ask("outcome " + kRefused) == expected);
  CHECK(rig.ask("outcome " + kRefused) == expected);
  CHECK(rig.counters.kept == 2);
  CHECK(rig.witness.seen.size() == 1);
}

TEST_CASE("rewrite: with fallback bounce a refused STARTTLS bounces, as Postfix has it") {
  Rig rig;
  rig.ask("policy told.test");
  CHECK(rig.ask("outcome " + kRefused) == "NOTFOUND ");
}

TEST_CASE("rewrite: the sender is told of the delivery that was asked for, and of no other") {
  Rig rig;
  rig.witness.bounces = true;
  rig.ask("policy told.test");
  CHECK(rig.ask("outcome " + kHandshake) ==
        "OK 5.7.5 TLS is required, and could not be started: handshake failure");
  // The same words again may be another destination's, which nobody asked about [O 10]: its mail
  // must not bounce.
  CHECK(rig.ask("outcome " + kHandshake) == "NOTFOUND ");
  CHECK(rig.counters.bounced == 1);
  CHECK(rig.counters.orphans == 1);
}

TEST_CASE("rewrite: where we gave no policy nobody's mail is turned") {
  Rig rig;
  rig.witness.bounces = true;
  rig.ask("policy unknown.test");
  CHECK(rig.ask("outcome " + kHandshake) == "NOTFOUND ");
  rig.ask("policy unknown.test");
  CHECK(rig.ask("outcome " + kRefused) == "NOTFOUND ");
}
