#include "tests/inject/runner.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fstream>
#include <new>
#include <sstream>

#include "src/base/log.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif

namespace inject {
namespace {

// How a child says what came of it; other codes are not ours.
constexpr int kExact = 100;
constexpr int kRefused = 101;
constexpr int kWrong = 102;
// Seconds. The longest wait of a scenario is for a reply, 2 s where nothing else runs; a child that
// is still there was caught in a loop.
constexpr unsigned kPatience = 90;

Shared*& shared_of_child() {
  static Shared* one = nullptr;
  return one;
}

// Leaves word of why the process ends, then ends it as it would have.
[[noreturn]] void on_terminate() noexcept {
  disarm();
  if (const auto thrown = std::current_exception()) {
    try {
      std::rethrow_exception(thrown);
    } catch (const std::bad_alloc&) {
      shared_of_child()->is_out_of_memory = true;
    } catch (...) {
      std::abort();
    }
  }
  std::abort();
}

bool has_leaked() {
#if defined(__SANITIZE_ADDRESS__)
  return __lsan_do_recoverable_leak_check() != 0;
#else
  return false;
#endif
}

void put(Shared& shared, std::string_view text) {
  const Calm ours;
  const std::size_t size = std::min(text.size(), shared.text.size() - 1);
  std::memcpy(shared.text.data(), text.data(), size);
  shared.text.at(size) = '\0';
}

int code_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::Exact:
      return kExact;
    case Outcome::Refused:
      return kRefused;
    case Outcome::Wrong:
      return kWrong;
  }
  return kWrong;
}

std::filesystem::path make_root() {
  // Files in memory where there is such a place: a sync of a disk would be most of the time.
  const bool has_shm = ::access("/dev/shm", W_OK | X_OK) == 0;
  std::string name = has_shm ? "/dev/shm" : std::filesystem::temp_directory_path().string();
  name += "/tlspolicyd-inject-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) give_up("mkdtemp " + name);
  return name;
}

}  // namespace

std::string World::path(std::string_view name) const {
  const Calm ours;
  return folder_ + "/" + std::string(name);
}
bool World::is_as_before(std::string_view name) const {
  const auto bytes_of = [name](const std::filesystem::path& folder) {
    std::ostringstream bytes;
    bytes << std::ifstream(folder / name, std::ios::binary).rdbuf();
    return bytes.str();
  };
  const std::filesystem::path now(folder_);
  return bytes_of(now) == bytes_of(now.parent_path() / "begin");
}
Outcome World::refused(std::string_view why) const {
  put(shared_, why);
  return Outcome::Refused;
}
Outcome World::wrong(std::string_view why) const {
  put(shared_, why);
  return Outcome::Wrong;
}

Runner::Runner() : root_(make_root()) {
  void* memory =
      ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) give_up("mmap");
  shared_ = new (memory) Shared{};
}

Runner::~Runner() {
  std::error_code ignored;
  std::filesystem::remove_all(root_, ignored);
  ::munmap(shared_, sizeof(Shared));
}

void Runner::prepare(const Scenario& scenario) {
  std::filesystem::remove_all(root_ / "begin");
  std::filesystem::create_directory(root_ / "begin");
  scenario.prepare(World(root_ / "begin", *shared_));
}

Result Runner::run(const Scenario& scenario, const Fault& fault, std::uint64_t nth, bool is_sticky,
                   bool is_loud) {
  std::filesystem::remove_all(root_ / "now");
  std::filesystem::copy(root_ / "begin", root_ / "now");
  *shared_ = {};
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child < 0) give_up("fork");
  if (child == 0) be_child(scenario, fault, nth, is_sticky, is_loud);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  Result result = judge(scenario, fault, status);
  result.fired = shared_->fired;
  result.calls = shared_->calls;
  return result;
}

void Runner::be_child(const Scenario& scenario, const Fault& fault, std::uint64_t nth,
                      bool is_sticky, bool is_loud) {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::alarm(kPatience);
  std::signal(SIGPIPE, SIG_IGN);
  if (!is_loud) ::dup2(::open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
  base::start_log("tlspolicyd", base::LogLevel::Info);
  shared_of_child() = shared_;
  std::set_terminate(on_terminate);
  Outcome outcome = Outcome::Wrong;
  {
    const World world(root_ / "now", *shared_);
    arm(fault, nth, is_sticky, *shared_);
    outcome = scenario.run(world);
    disarm();
  }
  if (outcome != Outcome::Wrong && has_leaked()) {
    put(*shared_, "memory is lost");
    outcome = Outcome::Wrong;
  }
  std::_Exit(code_of(outcome));
}

Result Runner::judge(const Scenario& scenario, const Fault& fault, int status) const {
  Result result;
  result.text = shared_->text.data();
  const bool is_memory = group_of(fault.call) == Group::Memory;
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && is_memory &&
      shared_->is_out_of_memory) {
    result.ending = Ending::Died;
  } else if (WIFSIGNALED(status)) {
    result.text =
        fmt::format("killed by signal {} ({}){}", WTERMSIG(status), ::strsignal(WTERMSIG(status)),
                    WTERMSIG(status) == SIGALRM ? ": it never ended" : "");
    return result;
  } else if (WEXITSTATUS(status) == kExact) {
    result.ending = Ending::Exact;
  } else if (WEXITSTATUS(status) == kRefused) {
    result.ending = Ending::Refused;
  } else if (WEXITSTATUS(status) == kWrong) {
    return result;
  } else {
    result.ending = Ending::Ended;
    result.text = fmt::format("left with exit status {}", WEXITSTATUS(status));
  }
  const std::string left = scenario.inspect(World(root_ / "now", *shared_));
  if (left.empty()) return result;
  result.ending = Ending::Wrong;
  result.text = fmt::format("left behind: {} (it had said: {})", left, result.text);
  return result;
}

}  // namespace inject
