// The verbs of tlspolicyctl: what the command line can hold, and a function for each file that adds
// some verbs to it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "src/app/ctl_context.h"
#include "src/app/ctl_verb.h"

namespace app::ctl {

// The arguments of all verbs; only one verb runs, so they share names. Empty: not given.
struct Arguments {
  std::string destination;
  std::string profile;
  std::string match;
  std::string mode;
  std::string owner;
  std::string reason;
  std::string expires;
  std::string comment;
  std::vector<std::string> settings;  // of a profile: column=value
  std::string key;
  std::string map = "policy";
  std::string seq;
  std::string since;
  std::string head;
  bool is_verification = false;
  bool is_observed = false;
  bool is_inbound = false;
  std::vector<std::string> facts;  // of an incoming mail: word=value
  std::string client;              // of a rule for incoming or submitted mail, from here on
  std::string sender;
  std::string require;
  std::string min_protocol;
  std::uint32_t min_bits = 0;
  std::string ccert_name;
  std::string ccert_issuer;
  std::string ccert_fingerprint;
  std::string on_violation;
  std::int64_t learn_count = 0;
  std::string text;
  std::string view;
  std::string duration;
  std::vector<std::string> logs;
  bool propose = false;
  std::uint64_t at_least = 1;
  std::string file;
  std::string format;  // of import, export and check-forwards
  std::string postfix_version;
  bool is_dry_run = false;
  bool is_sync = false;
  bool shows_progress = false;
  std::vector<std::string> postfix_configs;  // directories
  std::string address;
  std::vector<std::string> files;
  std::vector<std::string> local_domains;
  std::string otherwise;
  std::vector<std::string> destinations;
  bool asks_for_plain_mail = false;
  bool leaves_weak_tls = false;
  bool is_self = false;
  bool checks_now = false;
  bool shows_changes = false;
  bool goes_on = false;
  std::string period;
  std::string until;
  bool is_csv = false;
};

using Run = Exit (*)(const Context& context, const Arguments& arguments);

// Filled while the line is parsed.
struct CommandLine {
  Arguments arguments;
  Run run = nullptr;  // of the verb that was given
  ConfigNeed need = ConfigNeed::Sound;
};

inline constexpr const char* kPolicyGroup = "The policy";
inline constexpr const char* kAskingGroup = "Asking";
inline constexpr const char* kDaemonGroup = "The running daemon";
inline constexpr const char* kDatabaseGroup = "The database";

// `name` under `parent`, which runs `run` once it was given.
Verb add_verb(const Verb& parent, CommandLine& line, const char* name, const char* meaning, Run run,
              ConfigNeed need = ConfigNeed::Sound);

// --postfix-config: which instances of Postfix to look at.
void add_postfix_option(const Verb& verb, CommandLine& line);

void add_database_verbs(const Verb& root, CommandLine& line);  // init upgrade undo
void add_outbound_verbs(const Verb& root, CommandLine& line);  // set remove list
void add_inbound_verbs(const Verb& root, CommandLine& line);   // inbound list|add|remove|report
void add_inbound_report_verb(const Verb& inbound, CommandLine& line);
void add_import_verb(const Verb& root, CommandLine& line);
void add_export_verb(const Verb& root, CommandLine& line);
void add_profile_verbs(const Verb& root, CommandLine& line);  // profile list|show|set|remove
void add_probe_verb(const Verb& root, CommandLine& line);
void add_query_verb(const Verb& root, CommandLine& line);
void add_explain_verb(const Verb& root, CommandLine& line);
void add_learn_verb(const Verb& root, CommandLine& line);
void add_daemon_verbs(const Verb& root, CommandLine& line);  // status accept
void add_state_verbs(const Verb& root, CommandLine& line);   // state reset panic
void add_decisions_verb(const Verb& root, CommandLine& line);
void add_report_verb(const Verb& root, CommandLine& line);
void add_trace_verb(const Verb& root, CommandLine& line);
void add_doctor_verb(const Verb& root, CommandLine& line);
void add_held_verb(const Verb& root, CommandLine& line);
void add_can_receive_verb(const Verb& root, CommandLine& line);
void add_submission_verbs(const Verb& root, CommandLine& line);  // submission list|set|remove
void add_submission_decisions_verb(const Verb& submission, CommandLine& line);
void add_check_forwards_verb(const Verb& root, CommandLine& line);
void add_watch_verb(const Verb& root, CommandLine& line);

}  // namespace app::ctl
