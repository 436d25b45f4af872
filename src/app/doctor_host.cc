#include "src/app/doctor_host.h"

#include <fmt/format.h>

namespace app::doctor {

std::string_view Instance::value(std::string_view parameter) const {
  const auto at = parameters.find(parameter);
  return at == parameters.end() ? std::string_view() : at->second;
}

std::string_view Instance::value(const Service& service, std::string_view parameter) const {
  if (!service.effective) return value(parameter);
  const auto at = service.effective->find(parameter);
  return at == service.effective->end() ? std::string_view() : at->second;
}

bool Instance::knows(std::string_view parameter) const {
  return parameters.find(parameter) != parameters.end();
}

std::string_view Instance::written_value(const Service* service, std::string_view parameter) const {
  if (service != nullptr) {
    const auto at = service->master.overrides.find(parameter);
    if (at != service->master.overrides.end()) return at->second;
  }
  const auto at = written.find(parameter);
  return at == written.end() ? std::string_view() : at->second;
}

std::string reach_key(const Instance& instance, const Service& service,
                      const tlsmap::Endpoint& endpoint) {
  return fmt::format("{}|{}|{}", instance.directory, service.is_chrooted ? "chroot" : "",
                     endpoint.text);
}

std::string seen_path(const Instance& instance, const Service& service, std::string_view path) {
  if (path.starts_with('/') && !service.is_chrooted) return std::string(path);
  while (path.starts_with('/')) path.remove_prefix(1);
  return fmt::format("{}/{}", instance.queue_directory(), path);
}

std::string end_sentence(std::string text) {
  if (!text.empty() && text.back() != '.' && text.back() != '?') text += '.';
  return text;
}

std::string_view to_word(Finding::State state) {
  switch (state) {
    case Finding::State::Ok:
      return "ok";
    case Finding::State::Warning:
      return "warning";
    case Finding::State::Error:
      return "error";
    case Finding::State::Skipped:
      return "skipped";
  }
  return "";
}

}  // namespace app::doctor
