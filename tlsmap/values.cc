#include "tlsmap/values.h"

#include <algorithm>
#include <array>
#include <utility>

#include "src/base/text.h"
#include "tlsmap/tokens.h"

namespace tlsmap {
namespace {

constexpr std::size_t kLongestHostName = 255;  // util/valid_hostname.h
constexpr std::size_t kLongestLabel = 63;

constexpr std::array kProtocols{std::pair{Protocol::Ssl3, std::string_view("SSLv3")},
                                std::pair{Protocol::Tls10, std::string_view("TLSv1")},
                                std::pair{Protocol::Tls11, std::string_view("TLSv1.1")},
                                std::pair{Protocol::Tls12, std::string_view("TLSv1.2")},
                                std::pair{Protocol::Tls13, std::string_view("TLSv1.3")}};
constexpr unsigned kAllProtocols = 31;

// The protocol of a word, 0 for SSLv2.
std::optional<unsigned> protocol_bit(std::string_view word) {
  for (const auto& [protocol, name] : kProtocols) {
    if (base::is_equal_ignoring_case(word, name)) return bit(protocol);
  }
  if (base::is_equal_ignoring_case(word, "SSLv2")) return 0U;
  return std::nullopt;
}

// Calls `visit(word)` for each word between colons or separators until it returns false.
template <class Visit>
void walk_words(std::string_view value, Visit visit) {
  const auto is_end = [](char c) { return c == ':' || is_separator(c); };
  for (std::size_t at = 0; at < value.size();) {
    auto end = at;
    while (end < value.size() && !is_end(value[end])) ++end;
    if (end > at && !visit(value.substr(at, end - at))) return;
    at = end + 1;
  }
}

// util/valid_hostname.c, label by label.
bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= kLongestLabel && label.front() != '-' &&
         label.back() != '-' && std::all_of(label.begin(), label.end(), [](char c) {
           return base::is_alnum(c) || c == '-' || c == '_';
         });
}

class ProtocolReader {
 public:
  bool take(std::string_view word) {
    const bool is_floor = word.starts_with(">=");
    const bool is_ceiling = word.starts_with("<=");
    const bool is_excluded = word.starts_with('!');
    const auto name = word.substr(is_floor || is_ceiling ? 2 : is_excluded ? 1 : 0);
    const auto one = protocol_bit(name);
    // The bounds have a table of their own, without SSLv2.
    if (!one || ((is_floor || is_ceiling) && *one == 0)) {
      list_.unknown = word;
      return false;
    }
    list_.names_tls13 |= *one == bit(Protocol::Tls13);
    list_.has_bounds |= is_floor || is_ceiling;
    if (is_floor) {
      above_ = kAllProtocols & ~(*one - 1);
    } else if (is_ceiling) {
      below_ = *one | (*one - 1);
    } else if (is_excluded) {
      excluded_ |= *one;
    } else {
      included_ |= *one;
      has_inclusions_ = true;
    }
    return true;
  }

  ProtocolList list() {
    list_.usable = (has_inclusions_ ? included_ : kAllProtocols) & ~excluded_ & above_ & below_;
    return list_;
  }

 private:
  ProtocolList list_;
  unsigned included_ = 0;
  unsigned excluded_ = 0;
  unsigned above_ = kAllProtocols;
  unsigned below_ = kAllProtocols;
  bool has_inclusions_ = false;
};

}  // namespace

bool is_host_name(std::string_view text) {
  if (text.empty() || text.size() > kLongestHostName) return false;
  bool has_letter = false;
  for (const char c : text) has_letter |= (base::is_alnum(c) && !base::is_digit(c)) || c == '_';
  if (!has_letter) return false;
  for (std::size_t at = 0; at <= text.size();) {
    const auto dot = std::min(text.find('.', at), text.size());
    if (!is_label(text.substr(at, dot - at))) return false;
    at = dot + 1;
  }
  return true;
}

bool is_cipher_grade(std::string_view word) {
  constexpr std::array<std::string_view, 5> kGrades{"high", "medium", "low", "export", "null"};
  return std::any_of(kGrades.begin(), kGrades.end(), [&](std::string_view grade) {
    return base::is_equal_ignoring_case(word, grade);
  });
}

ProtocolList parse_protocols(std::string_view value) {
  ProtocolReader reader;
  walk_words(value, [&](std::string_view word) { return reader.take(word); });
  return reader.list();
}

void append_exclusions(std::string& out, unsigned usable) {
  out += "!SSLv2";
  for (const auto& [protocol, name] : kProtocols) {
    if ((usable & bit(protocol)) != 0) continue;
    out += ":!";
    out += name;
  }
}

std::optional<std::string_view> find_bad_exclusion(std::string_view value) {
  std::optional<std::string_view> bad;
  walk_words(value, [&](std::string_view word) {
    const bool is_good =
        base::is_alnum(word.front()) && std::all_of(word.begin(), word.end(), [](char c) {
          return base::is_alnum(c) || c == '-' || c == '_' || c == '+' || c == '.';
        });
    if (!is_good) bad = word;
    return is_good;
  });
  return bad;
}

}  // namespace tlsmap
