// One socketmap connection: requests in, replies out, in order, one for one (util/dict_sockmap.c).
// No sockets, no policy: it asks an Oracle.
#pragma once

#include <array>
#include <cstdint>

#include "src/model/oracle.h"
#include "src/model/postfix_version.h"
#include "src/net/session.h"
#include "tlsmap/map_name.h"

namespace tlsmap {

// One frame, all of it: more than Postfix's longest key since 3.12 (10,000 bytes) and a map name.
inline constexpr std::size_t kLongestRequest = 16'000;

enum class Status : std::uint8_t { Ok, NotFound, Temp, Perm };

// What was answered; one for the whole role, counted by its sessions.
struct Counters {
  // [table][status]; unknown map names are counted apart.
  std::array<std::array<std::uint64_t, 4>, 5> answers{};
  std::uint64_t unknown_map = 0;
  std::uint64_t malformed = 0;
};

// What may change at a reload; outlives its sessions.
struct Settings {
  model::PostfixVersion version;
};

class Session final : public net::Session {
 public:
  // All three outlive the session.
  Session(model::Oracle& oracle, const Settings& settings, Counters& counters)
      : oracle_(oracle), settings_(settings), counters_(counters) {}

  Step receive(std::string_view in, std::string& out) override;

 private:
  void answer(std::string_view request, std::string& out);
  void answer_policy(const MapName& name, std::string_view asked, std::string& out);
  void count(Table table, Status status) {
    ++counters_.answers.at(static_cast<std::size_t>(table)).at(static_cast<std::size_t>(status));
  }

  model::Oracle& oracle_;
  const Settings& settings_;
  Counters& counters_;
};

}  // namespace tlsmap
