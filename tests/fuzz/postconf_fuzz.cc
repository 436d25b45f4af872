// Any bytes as what Postfix's commands print and as the values of main.cf. Laws: every part of a
// list stands in the text, in order, and holds no separator outside braces; names and values are
// trimmed; a socketmap's endpoint and name put together are what was written; nothing is read
// beyond the bounds.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "tlsmap/postconf.h"

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

void check_list(std::string_view text) {
  const char* before = text.data();
  for (const auto part : tlsmap::split_list(text)) {
    must(!part.empty() && part.data() >= before);
    must(part.data() + part.size() <= text.data() + text.size());
    before = part.data() + part.size();
    if (part.find('{') == std::string_view::npos) {
      must(part.find_first_of(", \t\r\n") == std::string_view::npos);
    }
  }
}

void check_tables(std::string_view text) {
  const auto tables = tlsmap::parse_tables(text);
  must(tables.size() == tlsmap::split_list(text).size());
  for (const auto& table : tables) {
    if (!table.endpoint) {
      must(table.map.empty());
      continue;
    }
    must(table.type == "socketmap" &&
         table.text.ends_with("socketmap:" + table.endpoint->text + ":" + table.map));
    must(table.map.find(':') == std::string::npos);
    must(table.endpoint->is_unix ? !table.endpoint->path.empty()
                                 : !table.endpoint->host.empty() && !table.endpoint->port.empty());
  }
}

void check_output(std::string_view text) {
  for (const auto& [name, value] : tlsmap::parse_parameters(text)) {
    must(!name.empty() && name.find_first_of(" \t\r\n") == std::string::npos);
    must(value.find_first_of("\r\n") == std::string::npos);
  }
  const auto half = text.size() / 2;
  for (const auto& service : tlsmap::parse_master(text.substr(0, half), text.substr(half))) {
    must(!service.name.empty() && !service.type.empty());
    must(service.program.find(' ') == std::string::npos);
  }
  must(tlsmap::parse_master(text, text).size() <= tlsmap::kMostServices);
  for (const auto& instance : tlsmap::parse_instances(text)) {
    must(instance.directory.starts_with('/') && !instance.name.empty());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  check_list(text);
  check_tables(text);
  check_output(text);
  for (const auto& hop : tlsmap::parse_route(text).hops) must(!hop.empty());
  for (const auto& endpoint : tlsmap::find_policy_services(text)) must(!endpoint.text.empty());
  for (const auto& server : tlsmap::parse_nameservers(text)) must(!server.empty());
  static_cast<void>(tlsmap::parse_mail_version(text));
  return 0;
}
