// The roles of the program, after Postfix's own model: one binary, started again under another
// name.
#pragma once

#include <optional>
#include <string_view>

namespace app {

enum class Role { Answer, Store, Ingest, Net, Http };

// "tlspolicyd: answer": argv[0] of the role, and so what ps shows.
inline constexpr std::string_view kRolePrefix = "tlspolicyd: ";
std::string_view to_word(Role role);
std::optional<Role> parse_role(std::string_view argv0);

// The descriptor on which a role finds its channel to the parent.
inline constexpr int kParentChannel = 3;

// Each serves until the parent says Stop or is gone; returns the exit status.
int run_answer();
int run_store();
int run_ingest();
int run_net();
int run_http();

}  // namespace app
