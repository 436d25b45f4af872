#include "tlsmap/forward_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "src/base/text.h"
#include "src/wire/sieve.h"
#include "tlsmap/table_source.h"

namespace tlsmap {
namespace {

constexpr std::string_view kBlanks = " \t\n\v\f\r";
constexpr std::array<std::pair<std::string_view, ForwardFormat>, 3> kFormats{
    {{"aliases", ForwardFormat::Aliases},
     {"virtual", ForwardFormat::Virtual},
     {"sieve", ForwardFormat::Sieve}}};

// Collects forwards within the bounds.
class Collector {
 public:
  // False where there is no room for more.
  bool add(std::size_t line, std::string_view address);
  bool add_unknown(std::size_t line, std::string_view written, std::string_view why);
  base::Result<std::vector<Forward>> finish() {
    if (is_full_) {
      return base::Error{
          fmt::format("it has more than {} forwards; check it in parts", kMostForwards)};
    }
    return std::move(found_);
  }

 private:
  bool put(Forward forward) {
    is_full_ = found_.size() == kMostForwards;
    if (!is_full_) found_.push_back(std::move(forward));
    return !is_full_;
  }

  std::vector<Forward> found_;
  bool is_full_ = false;
};

bool Collector::add_unknown(std::size_t line, std::string_view written, std::string_view why) {
  return put({line, std::string(written.substr(0, kLongestForward)), {}, std::string(why)});
}

bool Collector::add(std::size_t line, std::string_view address) {
  if (address.size() > kLongestForward) {
    return add_unknown(line, address, "it is too long for an address");
  }
  const auto at = address.rfind('@');
  if (at == address.npos) return true;  // a local name
  const auto domain = address.substr(at + 1);
  if (domain.empty()) return add_unknown(line, address, "it has no domain");
  if (domain.find('$') != domain.npos) {
    return add_unknown(line, address, "its domain is a variable");
  }
  return put({line, std::string(address), std::string(domain), {}});
}

// What stands before `ends` outside of quotes, comments in parentheses and angle brackets; `at`
// moves behind it. Quotes stay, comments go, as tok822_parse(3) has it.
std::string take_part(std::string_view text, std::size_t& at, std::string_view ends) {
  std::string part;
  std::size_t depth = 0;
  bool in_quotes = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\\' && at + 1 < text.size()) {
      if (depth == 0) part.append(text.substr(at, 2));
      ++at;
      continue;
    }
    if (c == '"' && depth == 0) in_quotes = !in_quotes;
    if (!in_quotes) {
      if (c == '(') ++depth;
      if (depth == 0 && ends.find(c) != ends.npos) break;
      if (c == ')' && depth > 0) {
        --depth;
        continue;
      }
    }
    if (depth == 0) part += c;
  }
  return part;
}

std::string without_quotes(std::string_view text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\' && at + 1 < text.size()) {
      plain += text[++at];
    } else if (text[at] != '"') {
      plain += text[at];
    }
  }
  return plain;
}

// One value between commas: an address, "Name <address>", a command, a file, a list of addresses in
// a file. Addresses with blanks alone between them are taken one by one.
bool take_value(Collector& found, std::size_t line, std::string_view written) {
  constexpr std::string_view kInclude = ":include:";
  const auto value = base::trim(written);
  const auto plain = without_quotes(value);
  if (plain.empty() || plain.front() == '|' || plain.front() == '/') return true;
  if (base::is_equal_ignoring_case(plain.substr(0, kInclude.size()), kInclude)) {
    return found.add_unknown(line, plain, "the addresses stand in that file");
  }
  std::size_t open = 0;
  take_part(value, open, "<");
  if (open < value.size()) {
    std::size_t close = open + 1;
    const auto address = take_part(value, close, ">");
    return found.add(line, without_quotes(base::trim(address)));
  }
  for (std::size_t at = 0; at < value.size(); ++at) {
    const auto word = take_part(value, at, kBlanks);
    if (!word.empty() && !found.add(line, without_quotes(word))) return false;
  }
  return true;
}

