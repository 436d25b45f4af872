#include "src/app/doctor_command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "src/base/clock.h"
#include "src/base/handle.h"
#include "src/base/text.h"

namespace app::doctor {
namespace {

constexpr const char* kMorePlaces = "/usr/sbin:/usr/local/sbin:/sbin:/opt/postfix/sbin";

struct Pipe {
  base::UniqueFd read_end;
  base::UniqueFd write_end;
};

base::Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return base::Error{std::strerror(errno)};
  return Pipe{base::UniqueFd(ends[0]), base::UniqueFd(ends[1])};
}

// A started program; killed and reaped when it goes.
class Running {
 public:
  static base::Result<Running> start(const std::vector<std::string>& argv, std::string_view input) {
    auto in = make_pipe();
    auto out = make_pipe();
    auto err = make_pipe();
    if (!in || !out || !err) return base::Error{"there are no free file descriptors"};
    std::vector<char*> pointers;
    pointers.reserve(argv.size() + 1);
    for (const auto& word : argv) pointers.push_back(const_cast<char*>(word.c_str()));
    pointers.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, in->read_end.get(), STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, out->write_end.get(), STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, err->write_end.get(), STDERR_FILENO);
    Running running;
    const int failed = ::posix_spawn(&running.pid_, argv.front().c_str(), &actions, nullptr,
                                     pointers.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) {
      running.pid_ = -1;
      return base::Error{fmt::format("{}: {}", argv.front(), std::strerror(failed))};
    }
    // It fits into the pipe, so it is written at once; a program that wants none of it is fine.
    static_cast<void>(!::write(in->write_end.get(), input.data(), input.size()));
    running.out_ = std::move(out->read_end);
    running.err_ = std::move(err->read_end);
    return running;
  }

  Running(Running&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)),
        out_(std::move(other.out_)),
        err_(std::move(other.err_)) {}
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  Running& operator=(Running&&) = delete;
  ~Running() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  // Until both pipes are closed, or `take` wants no more; the reason why not. `take` removes from
  // the output what it has used.
  base::Result<void> read_all(const CommandLimits& limits, std::string& out, std::string& err,
                              const std::function<bool(std::string&)>& take) {
    const base::SystemClock clock;
    const auto deadline = clock.steady() + limits.patience;
    while (out_ || err_) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock.steady());
      if (left.count() <= 0) return base::Error{"it takes too long"};
      std::array<pollfd, 2> polled{pollfd{out_.get(), POLLIN, 0}, pollfd{err_.get(), POLLIN, 0}};
      if (::poll(polled.data(), polled.size(), static_cast<int>(left.count())) < 0 &&
          errno != EINTR) {
        return base::Error{std::strerror(errno)};
      }
      if (polled[0].revents != 0) read_some(out_, out);
      if (polled[1].revents != 0) read_some(err_, err);
      if (take && !take(out)) return {};
      if (out.size() > limits.output || err.size() > kLargestOutput) {
        return base::Error{"it prints too much"};
      }
    }
    return {};
  }

  // The exit status; 128 and more for a signal.
  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  Running() = default;

  static void read_some(base::UniqueFd& from, std::string& to) {
    std::array<char, 65536> chunk{};
    const ssize_t got = ::read(from.get(), chunk.data(), chunk.size());
    if (got > 0) {
      to.append(chunk.data(), static_cast<std::size_t>(got));
    } else if (got == 0 || errno != EINTR) {
      from.reset();
    }
  }

  pid_t pid_ = -1;
  base::UniqueFd out_;
  base::UniqueFd err_;
};

std::string last_line(std::string_view text) {
  const auto lines = base::split(text, "\r\n");
  return lines.empty() ? "it says nothing" : base::printable(lines.back(), 300);
}

}  // namespace

std::string find_program(const std::string& program) {
  const char* path = std::getenv("PATH");
  const auto places = fmt::format("{}:{}", path == nullptr ? "/usr/bin" : path, kMorePlaces);
  for (const auto place : base::split(places, ":")) {
    auto file = fmt::format("{}/{}", place, program);
    if (place.starts_with('/') && ::access(file.c_str(), X_OK) == 0) return file;
  }
  return {};
}

base::Result<std::string> run_program(const std::vector<std::string>& argv, std::string_view input,
                                      bool accepts_one) {
  const auto name = argv.front().substr(argv.front().rfind('/') + 1);
  if (input.size() > kLargestInput) return base::Error{name + ": too many questions at once"};
  auto running = Running::start(argv, input);
  if (!running) return base::Error{running.error()};
  std::string out;
  std::string err;
  if (auto read = running->read_all({}, out, err, nullptr); !read) {
    return base::Error{fmt::format("{}: {}", name, read.error())};
  }
  const int status = running->wait();
  if (status != 0 && !(accepts_one && status == 1 && err.empty())) {
    return base::Error{fmt::format("{}: exit status {}: {}", name, status, last_line(err))};
  }
  return out;
}

base::Result<void> run_by_line(const std::vector<std::string>& argv, const CommandLimits& limits,
                               const std::function<bool(std::string_view)>& on_line) {
  const auto name = argv.front().substr(argv.front().rfind('/') + 1);
  auto running = Running::start(argv, {});
  if (!running) return base::Error{running.error()};
  bool goes_on = true;
  std::size_t searched = 0;
  const auto take = [&](std::string& out) {
    std::size_t used = 0;
    for (auto end = out.find('\n', searched); goes_on && end != std::string::npos;
         end = out.find('\n', used)) {
      goes_on = on_line(std::string_view(out).substr(used, end - used));
      used = end + 1;
    }
    out.erase(0, used);
    searched = out.size();
    return goes_on;
  };
  std::string out;
  std::string err;
  if (auto read = running->read_all(limits, out, err, take); !read) {
    return base::Error{fmt::format("{}: {}", name, read.error())};
  }
  if (!goes_on) return {};
  if (!out.empty()) on_line(out);
  if (const int status = running->wait(); status != 0) {
    return base::Error{fmt::format("{}: exit status {}: {}", name, status, last_line(err))};
  }
  return {};
}

}  // namespace app::doctor
