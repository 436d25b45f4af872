// What role `http` is told and tells. It asks for what there is to see; that `answer` serves it is
// told without asking.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wire {

enum class HttpToStore : std::uint8_t {
  Ask = 1,  // somebody wants to see an Overview
};

enum class StoreToHttp : std::uint8_t {
  Overview = 1,  // one descriptor, sealed: an Overview as JSON (overview_json.h)
};

// Once a second while it serves, and whenever that changes.
enum class AnswerToHttp : std::uint8_t {
  Serving = 1,  // digest of the image in force, 8 bytes; 0 = none
};

// One role as the parent knows it; FromParent::Roles has one behind the other.
struct RoleRecord {
  std::string name;
  std::int64_t pid = 0;        // 0: it does not run
  std::uint64_t restarts = 0;  // after deaths, since the parent started
  bool operator==(const RoleRecord&) const = default;
};
void append_role_record(std::string& out, const RoleRecord& record);
// At most 16 of them; nothing where it does not parse.
std::optional<std::vector<RoleRecord>> parse_role_records(std::string_view payload);

}  // namespace wire
