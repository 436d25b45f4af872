#include "src/app/panic_text.h"

#include <fmt/format.h>

#include "src/base/text.h"
#include "src/model/level.h"

namespace app {

std::string panic_text(const wire::ModeMessage& mode) {
  return fmt::format("{} {}", model::to_word(static_cast<model::RowMode>(mode.mode)), mode.until);
}

wire::ModeMessage read_panic(std::string_view text) {
  const auto words = base::split(text, " ");
  if (words.size() != 2) return {};
  const auto mode = model::parse_row_mode(words[0]);
  const auto until = base::parse_number<std::int64_t>(words[1]);
  if (!mode || !until) return {};
  return {static_cast<std::uint8_t>(*mode), *until};
}

}  // namespace app
