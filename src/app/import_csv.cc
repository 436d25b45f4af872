// read_csv(): rows by the names of their columns.
#include <fmt/format.h>

#include <algorithm>

#include "src/app/ctl_output.h"
#include "src/app/ctl_table.h"
#include "src/app/ctl_time.h"
#include "src/app/import_file.h"
#include "src/base/text.h"
#include "src/model/next_hop.h"
#include "src/wire/csv.h"

namespace app::ctl {
namespace {

using Fault = std::optional<std::string>;

constexpr std::int64_t kLastSecond = 253'402'300'799;  // of the year 9999
constexpr std::size_t kLongestProse = 1000;            // characters, as the database has it

// Column name to the place of its field, or what is wrong with the first line.
base::Result<std::vector<std::string>> read_header(const wire::CsvRecord& record) {
  std::vector<std::string> columns;
  const auto& known = outbound_columns();
  if (!record.fault.empty()) return base::Error{std::string(record.fault)};
  for (const auto& field : record.fields) {
    auto name = std::string(base::trim(field));
    if (name != kSettingsColumn && std::find(known.begin(), known.end(), name) == known.end()) {
      return base::Error{fmt::format("there is no column \"{}\"; allowed are {}, {}",
                                     base::printable(name, 60), base::join(known, ", "),
                                     kSettingsColumn)};
    }
    if (std::find(columns.begin(), columns.end(), name) != columns.end()) {
      return base::Error{fmt::format("column {} is named twice", name)};
    }
    columns.push_back(std::move(name));
  }
  for (const char* needed : {"destination", "profile"}) {
    if (std::find(columns.begin(), columns.end(), needed) == columns.end()) {
      return base::Error{fmt::format("there is no column {}, and no row can do without", needed)};
    }
  }
  return columns;
}

Fault take_prose(std::string_view column, std::string&& field, std::optional<std::string>& target) {
  if (field.empty()) return std::nullopt;
  if (!is_prose(field) || count_characters(field) > kLongestProse) {
    return fmt::format("{} must be 1 to {} characters of UTF-8 without control characters", column,
                       kLongestProse);
  }
  target = std::move(field);
  return std::nullopt;
}

// Seconds since the epoch, as the column holds them, or a date; nothing that is counted from now,
// which would be another time whenever the file is read.
Fault take_expiry(std::string_view field, std::optional<std::int64_t>& target) {
  if (field.empty()) return std::nullopt;
  if (const auto second = base::parse_number<std::int64_t>(field)) {
    target = *second;
  } else if (field.find('-') != field.npos) {
    if (const auto at = parse_expiry(field, {})) target = at->time_since_epoch().count();
  }
  if (target && *target >= 1 && *target <= kLastSecond) return std::nullopt;
  return fmt::format(
      "expires_at is \"{}\"; allowed are seconds since 1970-01-01 00:00 UTC, or a date in UTC "
      "(2026-11-22 or 2026-11-22T08:15)",
      base::printable(field, 60));
}

Fault take_mode(std::string&& field, std::string& target) {
  if (field.empty()) return std::nullopt;
  if (!model::parse_row_mode(field)) {
    return fmt::format("mode is \"{}\"; allowed are enforce and observe",
                       base::printable(field, 60));
  }
  target = std::move(field);
  return std::nullopt;
}

Fault take_field(std::string_view column, std::string&& field, store::OutboundRow& row,
                 std::string& settings) {
  if (column == "destination") {
    auto key = model::parse_destination(field);
    if (!key) return key.error();
    row.destination = std::move(key->text);
  } else if (column == "profile") {
    if (!model::is_profile_name(field)) {
      return fmt::format("profile is \"{}\", which is no profile's name",
                         base::printable(field, 70));
    }
    row.profile = std::move(field);
  } else if (column == "match") {
    if (!field.empty()) row.match = std::move(field);
  } else if (column == "mode") {
    return take_mode(std::move(field), row.mode);
  } else if (column == "owner") {
    return take_prose(column, std::move(field), row.owner);
  } else if (column == "reason") {
    return take_prose(column, std::move(field), row.reason);
  } else if (column == "expires_at") {
    return take_expiry(field, row.expires_at);
  } else if (column == "comment") {
    return take_prose(column, std::move(field), row.comment);
  } else {
    settings = std::move(field);
  }
  return std::nullopt;
}

class CsvRows {
 public:
  CsvRows(ImportFile& file, std::vector<std::string> columns)
      : file_(file), columns_(std::move(columns)) {}

  void take(wire::CsvRecord&& record) {
    auto& row = file_.rows.emplace_back();
    row.line = static_cast<std::uint32_t>(record.line);
    std::string settings;
    auto fault = fill(std::move(record), row.row, settings);
    if (!fault && !settings.empty()) fault = take_settings(row.row.profile, settings);
    if (!fault) return;
    const bool is_named = !row.row.destination.empty();
    file_.refused.add(row.line,
                      is_named ? fmt::format("{}: {}", row.row.destination, *fault) : *fault);
    row.is_refused = true;
    if (!is_named) file_.rows.pop_back();
  }

 private:
  Fault fill(wire::CsvRecord&& record, store::OutboundRow& row, std::string& settings) {
    if (!record.fault.empty()) return std::string(record.fault);
    if (record.fields.size() != columns_.size()) {
      return fmt::format("it has {} fields, the first line {}", record.fields.size(),
                         columns_.size());
    }
    Fault first;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      auto fault = take_field(columns_[i], std::move(record.fields[i]), row, settings);
      if (fault && !first) first = std::move(fault);
    }
    return first;
  }

  Fault take_settings(const std::string& profile, const std::string& settings) {
    const auto& known = file_.profile_settings.emplace(profile, settings).first->second;
    if (known == settings) return std::nullopt;
    return fmt::format("profile {} has other settings here than on a line before", profile);
  }

  ImportFile& file_;
  std::vector<std::string> columns_;
};

}  // namespace

ImportFile read_csv(std::string_view text) {
  ImportFile file;
  file.format = FileFormat::Csv;
  wire::CsvReader reader(text);
  const auto header = reader.next();
  if (!header) return file;
  file.is_empty = false;
  auto columns = read_header(*header);
  if (!columns) {
    file.refused.add(header->line, columns.error());
    return file;
  }
  file.columns.insert(columns->begin(), columns->end());
  CsvRows rows(file, std::move(*columns));
  while (auto record = reader.next()) rows.take(std::move(*record));
  settle_duplicates(file);
  return file;
}

}  // namespace app::ctl
