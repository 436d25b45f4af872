// Numbers and texts in and out of flat bytes. A reading beyond the end fails for good (`ok()`), so
// that many fields are read and asked about once.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace base {

template <class T>
void append_number(std::string& out, std::type_identity_t<T> number) {
  static_assert(std::is_integral_v<T>);
  char bytes[sizeof(T)];
  std::memcpy(bytes, &number, sizeof(T));
  out.append(bytes, sizeof(T));
}

// At most 65,535 bytes; the caller has checked.
inline void append_text(std::string& out, std::string_view text) {
  append_number<std::uint16_t>(out, static_cast<std::uint16_t>(text.size()));
  out.append(text);
}

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes, std::size_t at = 0) : bytes_(bytes), at_(at) {
    if (at > bytes.size()) fail();
  }

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::size_t at() const { return at_; }

  template <class T>
  T number() {
    T value{};
    const auto raw = take(sizeof(T));
    if (ok_) std::memcpy(&value, raw.data(), sizeof(T));
    return value;
  }
  std::string_view text() { return take(number<std::uint16_t>()); }
  std::string_view take(std::size_t size) {
    if (!ok_ || size > bytes_.size() - at_) {
      fail();
      return {};
    }
    at_ += size;
    return bytes_.substr(at_ - size, size);
  }
  void fail() {
    ok_ = false;
    at_ = bytes_.size();
  }

 private:
  std::string_view bytes_;
  std::size_t at_;
  bool ok_ = true;
};

}  // namespace base
