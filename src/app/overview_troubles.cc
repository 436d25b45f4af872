// What is not well, in sentences.
#include <fmt/format.h>

#include "src/app/overview_gatherer.h"
#include "src/base/counted.h"
#include "src/base/text.h"
#include "src/jobs/compare_images.h"

namespace app {
namespace {

constexpr std::size_t kLongest = 600;

void add_policy(std::vector<std::string>& troubles, const jobs::Publisher::Status& status,
                std::string_view mode) {
  if (!status.in_force) {
    const bool observes = mode == model::to_word(model::RowMode::Observe);
    troubles.emplace_back(
        observes ? "No policy is in force: every look-up is answered NOTFOUND (mode observe), and "
                   "main.cf decides."
                 : "No policy is in force: every look-up is answered TEMP, and mail waits.");
  }
  if (status.state == jobs::Publisher::State::Trouble) {
    // Its own sentence says what is served meanwhile.
    troubles.push_back(
        fmt::format("policy.db can't be used: {}", base::printable(status.text, kLongest)));
  }
  if (!status.pending.empty()) {
    troubles.push_back(
        fmt::format("A new policy waits: it would {}. If that is meant: tlspolicyctl accept; if "
                    "not, put policy.db right.",
                    jobs::describe_taking(status.pending)));
  }
}

void add_faults(std::vector<std::string>& troubles, const jobs::Publisher::Status& status) {
  for (const auto& fault : status.faults) {
    troubles.push_back(fmt::format("{} {}: {}. Its mail waits until the row is mended.",
                                   fault.table_name, base::printable(fault.key, kLongest),
                                   base::printable(fault.why, kLongest)));
  }
  if (status.fault_count > status.faults.size()) {
    troubles.push_back(fmt::format(
        "{} faulty; tlspolicyctl explain says why of one.",
        base::counted(status.fault_count - status.faults.size(), "more row is", "more rows are")));
  }
}

void add_feedback(std::vector<std::string>& troubles, const wire::AnswerStats& stats) {
  if (stats.frozen != 0) {
    troubles.emplace_back(
        "A freeze is in force: so much failed at once that the fault is likely ours, and nothing "
        "is "
        "lowered or bounced until few enough fail; tlspolicyctl decisions says when it began.");
  }
  if (stats.ingest.is_log_missing != 0) {
    troubles.emplace_back(
        "The mail log (maillog) can't be read: how deliveries end is not seen in it; tlspolicyctl "
        "doctor says why.");
  }
}

}  // namespace

std::vector<std::string> list_troubles(const ControlDesk::Report& report,
                                       const std::vector<wire::RoleRecord>& roles,
                                       std::string_view mode) {
  std::vector<std::string> troubles;
  add_policy(troubles, *report.publisher, mode);
  // Among them that `answer` is not connected.
  for (const auto& alarm : report.alarms) troubles.push_back(base::printable(alarm, kLongest));
  for (const auto& role : roles) {
    if (role.pid != 0) continue;
    troubles.push_back(fmt::format(
        "Role {} does not run, and is started again soon; its log says why it ended.", role.name));
  }
  if (report.answer) add_feedback(troubles, *report.answer);
  add_faults(troubles, *report.publisher);
  return troubles;
}

}  // namespace app
