// One socketmap connection: requests in, replies out, in order, one for one (util/dict_sockmap.c).
// No sockets, no policy: it asks an Oracle, and tells a Witness what came of the deliveries.
//
// A connection is one smtp(8) process [F 4.4], which asks for a destination, delivers, and says how
// that ended. Only the first outcome after a question is evidence, of the last key asked; every
// other one is an orphan, because Postfix delivers without asking too [O 10].
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "src/model/oracle.h"
#include "src/model/postfix_version.h"
#include "src/model/witness.h"
#include "src/net/session.h"
#include "tlsmap/map_name.h"

namespace tlsmap {

// One frame, all of it: more than Postfix's longest key since 3.12 (10,000 bytes) and a map name.
inline constexpr std::size_t kLongestRequest = 16'000;

// What map sender-transport answers: a service of master.cf, and the recipient's own next-hop
// (DESIGN section 5).
inline constexpr std::string_view kTlsOnlyTransport = "smtp-strict:";

enum class Status : std::uint8_t { Ok, NotFound, Temp, Perm };

// What was answered; one for the whole role, counted by its sessions.
struct Counters {
  // [table][status]; unknown map names are counted apart.
  std::array<std::array<std::uint64_t, 4>, 5> answers{};
  std::uint64_t unknown_map = 0;
  std::uint64_t malformed = 0;
  std::uint64_t outcomes = 0;   // that belonged to a question
  std::uint64_t orphans = 0;    // that did not
  std::uint64_t untrusted = 0;  // of the first, from a peer whose word changes nothing
  std::uint64_t kept = 0;       // 5xx to STARTTLS that was kept from bouncing
  std::uint64_t bounced = 0;    // that told the sender at once
};

// What may change at a reload; outlives its sessions.
struct Settings {
  model::PostfixVersion version;
};

class Session final : public net::Session {
 public:
  // All outlive the session. Without a witness nobody learns from outcomes. `is_trusted`: what this
  // peer says of a delivery may change an answer (DESIGN section 3, "Trust"). `pid`: its process, 0
  // where the kernel doesn't say.
  Session(model::Oracle& oracle, const Settings& settings, Counters& counters,
          model::Witness* witness = nullptr, bool is_trusted = false, std::int64_t pid = 0)
      : oracle_(oracle),
        settings_(settings),
        counters_(counters),
        witness_(witness),
        is_trusted_(is_trusted),
        pid_(pid) {}

  Step receive(std::string_view in, std::string& out) override;
  bool look_ahead(std::string_view in) override;
  void look_further() override { oracle_.look_further(ahead_); }

 private:
  void answer(std::string_view request, std::string& out);
  void answer_policy(const MapName& name, std::string_view asked, std::string& out);
  void put_policy(const MapName& name, const model::Verdict& verdict, std::string& out);
  void answer_outcome(const MapName& name, std::string_view asked, std::string& out);
  void answer_sender_transport(const MapName& name, std::string_view asked, std::string& out);
  void answer_transport(const MapName& name, std::string_view asked, std::string& out);
  // What `asked_` was answered.
  void remember(const MapName& name, const model::Verdict& verdict, bool is_answered);
  std::optional<std::string> rewrite(const MapName& name, std::string_view asked);
  void show(std::string_view map, const model::Key& key, const std::string& out,
            std::size_t start) const;
  void put_not_found(Table table, std::string& out);
  void put_ok(Table table, std::string_view value, std::string& out);
  void count(Table table, Status status) {
    ++counters_.answers.at(static_cast<std::size_t>(table)).at(static_cast<std::size_t>(status));
  }

  // The last question.
  struct Question {
    std::string view;
    model::Key key;
    std::optional<model::Level> level;  // that was answered; none: main.cf decides, or TEMP
    std::optional<model::Fallback> fallback;
    bool is_open = false;  // no outcome has come since
  };

  model::Oracle& oracle_;
  const Settings& settings_;
  Counters& counters_;
  model::Witness* witness_;
  bool is_trusted_;
  std::int64_t pid_;
  std::optional<Question> last_;
  model::Whereabouts ahead_{};
  model::Key asked_;  // of the question at hand; its memory is used again
};

}  // namespace tlsmap
