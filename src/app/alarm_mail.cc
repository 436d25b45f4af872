#include "src/app/alarm_mail.h"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "src/app/spawn_attributes.h"
#include "src/base/handle.h"
#include "src/base/log.h"
#include "src/base/text.h"

namespace app {
namespace {

constexpr std::size_t kLongestText = 500;     // with the rest of its line below RFC 5322's 998
constexpr std::size_t kLongestSubject = 120;  // what an alarm is about
constexpr std::size_t kLongestMailbox = 254;

// What came from the network is shown, never interpreted: no line end of it reaches the message.
std::string shown(const std::string& text, std::size_t limit = kLongestText) {
  return base::printable(text, limit);
}

std::string title_of(const wire::AlarmMessage& alarm) {
  return fmt::format("{}{}{}{}", shown(alarm.what), alarm.is_over ? " over" : "",
                     alarm.destination.empty() ? "" : ": ", shown(alarm.destination));
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(fd, bytes.data(), bytes.size());
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::lseek(fd, 0, SEEK_SET) == 0;
}

// Of RFC 5321's atoms those without '!', '%' and '|', which old mailers take for routes.
bool is_atom(std::string_view text) {
  return !text.empty() && text.front() != '-' && text.front() != '.' && text.back() != '.' &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return base::is_alnum(c) ||
                  std::string_view("#$&'*+-./=?^_`{}~").find(c) != std::string_view::npos;
         });
}

bool is_domain_text(std::string_view text) {
  return !text.empty() && text.front() != '-' && text.front() != '.' && text.back() != '.' &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return base::is_alnum(c) || c == '-' || c == '.'; });
}

}  // namespace

void AlarmGathering::add(wire::AlarmMessage alarm, base::sys_seconds at) {
  if (waiting_.size() < kMost) {
    waiting_.push_back({std::move(alarm), at});
  } else {
    ++left_out_;
  }
}

std::optional<base::SteadyPoint> AlarmGathering::due() const {
  return waiting_.empty() ? std::nullopt : std::optional(not_before_);
}

std::optional<std::string> AlarmGathering::take(const std::string& recipient,
                                                const std::string& host, base::SteadyPoint now) {
  if (waiting_.empty() || now < not_before_) return std::nullopt;
  not_before_ = now + kPause;
  const auto count = waiting_.size() + left_out_;
  const auto subject = count == 1 ? shown(title_of(waiting_.front().alarm), kLongestSubject)
                                  : fmt::format("{} alarms", count);
  // RFC 3834 5: nobody is to answer it.
  auto message = fmt::format(
      "To: {}\nSubject: tlspolicyd on {}: {}\nAuto-Submitted: auto-generated\nMIME-Version: 1.0\n"
      "Content-Type: text/plain; charset=us-ascii\n\n",
      recipient, shown(host, kLongestSubject), subject);
  for (const auto& [alarm, at] : waiting_) {
    message +=
        fmt::format("{} {}\n    {}\n", base::iso_time(at), title_of(alarm), shown(alarm.text));
  }
  if (left_out_ > 0) message += fmt::format("{} more: see the log\n", left_out_);
  waiting_.clear();
  left_out_ = 0;
  return message;
}

std::optional<pid_t> start_sendmail(const std::string& command, const std::string& message) {
  const base::UniqueFd memory(::memfd_create("alarm-mail", MFD_CLOEXEC));
  if (!memory || !write_all(memory.get(), message)) {
    base::log_error("alarm_mail: no memory for a mail: {}", std::strerror(errno));
    return std::nullopt;
  }
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, memory.get(), STDIN_FILENO);
  // -t: the recipient stands in the header; -i: a line of a dot ends nothing.
  std::array<std::string, 3> arguments{command, "-i", "-t"};
  std::array<char*, 4> argv{arguments[0].data(), arguments[1].data(), arguments[2].data(), nullptr};
  pid_t pid = -1;
  const SpawnAttributes attributes;
  const int error =
      ::posix_spawn(&pid, command.c_str(), &actions, attributes.get(), argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error == 0) return pid;
  base::log_error("alarm_mail: sendmail_command {}: {}", command, std::strerror(error));
  return std::nullopt;
}

bool is_mailbox(std::string_view text) {
  if (text.size() > kLongestMailbox) return false;
  const auto at = text.rfind('@');
  if (at == std::string_view::npos) return is_atom(text);
  return is_atom(text.substr(0, at)) && is_domain_text(text.substr(at + 1));
}

}  // namespace app
