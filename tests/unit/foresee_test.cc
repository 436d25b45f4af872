#include "src/engine/foresee.h"

#include "tests/unit/catch.h"

using engine::Ending;
using engine::foresee;
using engine::Foreseen;
using model::Cause;
using model::Level;
using model::Outcome;
using model::Security;

namespace {

model::Asked asked(std::optional<Level> level, model::Fallback fallback = model::Fallback::Never) {
  return {"peer.example", "some", level, fallback};
}

const Outcome kNobodyKnows{Security::Unknown, {}};
const Outcome kInTls{Security::Encrypted, {}};
const Outcome kInClear{Security::Clear, {}};
const Outcome kFellBack{Security::Clear, Cause::Plaintext};
const Outcome kHandshake{Security::Unknown, Cause::HandshakeFailure};
const Outcome kBadName{Security::Encrypted, Cause::CertificateHostMismatch};
const Outcome kVerified{Security::Authenticated, {}};
const Outcome kOurs{Security::Unknown, Cause::LocalFault};

}  // namespace

TEST_CASE("foresee: what a level would have made of each ending") {
  struct Line {
    Level level;
    Foreseen nobody, tls, clear, fell_back, handshake, bad_name, verified, ours;
  };
  constexpr auto kP = Foreseen::Passed;
  constexpr auto kW = Foreseen::Waited;
  constexpr auto kU = Foreseen::Unknown;
  const Line line = GENERATE(values<Line>({
      {Level::None, kP, kP, kP, kP, kP, kP, kP, kP},
      {Level::May, kP, kP, kP, kP, kP, kP, kP, kP},
      {Level::Encrypt, kU, kP, kW, kW, kW, kP, kP, kU},
      {Level::Fingerprint, kU, kU, kW, kW, kW, kU, kU, kU},
      {Level::Dane, kU, kU, kU, kU, kU, kU, kU, kU},
      {Level::DaneOnly, kU, kU, kW, kW, kW, kU, kU, kU},
      {Level::Verify, kU, kU, kW, kW, kW, kW, kP, kU},
      {Level::Secure, kU, kU, kW, kW, kW, kW, kU, kU},
  }));
  CAPTURE(model::to_word(line.level));
  const auto row = asked(line.level);
  CHECK(foresee(row, kNobodyKnows) == line.nobody);
  CHECK(foresee(row, kInTls) == line.tls);
  CHECK(foresee(row, kInClear) == line.clear);
  CHECK(foresee(row, kFellBack) == line.fell_back);
  CHECK(foresee(row, kHandshake) == line.handshake);
  CHECK(foresee(row, kBadName) == line.bad_name);
  CHECK(foresee(row, kVerified) == line.verified);
  CHECK(foresee(row, kOurs) == line.ours);
}

TEST_CASE("foresee: fallback bounce tells the sender, and a row at fault holds all mail") {
  CHECK(foresee(asked(Level::Encrypt, model::Fallback::Bounce), kInClear) == Foreseen::Bounced);
  CHECK(foresee(asked(Level::Encrypt, model::Fallback::Bounce), kInTls) == Foreseen::Passed);
  CHECK(foresee(asked(std::nullopt), kInTls) == Foreseen::Waited);
}

TEST_CASE("foresee: how a delivery ended") {
  CHECK(engine::ending_of(kNobodyKnows) == Ending::Unknown);
  CHECK(engine::ending_of(kInTls) == Ending::Tls);
  CHECK(engine::ending_of(kVerified) == Ending::Tls);
  CHECK(engine::ending_of(kInClear) == Ending::Clear);
  CHECK(engine::ending_of(kFellBack) == Ending::Clear);
  CHECK(engine::ending_of(kHandshake) == Ending::Failed);
  CHECK(engine::ending_of(kBadName) == Ending::Failed);
}
