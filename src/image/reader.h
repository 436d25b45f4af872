// Answers look-ups from a policy image, from memory alone. Opens no file: it is handed a descriptor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "src/base/result.h"
#include "src/image/format.h"
#include "src/model/verdict.h"

namespace image {

class Image final : public model::PolicyRows {
 public:
  // Maps `fd` (borrowed, may be closed afterwards), which must be a sealed memfd: an unsealed file
  // could be truncated under the mapping and kill the reader with SIGBUS. Reads the header and the
  // profiles; the checksum is verified here or, with Later, by verify_some().
  enum class Checksum { Now, Later };
  static base::Result<std::unique_ptr<Image>> map(int fd, Checksum when);
  // The same over borrowed bytes, for tests and fuzzing; `bytes` must outlive the image.
  static base::Result<std::unique_ptr<Image>> over(std::string_view bytes);
  ~Image() override;
  Image(const Image&) = delete;
  Image& operator=(const Image&) = delete;

  // Checks the next `bytes` of the content, so that a loop can verify a large image in slices.
  // Returns true when all is verified, false while there is more to do, or what is wrong.
  base::Result<bool> verify_some(std::size_t bytes);

  [[nodiscard]] std::optional<model::PolicyRow> find(std::string_view destination) const override;
  [[nodiscard]] const Stamp& stamp() const;
  [[nodiscard]] const std::vector<model::Profile>& profiles() const;
  [[nodiscard]] std::size_t size_in_bytes() const;

  // Every row, in ascending order of destination, until `visit` returns false.
  void for_each_row(const std::function<bool(const model::PolicyRow&)>& visit) const;

 private:
  Image();
};

}  // namespace image
