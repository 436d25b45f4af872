#include "tlsmap/policy_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "src/base/text.h"
#include "tlsmap/grammar.h"
#include "tlsmap/values.h"

namespace tlsmap {
namespace {

using model::Level;
using model::PostfixVersion;
using model::Profile;

// Since when Postfix reads them [F 2.4].
constexpr PostfixVersion kServerName{3, 4, 0};
constexpr PostfixVersion kProtocolBounds{3, 6, 0};
constexpr PostfixVersion kEnableRpk{3, 9, 0};

// Whether the value stays one token in every version: braces begin to mean something in 3.10.
bool is_one_token(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) {
    return c > ' ' && c <= '~' && c != ',' && c != '{' && c != '}';
  });
}

// "protocols=..." in the form that `version` reads. Below 3.6 a `>=` is an invalid list, which at
// `may` ends in plaintext [F 2.4]; the exclusions say the same everywhere.
std::string protocols_text(const Profile& profile, const PostfixVersion& version) {
  if (profile.min_protocol && version >= kProtocolBounds) {
    return fmt::format(">={}", model::to_word(*profile.min_protocol));
  }
  std::string bounds;
  if (profile.min_protocol) bounds = fmt::format(">={}", model::to_word(*profile.min_protocol));
  const auto list = parse_protocols(profile.min_protocol ? bounds : profile.protocols);
  const bool is_readable = !list.has_bounds || version >= kProtocolBounds;
  if (is_readable || !list.unknown.empty()) return profile.protocols;
  std::string exclusions;
  append_exclusions(exclusions, list.usable);
  return exclusions;
}

// Collects the attributes behind a level; the first value that can't be one token is kept as a
// fault.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  void put(std::string_view name, std::string_view value) {
    if (value.empty()) return;
    if (!is_one_token(value) && fault_.empty()) {
      fault_ = fmt::format("{} \"{}\" holds a blank, a comma, a brace or a byte outside ASCII",
                           name, base::printable(value, 60));
    }
    out_ += ' ';
    out_ += name;
    out_ += '=';
    out_ += value;
  }
  void put(std::string_view name, std::optional<bool> value) {
    if (value) put(name, std::string_view(*value ? "yes" : "no"));
  }
  [[nodiscard]] const std::string& fault() const { return fault_; }

 private:
  std::string& out_;
  std::string fault_;
};

bool has_attributes(const Profile& p) {
  return p.min_protocol || !p.protocols.empty() || !p.ciphers.empty() || !p.exclude.empty() ||
         !p.tafile.empty() || !p.servername.empty() || p.connection_reuse || p.enable_rpk;
}

void put_attributes(Writer& writer, const model::Verdict& verdict, const PostfixVersion& version) {
  const Profile& profile = *verdict.row.profile;
  if (model::is_match_allowed(verdict.level)) writer.put("match", verdict.row.match);
  if (!has_attributes(profile)) return;
  writer.put("protocols", protocols_text(profile, version));
  writer.put("ciphers", profile.ciphers);
  writer.put("exclude", profile.exclude);
  if (verdict.level == Level::Verify || verdict.level == Level::Secure) {
    writer.put("tafile", profile.tafile);
  }
  if (version >= kServerName) writer.put("servername", profile.servername);
  if (has_connection_reuse(version)) writer.put("connection_reuse", profile.connection_reuse);
  if (version >= kEnableRpk) writer.put("enable_rpk", profile.enable_rpk);
}

}  // namespace

base::Result<void> append_policy_text(std::string& out, const model::Verdict& verdict,
                                      const PostfixVersion& version) {
  if (verdict.row.profile == nullptr) return base::Error{"the row has no profile"};
  const auto start = out.size();
  out += model::to_word(verdict.level);
  Writer writer(out);
  if (verdict.level != Level::None) put_attributes(writer, verdict, version);
  auto fault = writer.fault();
  if (fault.empty()) {
    // Every version of ours knows every level: alone it is never refused.
    if (out.size() == start + model::to_word(verdict.level).size()) return {};
    const auto objection = find_objection(std::string_view(out).substr(start), version);
    if (!objection) return {};
    fault = fmt::format("Postfix {} would refuse it: {}", model::to_text(version), *objection);
  }
  out.resize(start);
  return base::Error{std::move(fault)};
}

}  // namespace tlsmap
