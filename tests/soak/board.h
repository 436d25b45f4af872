// What the soak asks, and which answers are allowed to each question at this moment. The driver
// writes the board, the clients read it: a byte a question in shared memory, a bit an answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace soak {

// A set of answers: bit n is the n-th line of the file "answers", the weakest one first.
using Answers = std::uint8_t;

class Board {
 public:
  // Of a folder with the files "questions" (a line each: map name, blank, key), "answers" and
  // "allowed". Nothing where one of them is missing or of another length.
  static std::optional<Board> open(const std::string& folder);
  Board(Board&& other) noexcept;
  Board(const Board&) = delete;
  Board& operator=(const Board&) = delete;
  Board& operator=(Board&&) = delete;
  ~Board();

  [[nodiscard]] std::size_t size() const { return questions_.size(); }
  [[nodiscard]] const std::string& question(std::size_t number) const { return questions_[number]; }
  // The same as a netstring.
  [[nodiscard]] const std::string& request(std::size_t number) const { return requests_[number]; }
  // As the driver has it at this moment.
  [[nodiscard]] Answers allowed(std::size_t number) const;
  // One bit, or none for what is no answer on the board.
  [[nodiscard]] Answers find(std::string_view reply) const;
  // The answers of a set in words.
  [[nodiscard]] std::string describe(Answers answers) const;

 private:
  Board() = default;
  std::vector<std::string> questions_;
  std::vector<std::string> requests_;
  std::vector<std::string> answers_;
  std::span<std::uint8_t> allowed_;
};

}  // namespace soak
