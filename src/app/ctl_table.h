// Aligned columns for people. Cells are filtered for terminals, counted in characters and never
// cut: whoever wants to cut asks for --json.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace app::ctl {

class Table {
 public:
  Table() = default;
  // With a line of column names in capitals, which stands even above no rows.
  explicit Table(std::vector<std::string> names);

  // Rows may differ in length; empty cells are shown as given, so "-" is the caller's choice.
  void add(std::vector<std::string> cells);
  // Each line ends with a line feed and holds no blanks at its end.
  [[nodiscard]] std::string render(std::size_t indent = 0) const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// Characters, not bytes, of a terminal_text().
std::size_t count_characters(std::string_view text);

}  // namespace app::ctl
