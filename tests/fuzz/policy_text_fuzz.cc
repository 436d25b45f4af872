// Any profile, match, level and version: either nothing is appended and an error says why, or what
// is appended passes the model of that version's Postfix and carries only what the profile says.
// And the model itself: it never crashes on any text, and what it accepts has a level in front and
// attributes behind it that split as Postfix splits them.
#include <fuzzer/FuzzedDataProvider.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "src/base/text.h"
#include "tlsmap/grammar.h"
#include "tlsmap/policy_text.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

model::PostfixVersion any_version(FuzzedDataProvider& data) {
  return {3, data.ConsumeIntegralInRange<unsigned>(0, 13),
          data.ConsumeIntegralInRange<unsigned>(0, 15)};
}

model::Level any_level(FuzzedDataProvider& data) {
  return model::kLevels.at(data.ConsumeIntegralInRange<std::size_t>(0, model::kLevels.size() - 1));
}

// They get past the first look more often than random bytes do.
constexpr const char* kWords[] = {"high",      "medium",          "!SSLv2:!SSLv3",
                                  ">=TLSv1.2", "TLSv1.2:TLSv1.3", "<=TLSv1.2:>=TLSv1",
                                  "hostname",  "nexthop:.a.test", "aNULL:MD5",
                                  "/ta.pem",   "{ match = x }",   "*.a.test"};

std::string any_value(FuzzedDataProvider& data) {
  if (data.ConsumeBool()) return {};
  if (data.ConsumeBool()) return data.PickValueInArray(kWords);
  return data.ConsumeRandomLengthString(64);
}

std::optional<bool> any_switch(FuzzedDataProvider& data) {
  if (data.ConsumeBool()) return data.ConsumeBool();
  return std::nullopt;
}

model::Profile any_profile(FuzzedDataProvider& data) {
  model::Profile profile;
  profile.name = "fuzzed";
  profile.level = any_level(data);
  profile.protocols = any_value(data);
  if (data.ConsumeBool()) {
    profile.min_protocol = model::kTlsVersions.at(data.ConsumeIntegralInRange<std::size_t>(0, 3));
  }
  profile.ciphers = any_value(data);
  profile.exclude = any_value(data);
  profile.tafile = any_value(data);
  profile.servername = any_value(data);
  profile.connection_reuse = any_switch(data);
  profile.enable_rpk = any_switch(data);
  return profile;
}

std::size_t count_attributes(const model::Profile& p, std::string_view match) {
  return static_cast<std::size_t>(!match.empty()) + (p.min_protocol || !p.protocols.empty()) +
         !p.ciphers.empty() + !p.exclude.empty() + !p.tafile.empty() + !p.servername.empty() +
         p.connection_reuse.has_value() + p.enable_rpk.has_value();
}

void check_appended(std::string_view text, const model::Verdict& verdict,
                    const model::PostfixVersion& version) {
  require(!tlsmap::find_objection(text, version));
  require(text.find_first_of("{}\t\r\n,") == text.npos);
  const auto tokens = base::split(text, " ");
  require(tokens.front() == model::to_word(verdict.level));
  // No value became an attribute of its own.
  require(tokens.size() - 1 <= count_attributes(*verdict.row.profile, verdict.row.match));
  require(verdict.level != model::Level::None || tokens.size() == 1);
}

void check_append(FuzzedDataProvider& data) {
  const auto profile = any_profile(data);
  const auto match = any_value(data);
  const auto version = any_version(data);
  model::Verdict verdict;
  verdict.kind = model::Verdict::Kind::Policy;
  verdict.level = any_level(data);
  verdict.row.profile = &profile;
  verdict.row.match = match;
  std::string out = "kept";
  const auto appended = tlsmap::append_policy_text(out, verdict, version);
  if (appended) {
    check_appended(std::string_view(out).substr(4), verdict, version);
  } else {
    require(out == "kept" && !appended.error().empty());
  }
  // What may be stored is answered to every version that we serve, as it stands and strictly.
  if (const auto fault = tlsmap::find_policy_fault(profile, match)) {
    require(!fault->empty() && *fault == base::printable(*fault, fault->size()));
  } else if (version >= model::PostfixVersion{3, 4, 0} &&
             (verdict.level == profile.level || verdict.level == model::Level::Encrypt)) {
    require(appended.ok());
  }
}

void check_grammar(FuzzedDataProvider& data) {
  const auto version = any_version(data);
  auto text = data.ConsumeRemainingBytesAsString();
  if (const auto objection = tlsmap::find_objection(text, version)) {
    require(!objection->empty() && *objection == base::printable(*objection, objection->size()));
    return;
  }
  const auto tokens = base::split(text, ", \t\r\n");
  require(!tokens.empty() && model::parse_level(base::to_lower(tokens.front())).has_value());
  // An unknown attribute at the end spoils it, unless TLS is off or a brace swallows it.
  const bool is_none = base::is_equal_ignoring_case(tokens.front(), "none");
  if (is_none || text.find('{') != text.npos) return;
  for (const auto token : tokens) require(token == tokens.front() || token.find('=') != token.npos);
  text += " tlspolicyd=1";
  require(tlsmap::find_objection(text, version).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  FuzzedDataProvider data(bytes, size);
  if (data.ConsumeBool()) {
    check_append(data);
  } else {
    check_grammar(data);
  }
  return 0;
}
