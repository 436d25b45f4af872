#include "src/wire/http_message.h"

#include "src/base/bytes.h"

namespace wire {
namespace {

constexpr std::size_t kMostRoles = 16;

}  // namespace

void append_role_record(std::string& out, const RoleRecord& record) {
  base::append_text(out, record.name);
  base::append_number<std::int64_t>(out, record.pid);
  base::append_number<std::uint64_t>(out, record.restarts);
}

std::optional<std::vector<RoleRecord>> parse_role_records(std::string_view payload) {
  base::ByteReader from(payload);
  std::vector<RoleRecord> records;
  while (from.ok() && from.at() < payload.size()) {
    if (records.size() == kMostRoles) return std::nullopt;
    RoleRecord& record = records.emplace_back();
    record.name = from.text();
    record.pid = from.number<std::int64_t>();
    record.restarts = from.number<std::uint64_t>();
  }
  if (!from.ok()) return std::nullopt;
  return records;
}

}  // namespace wire
