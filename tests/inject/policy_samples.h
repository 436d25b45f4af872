// A policy as the scenarios use it, and how to read one back.
#pragma once

#include <string>

#include "src/base/clock.h"
#include "src/image/reader.h"
#include "src/store/policy_db.h"

namespace inject {

inline constexpr base::sys_seconds kNow{std::chrono::seconds{1'800'000'000}};

// Stands for the grammar of Postfix.
std::optional<std::string> accept_all(const model::Profile& profile, std::string_view match);

// Writes `count` rows of outbound, d00.example on, and one rule each of the other tables.
void fill(store::PolicyDb& db, int count);
// A new policy.db with those in it, in one file: nothing is left in a -wal.
void make_policy_db(const std::string& path, int count);

// Everything that an image says, one line a row; what can't be read says so.
std::string describe(const image::Image& image);
std::string describe_image(int fd);
// The image that a database compiles to, in those words; no failure is expected.
std::string describe_policy_db(const std::string& path);

// What SQLite finds wrong with a file, or nothing.
std::string find_damage(const std::string& path);

}  // namespace inject