bool take_values(Collector& found, std::size_t line, std::string_view values) {
  for (std::size_t at = 0; at < values.size(); ++at) {
    if (!take_value(found, line, take_part(values, at, ","))) return false;
  }
  return true;
}

// Where the key of a virtual(5) line ends. A regular expression may hold blanks and quotes.
std::size_t find_end_of_pattern(std::string_view line) {
  const char first = line.front();
  if (first != '/' && first != '!') {
    std::size_t at = 0;
    take_part(line, at, kBlanks);
    return at;
  }
  std::size_t at = line.find('/') == line.npos ? 0 : line.find('/') + 1;
  while (at < line.size() && line[at] != '/') at += line[at] == '\\' ? 2U : 1U;
  return std::min(line.find_first_of(kBlanks, std::min(at, line.size())), line.size());
}

base::Result<std::vector<Forward>> read_table(std::string_view text, ForwardFormat format) {
  Collector found;
  SourceReader reader(text);
  while (const auto line = reader.next_line()) {
    std::size_t at = 0;
    if (format == ForwardFormat::Aliases) {
      take_part(line->text, at, ":");
    } else {
      at = find_end_of_pattern(line->text);
    }
    if (at >= line->text.size()) continue;
    if (!take_values(found, line->line, line->text.substr(at + 1))) break;
  }
  return found.finish();
}

base::Result<std::vector<Forward>> read_script(std::string_view text) {
  Collector found;
  const auto read = wire::read_redirects(text, [&](const wire::SieveRedirect& redirect) {
    if (redirect.is_list) {
      return found.add_unknown(redirect.line, redirect.address, "the addresses stand in a list");
    }
    if (redirect.address.find("${") != std::string::npos) {
      return found.add_unknown(redirect.line, redirect.address, "it is made of variables");
    }
    const auto address = base::trim(redirect.address);
    const auto open = address.rfind('<');
    const bool is_named = open != address.npos && address.ends_with('>');
    return found.add(redirect.line,
                     is_named ? address.substr(open + 1, address.size() - open - 2) : address);
  });
  if (!read) return base::Error{read.error()};
  return found.finish();
}

}  // namespace

std::optional<ForwardFormat> parse_forward_format(std::string_view word) {
  for (const auto& [each, format] : kFormats) {
    if (each == word) return format;
  }
  return std::nullopt;
}

ForwardFormat guess_forward_format(std::string_view file, std::string_view text) {
  if (file.ends_with(".sieve") || file.ends_with(".siv")) return ForwardFormat::Sieve;
  SourceReader reader(text);
  const auto first = reader.next_line();
  if (!first) return ForwardFormat::Aliases;
  const auto word = base::to_lower(first->text.substr(0, first->text.find_first_of(" \t\r\n[\"")));
  if (word == "require" || word == "redirect" || word == "if" || word.starts_with("/*")) {
    return ForwardFormat::Sieve;
  }
  std::size_t colon = 0;
  take_part(first->text, colon, ":");
  const auto key_end = find_end_of_pattern(first->text);
  // "name:" and "name :" are of aliases(5); "user@example.com x:y" is not.
  const auto behind = base::trim(first->text.substr(std::min(key_end, first->text.size())));
  const bool is_alias = colon < key_end || behind.starts_with(':');
  return is_alias && first->text.front() != '/' ? ForwardFormat::Aliases : ForwardFormat::Virtual;
}

base::Result<std::vector<Forward>> read_forwards(std::string_view text, ForwardFormat format) {
  switch (format) {
    case ForwardFormat::Aliases:
    case ForwardFormat::Virtual:
      return read_table(text, format);
    case ForwardFormat::Sieve:
      return read_script(text);
  }
  return base::Error{"a format that isn't known"};
}

}  // namespace tlsmap
