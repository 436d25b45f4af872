// Any text as tlspolicyd.conf. Laws: the same text gives the same configuration; an accepted one
// has only listeners that can be bound and all numbers in range, and read again as it was written
// out it says the same; each error opens with the file's name.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "src/app/config.h"
#include "src/app/reload.h"

namespace {

constexpr std::string_view kFile = "fuzz.conf";

void must(bool holds) {
  if (!holds) std::abort();
}

void check_listeners(const std::vector<app::Listen>& listeners) {
  for (const auto& listen : listeners) {
    switch (listen.kind) {
      case app::Listen::Kind::Inet:
        must(listen.port > 0 && !listen.host.empty() && listen.path.empty());
        break;
      case app::Listen::Kind::Unix:
        must(listen.path.starts_with('/') && listen.path.size() <= 107);
        break;
      case app::Listen::Kind::Passed:
        must(!listen.path.empty());
        break;
    }
    must(!listen.text.empty());
  }
}

void check_accepted(const app::ParsedConfig& parsed) {
  const app::Config& config = parsed.config;
  must(!config.tlsmap_listen.empty());
  check_listeners(config.tlsmap_listen);
  check_listeners(config.policyd_listen);
  check_listeners(config.http_listen);
  must(config.policy_db.starts_with('/') && config.control_socket.starts_with('/'));
  must(config.policy_db != config.image_file && config.policy_db != config.state_db);
  must(config.socket_mode <= 0777);
  must(config.freeze_share >= 1 && config.freeze_share <= 100);
  must(config.stall_timeout >= 1 && config.stall_timeout <= 3600);
  must(config.postfix_version >= model::PostfixVersion{3, 4, 0});
  must(parsed.values.size() == app::options().size());
  std::string text;
  for (std::size_t i = 0; i < parsed.values.size(); ++i) {
    text += std::string(app::options()[i].name) + " = " + parsed.values[i] + "\n";
  }
  const auto reloaded = app::reload_config(parsed, text, kFile);
  must(reloaded.waiting.empty());
  must(text.size() > app::kLargestConfig || reloaded.parsed.values == parsed.values);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto parsed = app::parse_config(text, kFile);
  const auto again = app::parse_config(text, kFile);
  must(parsed.errors == again.errors && parsed.values == again.values);
  must(parsed.config.tlsmap_listen == again.config.tlsmap_listen);
  for (const auto& error : parsed.errors) {
    must(error.starts_with(std::string(kFile) + ":"));
    for (const char c : error) must(c >= ' ' && c <= '~');
  }
  if (parsed.errors.empty()) check_accepted(parsed);
  return 0;
}
