#include "tests/soak/board.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <utility>

namespace soak {
namespace {

constexpr std::size_t kMostAnswers = 8;  // bits of Answers

std::vector<std::string> read_lines(const std::string& path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

std::span<std::uint8_t> map_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return {};
  struct stat status {};
  void* at = MAP_FAILED;
  if (::fstat(fd, &status) == 0 && status.st_size > 0) {
    at = ::mmap(nullptr, static_cast<std::size_t>(status.st_size), PROT_READ | PROT_WRITE,
                MAP_SHARED, fd, 0);
  }
  ::close(fd);
  if (at == MAP_FAILED) return {};
  return {static_cast<std::uint8_t*>(at), static_cast<std::size_t>(status.st_size)};
}

}  // namespace

std::optional<Board> Board::open(const std::string& folder) {
  Board board;
  board.questions_ = read_lines(folder + "/questions");
  board.answers_ = read_lines(folder + "/answers");
  board.allowed_ = map_file(folder + "/allowed");
  if (board.questions_.empty() || board.answers_.empty() || board.answers_.size() > kMostAnswers ||
      board.allowed_.size() != board.questions_.size()) {
    return std::nullopt;
  }
  for (const std::string& question : board.questions_) {
    board.requests_.push_back(fmt::format("{}:{},", question.size(), question));
  }
  return board;
}

Board::Board(Board&& other) noexcept
    : questions_(std::move(other.questions_)),
      requests_(std::move(other.requests_)),
      answers_(std::move(other.answers_)),
      allowed_(std::exchange(other.allowed_, {})) {}

Board::~Board() {
  if (!allowed_.empty()) ::munmap(allowed_.data(), allowed_.size());
}

Answers Board::allowed(std::size_t number) const {
  return std::atomic_ref(allowed_[number]).load(std::memory_order_acquire);
}

Answers Board::find(std::string_view reply) const {
  for (std::size_t at = 0; at < answers_.size(); ++at) {
    if (answers_[at] == reply) return static_cast<Answers>(1U << at);
  }
  return 0;
}

std::string Board::describe(Answers answers) const {
  std::string text;
  for (std::size_t at = 0; at < answers_.size(); ++at) {
    if ((static_cast<unsigned>(answers) >> at & 1U) == 0) continue;
    if (!text.empty()) text += " or ";
    text += answers_[at];
  }
  return text;
}

}  // namespace soak
