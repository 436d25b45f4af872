#include "tests/inject/policy_samples.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include "src/store/policy_source.h"
#include "src/store/sqlite.h"
#include "tests/inject/scenario.h"

namespace inject {

std::optional<std::string> accept_all(const model::Profile& /*profile*/,
                                      std::string_view /*match*/) {
  return std::nullopt;
}

void fill(store::PolicyDb& db, int count) {
  static constexpr std::array<const char*, 5> kProfiles{"required", "secure", "off", "dane",
                                                        "preferred"};
  for (int i = 0; i < count; ++i) {
    store::OutboundRow row;
    row.destination = fmt::format("d{:02}.example", i);
    row.profile = kProfiles.at(static_cast<std::size_t>(i) % kProfiles.size());
    if (row.profile == "secure") row.match = "mx." + row.destination + ":.mx." + row.destination;
    if (i == 7) row.expires_at = 1'900'000'000;
    must(db.set_outbound(row));
  }
  store::InboundRow inbound;
  inbound.rule.sender = "a.example";
  must(db.add_inbound(inbound));
  store::SubmissionRow submission;
  submission.sender = "boss@a.example";
  must(db.set_submission(submission));
}

void make_policy_db(const std::string& path, int count) {
  must(store::PolicyDb::init(path));
  auto db = must(store::PolicyDb::open(path, store::PolicyDb::Access::ReadWrite));
  fill(db, count);
}

std::string describe(const image::Image& image) {
  std::string text;
  image.for_each_row([&text](const model::PolicyRow& row) {
    text += fmt::format("{} {} {} {} {}\n", row.destination,
                        row.fault.empty() ? row.profile->name : "!" + std::string(row.fault),
                        row.profile == nullptr ? "" : model::to_word(row.profile->level), row.match,
                        row.expires_at);
    return true;
  });
  for (const auto& rule : image.inbound_rules()) {
    text += fmt::format("inbound {} {} {}\n", rule.client, rule.sender, rule.fault);
  }
  for (const auto& rule : image.submission_rules()) {
    text += fmt::format("submission {} {}\n", rule.sender, rule.fault);
  }
  return text;
}

std::string describe_image(int fd) {
  const auto image = image::Image::map(fd, image::Image::Checksum::Now);
  return image.ok() ? describe(**image) : image.error();
}

std::string describe_policy_db(const std::string& path) {
  store::PolicySource source(path, accept_all, std::chrono::nanoseconds{0});
  auto seen = source.poll(kNow);
  if (const auto* trouble = std::get_if<store::Trouble>(&seen)) return trouble->text;
  const auto* compiled = std::get_if<store::Compiled>(&seen);
  return compiled == nullptr ? "unchanged" : describe_image(compiled->image.get());
}

std::string find_damage(const std::string& path) {
  auto [db, failure] = store::Database::open(path, SQLITE_OPEN_READWRITE, 1000);
  if (failure.failed()) return failure.text;
  const auto [finding, check_failure] = db.text("PRAGMA integrity_check");
  if (check_failure.failed()) return check_failure.text;
  return finding == "ok" ? "" : finding;
}

}  // namespace inject
