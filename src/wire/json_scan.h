// A strict reader of one JSON text (RFC 8259) that builds nothing: the caller asks for what it
// expects, in the order of the text. Unlike a general library it refuses a key that stands twice,
// and takes bytes that are no UTF-8, as Postfix sends them.
//
// After the first fault every call fails, so a caller may ask on and look at fault() once.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace wire {

class JsonScan {
 public:
  struct Limits {
    std::size_t depth = 32;
    std::size_t members = 64;  // of one object
    std::size_t items = 256;   // of one array
  };

  JsonScan(std::string_view text, const Limits& limits) : text_(text), limits_(limits) {}

  // Calls back for each member with its key, standing before the value; the callback eats it.
  void take_object(const std::function<void(std::string_view key)>& take_member);
  // Calls back for each item, standing before it.
  void take_array(const std::function<void()>& take_item);
  // What stands between the quotes, as written; `is_plain` false where an escape is among it.
  std::string_view take_string(bool& is_plain);
  std::int64_t take_integer();
  void skip_value();
  // Nothing but blanks is left.
  void finish();

  // What is wrong, in our own words; empty while all is well.
  [[nodiscard]] std::string_view fault() const { return fault_; }

 private:
  void fail(std::string_view why);
  void skip_blanks();
  bool skip(char c);
  void skip_word(std::string_view word);
  void skip_number();
  bool take_escape();
  bool enter();

  std::string_view text_;
  Limits limits_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::string_view fault_;
};

}  // namespace wire
