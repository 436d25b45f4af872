#include "src/show/html.h"

#include <fmt/format.h>

#include "src/base/time_text.h"
#include "src/base/utf8.h"

namespace show {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

std::string_view entity_of(char32_t c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    case '\n':
    case '\r':
    case '\t':
      return " ";
  }
  return {};
}

std::string_view class_of(TableHtml::Kind kind) {
  switch (kind) {
    case TableHtml::Kind::Text:
      return "";
    case TableHtml::Kind::Word:
      return " class=\"word\"";
    case TableHtml::Kind::Prose:
      return " class=\"prose\"";
    case TableHtml::Kind::Number:
      return " class=\"number\"";
  }
  return {};
}

std::string grouped(std::string_view digits) {
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

}  // namespace

std::string escape(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  while (!text.empty()) {
    const auto [value, length] = base::read_code_point(text);
    if (length == 0) {
      safe += kReplacement;
    } else if (const auto entity = entity_of(value); !entity.empty()) {
      safe += entity;
    } else {
      safe += base::is_harmless(value) ? text.substr(0, length) : kReplacement;
    }
    text.remove_prefix(length > 0 ? length : 1);
  }
  return safe;
}

std::string count_text(std::uint64_t count) {
  return grouped(fmt::format("{}", count));
}

std::string rounded_text(double count) {
  return grouped(fmt::format("{:.0f}", count));
}

std::string count_text(std::uint64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count_text(count), count == 1 ? one : many);
}

std::string moment_text(std::int64_t at) {
  if (at <= 0) return "never";
  if (at > base::kLastTime) return "no date";
  const auto iso = base::iso_time_of(at);
  return fmt::format("{} {} UTC", iso.substr(0, 10), iso.substr(11, 5));
}

std::string time_html(std::int64_t at, std::int64_t now, std::string_view none) {
  if (at <= 0 || at > base::kLastTime) return std::string(none);
  return fmt::format("<time datetime=\"{}\">{}<small>{}</small></time>", base::iso_time_of(at),
                     base::describe_distance(at, now), moment_text(at));
}

TableHtml::TableHtml(std::string_view caption, std::vector<Column> columns, Layout layout)
    : caption_(caption), columns_(std::move(columns)), layout_(layout) {}

void TableHtml::add(const std::vector<std::string>& cells) {
  rows_ += "<tr role=\"row\">";
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const auto name = columns_[i].name;
    const auto kind = class_of(columns_[i].kind);
    const std::string_view cell = i < cells.size() ? std::string_view(cells[i]) : "";
    rows_ += i == 0 ? fmt::format("<th role=\"rowheader\" scope=\"row\"{}>{}</th>", kind, cell)
                    : fmt::format("<td role=\"cell\" data-name=\"{}\"{}>{}</td>", name, kind, cell);
  }
  rows_ += "</tr>\n";
}

std::string TableHtml::render() const {
  std::string heads;
  for (const auto& [name, kind] : columns_) {
    heads += fmt::format("<th role=\"columnheader\" scope=\"col\"{}>{}</th>", class_of(kind), name);
  }
  return fmt::format(
      "<table role=\"table\" class=\"{}\">\n<caption class=\"unseen\">{}</caption>\n"
      "<thead role=\"rowgroup\"><tr role=\"row\">{}</tr></thead>\n"
      "<tbody role=\"rowgroup\">\n{}</tbody>\n</table>\n",
      layout_ == Layout::Compact ? "compact" : "blocks", caption_, heads, rows_);
}

std::string section_html(std::string_view id, std::string_view heading, std::string_view content) {
  return fmt::format("<section aria-labelledby=\"{0}\">\n<h2 id=\"{0}\">{1}</h2>\n{2}</section>\n",
                     id, heading, content);
}

std::string paragraph(std::string_view kind, std::string_view text) {
  return fmt::format("<p class=\"{}\">{}</p>\n", kind, escape(text));
}

std::string with_aside(std::string_view text, std::string_view aside) {
  if (aside.empty()) return escape(text);
  return fmt::format("{}<small>{}</small>", escape(text), escape(aside));
}

}  // namespace show
