// Any bytes as the source of a Postfix table. Each line is an entry or named as a fault, in order;
// an entry written out again reads the same. A policy that is taken can be answered to the oldest
// and the newest Postfix; what the newest is answered is the same policy, and what the oldest is
// answered, which knows no upper bound of protocols, reads as one that is answered in these words.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "src/base/text.h"
#include "tlsmap/policy_parse.h"
#include "tlsmap/policy_text.h"
#include "tlsmap/table_source.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

constexpr model::PostfixVersion kOldest{3, 4, 0};
constexpr model::PostfixVersion kNewest{3, 11, 0};

std::string written_for(const tlsmap::ParsedPolicy& policy, const model::PostfixVersion& version) {
  model::Verdict verdict;
  verdict.kind = model::Verdict::Kind::Policy;
  verdict.level = policy.profile.level;
  verdict.row.profile = &policy.profile;
  verdict.row.match = policy.match;
  std::string written;
  require(tlsmap::append_policy_text(written, verdict, version).ok());
  return written;
}

void check_policy(std::string_view text) {
  const auto policy = tlsmap::parse_policy(text);
  if (!policy) {
    require(!policy.error().empty());
    require(policy.error() == base::printable(policy.error(), policy.error().size()));
    return;
  }
  for (const auto& version : {kOldest, kNewest}) {
    const auto written = written_for(*policy, version);
    const auto again = tlsmap::parse_policy(written);
    require(again.ok() && again->match == policy->match);
    require(again->profile.fallback == policy->profile.fallback);
    const auto kept = tlsmap::without_unknown_attributes(policy->profile, version);
    if (version == kNewest) {
      require(tlsmap::attribute_key(again->profile) == tlsmap::attribute_key(kept));
    }
    require(written_for(*again, version) == written);
  }
  require(model::is_profile_name(tlsmap::telling_name(policy->profile)));
}

void check_entry(const tlsmap::SourceEntry& entry) {
  require(!entry.key.empty() && !entry.value.empty());
  require(entry.value.find('\n') == entry.value.npos);
  const std::string line = std::string(entry.key) + "\t" + std::string(entry.value) + "\n";
  tlsmap::SourceReader reader(line);
  const auto again = reader.next();
  require(again.has_value() && std::holds_alternative<tlsmap::SourceEntry>(*again));
  const auto& same = std::get<tlsmap::SourceEntry>(*again);
  require(same.key == entry.key && same.value == entry.value && same.line == 1);
  require(!reader.next().has_value());
  check_policy(entry.value);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(bytes), size);
  tlsmap::SourceReader reader(text);
  std::size_t before = 0;
  while (const auto item = reader.next()) {
    const auto* entry = std::get_if<tlsmap::SourceEntry>(&*item);
    const auto line = entry ? entry->line : std::get<tlsmap::SourceFault>(*item).line;
    require(line > before);
    before = line;
    if (entry) check_entry(*entry);
  }
  return 0;
}
