#include "src/app/probe_setup.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>

#include "src/base/handle.h"
#include "src/base/text.h"
#include "src/model/next_hop.h"

namespace app {
namespace {

constexpr const char* kResolvConf = "/etc/resolv.conf";
constexpr std::size_t kLargestResolvConf = 64U * 1024;
constexpr std::size_t kLongestHostName = 256;

// What can't be read is as good as empty, for the C library too: 127.0.0.1 is asked.
std::string read_resolv_conf() {
  const base::UniqueFd opened(::open(kResolvConf, O_RDONLY | O_CLOEXEC));
  std::string text;
  std::array<char, 4096> buffer{};
  while (opened && text.size() < kLargestResolvConf) {
    const auto got = ::read(opened.get(), buffer.data(), buffer.size());
    if (got <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return text;
}

}  // namespace

std::string find_ehlo_name() {
  std::array<char, kLongestHostName> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return {};
  auto lower = base::to_lower(name.data());
  const bool is_full = lower.find('.') != std::string::npos && model::is_domain(lower);
  return is_full ? lower : std::string();
}

base::Result<wire::ResolverChoice> choose_resolver(const Config& config) {
  if (config.resolver.empty()) return wire::parse_resolv_conf(read_resolv_conf());
  auto choice = wire::parse_resolver_setting(config.resolver);
  if (!choice) return base::Error{"resolver: " + choice.error()};
  return choice;
}

}  // namespace app
