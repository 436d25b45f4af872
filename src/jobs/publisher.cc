#include "src/jobs/publisher.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "src/base/counted.h"
#include "src/base/log.h"
#include "src/base/text.h"
#include "src/jobs/compare_images.h"

namespace jobs {
namespace {

// What an operator is told beside every trouble: nothing has changed for Postfix.
std::string describe_policy(const std::optional<image::Stamp>& stamp) {
  if (!stamp)
    return "there is no earlier policy, so in mode enforce every look-up is answered TEMP and mail "
           "waits";
  return fmt::format("the policy of {} with {} stays in force",
                     base::iso_time(base::sys_seconds(std::chrono::seconds(stamp->built_at))),
                     base::counted(stamp->rows, "row"));
}

}  // namespace

void Publisher::adopt(base::UniqueFd image_fd) {
  auto image = image::Image::map(image_fd.get(), image::Image::Checksum::Now);
  if (!image) {
    base::log_warning("the last known good policy is of no use: {}", image.error());
    return;
  }
  in_force_.fd = std::move(image_fd);
  in_force_.image = std::move(*image);
  status_.in_force = in_force_.image->stamp();
  is_adopted_ = true;
}

void Publisher::poll(base::sys_seconds now) {
  auto seen = look_(now);
  if (auto* compiled = std::get_if<store::Compiled>(&seen)) take(std::move(*compiled), now);
  if (const auto* trouble = std::get_if<store::Trouble>(&seen)) take(*trouble, now);
  if (std::holds_alternative<store::Unchanged>(seen) && unmapped_) {
    take(*std::exchange(unmapped_, std::nullopt), now);
  }
}

void Publisher::take(store::Compiled compiled, base::sys_seconds now) {
  unmapped_.reset();
  auto image = image::Image::map(compiled.image.get(), image::Image::Checksum::Later);
  if (!image) {
    // The database says it once; what lacks is memory, or a descriptor.
    change_state(State::Trouble, "not-built",
                 fmt::format("{}; that is tried again; {}", image.error(),
                             describe_policy(status_.in_force)),
                 now);
    unmapped_ = std::move(compiled);
    if (!in_force_.image) outlet_.announce_no_policy();
    return;
  }
  for (const std::string& warning : compiled.warnings) base::log_warning("policy.db: {}", warning);
  Policy policy{std::move(compiled.image), std::move(*image), std::move(compiled.faults),
                compiled.fault_count};
  if (in_force_.image) {
    auto differences = compare_tables(*in_force_.image, *policy.image, now);
    if (std::any_of(differences.begin(), differences.end(), engine::needs_acceptance)) {
      hold(std::move(policy), std::move(differences), now);
      return;
    }
  }
  put_in_force(std::move(policy), now);
}

void Publisher::take(const store::Trouble& trouble, base::sys_seconds now) {
  // A database that can't be read takes back what it said before: an admin must not accept that.
  pending_ = {};
  unmapped_.reset();
  status_.pending.clear();
  change_state(State::Trouble, trouble.code,
               fmt::format("{}; {}", trouble.text, describe_policy(status_.in_force)), now);
  if (is_first_word_due()) outlet_.announce_no_policy();
}

void Publisher::put_in_force(Policy policy, base::sys_seconds now) {
  const bool is_new =
      !in_force_.image || in_force_.image->stamp().digest != policy.image->stamp().digest;
  for (const auto& fault : policy.faults) {
    if (!is_new) break;
    base::log_error("{} {}: {}; {} until the row is mended", fault.table_name,
                    base::printable(fault.key), fault.why,
                    fault.table_name == "outbound" ? "its name is answered TEMP"
                                                   : "mail that it would judge is deferred");
  }
  in_force_ = std::move(policy);
  is_adopted_ = false;
  pending_ = {};
  status_.pending.clear();
  status_.in_force = in_force_.image->stamp();
  status_.faults = in_force_.faults;
  status_.fault_count = in_force_.fault_count;
  const auto text = fmt::format("{}, {} faulty", base::counted(status_.in_force->rows, "row"),
                                status_.in_force->faulty_rows);
  if (is_new) base::log_info("policy published: {}", text);
  change_state(State::Live, "", text, now);
  outlet_.publish(in_force_.fd.get());
}

void Publisher::hold(Policy policy, std::vector<engine::Difference> differences,
                     base::sys_seconds now) {
  pending_ = std::move(policy);
  status_.pending = std::move(differences);
  change_state(
      State::Waiting, "waiting",
      fmt::format(
          "the new content of policy.db would {}; {} until somebody says \"tlspolicyctl accept\" "
          "or mends the database",
          describe_taking(status_.pending), describe_policy(status_.in_force)),
      now);
  if (is_first_word_due()) outlet_.announce_no_policy();
}

Publisher::Accepted Publisher::accept(base::sys_seconds now) {
  // What is accepted is what the database says now, not what it said when the admin looked away.
  poll(now);
  if (!pending_.image) {
    return {false, {}, status_.state == State::Trouble ? status_.text : std::string()};
  }
  Accepted accepted{true, status_.pending, {}};
  base::log_warning("accepted by an admin: {}", describe_taken(accepted.differences));
  put_in_force(std::exchange(pending_, {}), now);
  return accepted;
}

void Publisher::publish_again() {
  if (is_adopted_ && status_.state == State::Starting) return;  // the first look is about to tell
  if (in_force_.image) {
    outlet_.publish(in_force_.fd.get());
  } else if (status_.state == State::Trouble) {
    outlet_.announce_no_policy();
  }
}

void Publisher::change_state(State state, std::string code, std::string text,
                             base::sys_seconds now) {
  const bool is_changed = status_.state != state || status_.code != code;
  if (is_changed) status_.since = now;
  if (is_changed || status_.text != text) {
    if (state == State::Trouble || state == State::Waiting) {
      base::log_error("policy.db: {}: {}", code, text);
    } else if (is_changed && status_.state == State::Trouble) {
      base::log_info("policy.db: usable again");
    }
  }
  status_.state = state;
  status_.code = std::move(code);
  status_.text = std::move(text);
}

}  // namespace jobs
