#include "src/app/import_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "src/base/text.h"
#include "src/model/next_hop.h"
#include "src/wire/csv.h"
#include "tlsmap/table_source.h"

namespace app::ctl {
namespace {

// Lines of one file mostly say one of a few policies.
class PolicyTexts {
 public:
  explicit PolicyTexts(std::vector<tlsmap::ParsedPolicy>& policies) : policies_(policies) {}

  base::Result<std::uint32_t> find(std::string_view text) {
    const auto known = known_.find(std::string(text));
    if (known != known_.end()) return known->second;
    auto parsed = tlsmap::parse_policy(text);
    if (!parsed) return base::Error{parsed.error()};
    policies_.push_back(std::move(*parsed));
    const auto index = static_cast<std::uint32_t>(policies_.size() - 1);
    if (known_.size() < kMostKnown) known_.emplace(text, index);
    return index;
  }

 private:
  // Beyond this, texts with a match each, most likely; remembering them saves nothing.
  static constexpr std::size_t kMostKnown = 10'000;
  std::vector<tlsmap::ParsedPolicy>& policies_;
  std::unordered_map<std::string, std::uint32_t> known_;
};

// What a row of a Postfix table may be about; Postfix asks for nothing else.
base::Result<std::string> parse_table_key(std::string_view written) {
  if (written == "*" || written == "[*]") {
    return base::Error{fmt::format(
        "\"{0}\" is a key that Postfix never asks for; it would hold for all destinations here "
        "(if that is meant: tlspolicyctl set '{0}' PROFILE), take the line out",
        written)};
  }
  auto key = model::parse_destination(written);
  if (!key) return base::Error{key.error()};
  return std::move(key->text);
}

void take_entry(const tlsmap::SourceEntry& entry, PolicyTexts& texts, ImportFile& file) {
  auto key = parse_table_key(entry.key);
  if (!key) return file.refused.add(entry.line, key.error());
  auto& row = file.rows.emplace_back();
  row.line = static_cast<std::uint32_t>(entry.line);
  row.row.destination = std::move(*key);
  const auto policy = texts.find(entry.value);
  if (!policy) {
    file.refused.add(entry.line, fmt::format("{}: {}", row.row.destination, policy.error()));
    row.is_refused = true;
    return;
  }
  const auto& parsed = file.policies[*policy];
  row.policy = *policy;
  if (!parsed.match.empty()) row.row.match = parsed.match;
  if (parsed.has_ignored_attributes) {
    file.notes.add(
        entry.line,
        fmt::format("{}: level none uses no TLS; its attributes are left out, as Postfix "
                    "ignores them",
                    row.row.destination));
  }
}

bool says_the_same(const ImportFile& file, const FileRow& a, const FileRow& b) {
  if (a.is_refused || b.is_refused || a.row != b.row) return false;
  if (file.format == FileFormat::Csv || a.policy == b.policy) return true;
  return tlsmap::attribute_key(file.policies[a.policy].profile) ==
         tlsmap::attribute_key(file.policies[b.policy].profile);
}

}  // namespace

void LineNotes::add(std::size_t line, std::string text) {
  if (++count_ <= kMostKept) notes_.push_back({line, std::move(text)});
}

std::vector<LineNotes::Note> LineNotes::sorted() const {
  auto notes = notes_;
  std::stable_sort(notes.begin(), notes.end(),
                   [](const Note& a, const Note& b) { return a.line < b.line; });
  return notes;
}

const std::vector<std::string>& outbound_columns() {
  static const std::vector<std::string> kColumns{"destination", "profile", "match",      "mode",
                                                 "owner",       "reason",  "expires_at", "comment"};
  return kColumns;
}

FileFormat detect_format(std::string_view text) {
  const auto first = wire::CsvReader(text).next();
  if (!first) return FileFormat::TlsPolicy;
  const bool has_destination =
      std::any_of(first->fields.begin(), first->fields.end(),
                  [](const std::string& field) { return base::trim(field) == "destination"; });
  return has_destination ? FileFormat::Csv : FileFormat::TlsPolicy;
}

ImportFile read_tls_policy(std::string_view text) {
  ImportFile file;
  file.format = FileFormat::TlsPolicy;
  PolicyTexts texts(file.policies);
  tlsmap::SourceReader reader(text);
  while (const auto item = reader.next()) {
    file.is_empty = false;
    if (const auto* entry = std::get_if<tlsmap::SourceEntry>(&*item)) {
      take_entry(*entry, texts, file);
    } else {
      const auto& fault = std::get<tlsmap::SourceFault>(*item);
      file.refused.add(fault.line, fault.text);
    }
  }
  settle_duplicates(file);
  return file;
}

void settle_duplicates(ImportFile& file) {
  const auto comes_first = [](const FileRow& a, const FileRow& b) {
    const int order = a.row.destination.compare(b.row.destination);
    return order < 0 || (order == 0 && a.line < b.line);
  };
  if (!std::is_sorted(file.rows.begin(), file.rows.end(), comes_first)) {
    std::sort(file.rows.begin(), file.rows.end(), comes_first);
  }
  const auto is_further = [&](const FileRow& first, const FileRow& next) {
    if (first.row.destination != next.row.destination) return false;
    if (next.is_refused) return true;
    auto text = fmt::format("{} stands on line {} already", next.row.destination, first.line);
    if (says_the_same(file, first, next)) {
      file.notes.add(next.line, text + " and says the same there; one row is made of both");
    } else {
      file.refused.add(next.line, text +
                                      " and says something else there; keep one of the two "
                                      "(of a hash: table Postfix uses the first)");
    }
    return true;
  };
  file.rows.erase(std::unique(file.rows.begin(), file.rows.end(), is_further), file.rows.end());
}

}  // namespace app::ctl
