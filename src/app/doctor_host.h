// What doctor knows when it judges a host: values alone, gathered before by doctor_gather.h or made
// up by a test. Knows no file, no process and no socket.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/app/config.h"
#include "src/model/level.h"
#include "src/model/postfix_version.h"
#include "src/store/policy_summary.h"
#include "tlsmap/postconf.h"

namespace app::doctor {

struct Service {
  tlsmap::MasterService master;
  bool is_chrooted = false;
  // What holds for it where master.cf overrides something: every parameter, expanded.
  std::optional<tlsmap::Parameters> effective{};

  [[nodiscard]] std::string key() const { return master.name + "/" + master.type; }
};

struct Instance {
  std::string name;             // "-" for the first one, as postmulti says
  std::string directory;        // of its main.cf
  bool needs_directory = true;  // false: postconf finds it without -c
  model::PostfixVersion version;
  std::string version_text;
  tlsmap::Parameters parameters{};  // every one, expanded
  tlsmap::Parameters written{};     // those in main.cf, as they stand there
  std::vector<Service> services{};

  // Expanded; empty for a parameter that this Postfix doesn't know.
  [[nodiscard]] std::string_view value(std::string_view parameter) const;
  [[nodiscard]] std::string_view value(const Service& service, std::string_view parameter) const;
  [[nodiscard]] bool knows(std::string_view parameter) const;
  // The text to edit: of master.cf's -o option, of main.cf, or "" where neither has it.
  [[nodiscard]] std::string_view written_value(const Service* service,
                                               std::string_view parameter) const;
  [[nodiscard]] std::string_view queue_directory() const { return value("queue_directory"); }
};

// Whether a service got through to a server.
struct Reach {
  enum class Outcome : std::uint8_t { Connected, Failed, NotTried };
  Outcome outcome = Outcome::NotTried;
  int error = 0;     // errno of a failure
  std::string text;  // strerror, or why it was not tried
};

struct FileFact {
  bool exists = false;
  std::string trouble{};  // why it can't be looked at, where it can't
  std::uint32_t mode = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::string owner{};
  std::string group{};
};

// What one of the admin's tables says about where mail for a destination goes.
struct RouteFact {
  std::size_t instance = 0;
  std::string parameter{};
  std::string table{};
  std::string destination{};  // of a row
  std::string profile{};      // its
  std::string result{};       // empty: nothing
  std::string trouble{};      // why it can't be looked up
};

// The row that answers for a next-hop which main.cf, master.cf or a table names.
struct HopRow {
  std::string row{};  // empty: none, main.cf decides
  std::string profile{};
  model::Level level = model::Level::May;
  model::Fallback fallback = model::Fallback::Never;
  bool is_faulty = false;
};

// Where mail for a domain goes by DNS.
struct MxFact {
  std::vector<std::string> hosts{};
  std::string trouble{};
};

struct PostfixHost {
  std::vector<Instance> instances{};
  std::vector<std::string> troubles{};      // instances that could not be read, one sentence each
  std::map<std::string, Reach> reaches{};   // by reach_key()
  std::map<std::string, FileFact> files{};  // by absolute path
  std::map<std::string, std::vector<std::string>> nameservers{};  // by path of a resolv.conf
  std::vector<RouteFact> routes{};
};

// A user with its groups, for questions of who may read a file.
struct Account {
  std::string name{};
  std::uint32_t uid = 0;
  std::vector<std::uint32_t> gids{};
};

struct OurSide {
  Config config;
  std::string config_file{};
  std::vector<std::string> config_errors{};
  struct Daemon {
    bool is_up = false;
    bool is_well = true;
    std::string text{};           // why it can't be reached, or what it says
    bool is_log_missing = false;  // it can't read what maillog names
  } daemon{};
  std::optional<Account> account{};              // whom the daemon runs as, where it is known
  std::optional<store::PolicySummary> policy{};  // nothing: policy_trouble says why
  std::string policy_trouble{};
  std::map<std::string, HopRow, std::less<>> hops{};  // by next-hop as written
  // Rules of table inbound that ask for something, and for a client certificate.
  struct Inbound {
    std::size_t rules = 0;
    std::size_t certificate_rules = 0;
  } inbound{};
  // Rows of table submission, and those whose senders' mail goes by TLS alone.
  struct Submission {
    std::size_t rules = 0;
    std::size_t tls_only_rules = 0;
  } submission{};
  std::map<std::string, MxFact> mx{};  // of rows at secure without a match
  // What the daemon's checks of the last hours say of our own network.
  struct Network {
    std::size_t hosts = 0;                   // that offered STARTTLS before
    std::optional<std::string> own_fault{};  // a sentence, where many of them lost it at once
  } network{};
};

// Under which `reaches` holds whether `service` gets through to `endpoint`.
std::string reach_key(const Instance& instance, const Service& service,
                      const tlsmap::Endpoint& endpoint);

// The path that a service opens when it is told `path`: relative to the queue directory, and all of
// it below that directory in a chroot [F 1.3].
std::string seen_path(const Instance& instance, const Service& service, std::string_view path);

struct Finding {
  enum class State : std::uint8_t { Ok, Warning, Error, Skipped };
  std::string check{};
  std::string instance{};  // empty: the host as a whole
  std::string service{};   // "smtp/unix"; empty: the instance as a whole
  std::string looked_at{};
  State state = State::Ok;
  std::string text{};
  std::vector<std::string> fixes{};  // lines to run or to write, in this order
};
using Findings = std::vector<Finding>;

std::string_view to_word(Finding::State state);
// `text` with a full stop, unless it ends like a sentence already.
std::string end_sentence(std::string text);

}  // namespace app::doctor
