#include "src/app/ctl_rows.h"

#include "src/base/text.h"

namespace app::ctl {

Json to_json(const store::OutboundRow& row) {
  return {{"destination", row.destination},
          {"profile", row.profile},
          {"match", to_json(row.match)},
          {"mode", row.mode},
          {"owner", to_json(row.owner)},
          {"reason", to_json(row.reason)},
          {"expires_at", row.expires_at ? Json(*row.expires_at) : Json(nullptr)},
          {"comment", to_json(row.comment)}};
}

Json to_json(const store::ProfileRow& row) {
  Json object = Json::object();
  for (const auto& column : row) {
    const auto number = column.is_number && column.text
                            ? base::parse_number<std::int64_t>(*column.text)
                            : std::nullopt;
    object[column.name] = number ? Json(*number) : to_json(column.text);
  }
  return object;
}

std::string text_of(const store::ProfileRow& row, std::string_view column) {
  for (const auto& each : row) {
    if (each.name == column) return each.text.value_or("");
  }
  return {};
}

std::string settings_of(const store::ProfileRow& row) {
  std::string settings;
  for (const auto& column : row) {
    if (!column.text || column.name == "name" || column.name == "level" ||
        column.name == "fallback" || column.name == "comment") {
      continue;
    }
    if (!settings.empty()) settings += ' ';
    settings += column.name + "=" + *column.text;
  }
  return settings;
}

}  // namespace app::ctl
