// A file of rows as it is read for import: its lines as rows in normal form, sorted, and what is
// wrong with those that can't be rows. Judges each line by itself; what the database holds already
// is import_plan.h's business. No I/O.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "src/store/policy_db.h"
#include "tlsmap/policy_parse.h"

namespace app::ctl {

enum class FileFormat : std::uint8_t {
  TlsPolicy,  // the source of a Postfix table for smtp_tls_policy_maps
  Csv,        // the columns of table outbound, named by the first line
};

// What is to be said of lines. All are counted; of very many, only the first that come are kept.
class LineNotes {
 public:
  struct Note {
    std::size_t line = 0;
    std::string text;
  };
  void add(std::size_t line, std::string text);
  [[nodiscard]] std::size_t count() const { return count_; }
  // In order of their lines.
  [[nodiscard]] std::vector<Note> sorted() const;

 private:
  static constexpr std::size_t kMostKept = 10'000;
  std::size_t count_ = 0;
  std::vector<Note> notes_;
};

struct FileRow {
  std::uint32_t line = 0;
  std::uint32_t policy = 0;  // of TlsPolicy: index into ImportFile::policies
  bool is_refused = false;   // names a destination, but nothing that could be its row
  store::OutboundRow row;    // of TlsPolicy: destination and match alone
};

// What column profile_settings says of the profiles that rows name: "level=... ciphers=...".
using ProfileSettings = std::map<std::string, std::string, std::less<>>;

struct ImportFile {
  FileFormat format = FileFormat::TlsPolicy;
  std::vector<FileRow> rows;  // in order of destination, each once
  std::vector<tlsmap::ParsedPolicy> policies;
  std::set<std::string, std::less<>> columns;  // of Csv: those that the file has
  ProfileSettings profile_settings;
  bool is_empty = true;  // not even a line that was refused, nor a header
  LineNotes refused;
  LineNotes notes;
};

// Csv where the first line names a column `destination`.
FileFormat detect_format(std::string_view text);

ImportFile read_tls_policy(std::string_view text);
ImportFile read_csv(std::string_view text);

// Sorts the rows; of those with the same destination keeps one where they say the same, and refuses
// the later ones where they don't.
void settle_duplicates(ImportFile& file);

// The columns of table outbound, in order: what a CSV file may have, besides profile_settings.
const std::vector<std::string>& outbound_columns();
inline constexpr std::string_view kSettingsColumn = "profile_settings";

}  // namespace app::ctl
