#include "src/model/seen_certificate.h"

#include <algorithm>

#include "src/base/text.h"

namespace model {
namespace {

constexpr std::int64_t kDay = 86'400;

bool is_address(std::string_view reference) {
  return reference.find(':') != std::string_view::npos ||
         (!reference.empty() && reference.find_first_not_of("0123456789.") == reference.npos);
}

// RFC 6125 6.4.3, as OpenSSL has it.
bool is_wildcard_for(std::string_view pattern, std::string_view name) {
  if (!pattern.starts_with("*.") || std::count(pattern.begin(), pattern.end(), '.') < 2) {
    return false;
  }
  const auto dot = name.find('.');
  return dot != std::string_view::npos && dot > 0 &&
         base::is_equal_ignoring_case(pattern.substr(1), name.substr(dot));
}

bool is_match(std::string_view pattern, std::string_view reference) {
  if (reference.starts_with('.')) {
    return pattern.size() > reference.size() &&
           base::is_equal_ignoring_case(pattern.substr(pattern.size() - reference.size()),
                                        reference);
  }
  return base::is_equal_ignoring_case(pattern, reference) || is_wildcard_for(pattern, reference);
}

}  // namespace

std::vector<std::string> names_of(const SeenCertificate& certificate) {
  if (!certificate.dns_names.empty()) return certificate.dns_names;
  if (certificate.common_name.empty()) return {};
  return {certificate.common_name};
}

bool is_named(const SeenCertificate& certificate, std::string_view reference) {
  if (reference.empty()) return false;
  if (is_address(reference)) {
    return std::find(certificate.addresses.begin(), certificate.addresses.end(), reference) !=
           certificate.addresses.end();
  }
  const auto names = names_of(certificate);
  return std::any_of(names.begin(), names.end(),
                     [&](const auto& name) { return is_match(name, reference); });
}

std::int64_t days_left(const SeenCertificate& certificate, std::int64_t now) {
  const std::int64_t left = certificate.not_after - now;
  return left >= 0 ? left / kDay : -((kDay - 1 - left) / kDay);
}

}  // namespace model
