// Answers look-ups from a policy image, from memory alone. Opens no file: it is handed a
// descriptor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "src/base/handle.h"
#include "src/base/result.h"
#include "src/image/format.h"
#include "src/model/inbound_rule.h"
#include "src/model/submission_rule.h"
#include "src/model/verdict.h"

namespace image {

class Image final : public model::PolicyRows {
 public:
  // Maps `fd` (borrowed, may be closed afterwards), which must be a sealed memfd: an unsealed file
  // could be truncated under the mapping and kill the reader with SIGBUS. Reads the header and the
  // profiles; the checksum is verified here or, with Later, by verify_some().
  enum class Checksum { Now, Later };
  static base::Result<std::unique_ptr<Image>> map(int fd, Checksum when);
  // The same, copied into memory of its own: in huge pages, where the kernel gives them, so that a
  // look-up among a million rows doesn't wait for the page tables too. With Later, verify_some()
  // copies as it goes, and find() must not be called before it has returned true.
  static base::Result<std::unique_ptr<Image>> load(int fd, Checksum when);
  // The same over borrowed bytes, for tests and fuzzing; the checksum is left to verify_some().
  // `bytes` must outlive the image.
  static base::Result<std::unique_ptr<Image>> over(std::string_view bytes);
  ~Image() override;
  Image(const Image&) = delete;
  Image& operator=(const Image&) = delete;

  // Checks the next `bytes` of the content, so that a loop can verify a large image in slices.
  // Returns true when all is verified, false while there is more to do, or what is wrong.
  base::Result<bool> verify_some(std::size_t bytes);

  // A row whose bytes are damaged is found, as a faulty one.
  [[nodiscard]] std::optional<model::PolicyRow> find(std::string_view destination) const override;

  // True where the rows don't fit into a processor's own cache, so that find() waits for memory.
  [[nodiscard]] bool is_large() const;
  // The two steps by which a search brings closer what find() will read, without waiting: first the
  // slots of `destination`, then, once they are there, its record. They find nothing and prove
  // nothing.
  [[nodiscard]] std::uint32_t look_ahead(std::string_view destination) const;
  void look_further(std::uint32_t tag) const;
  [[nodiscard]] const Stamp& stamp() const;
  [[nodiscard]] const std::vector<model::Profile>& profiles() const;
  [[nodiscard]] const std::vector<model::InboundRule>& inbound_rules() const;
  [[nodiscard]] const std::vector<model::SubmissionRule>& submission_rules() const;
  [[nodiscard]] std::size_t size_in_bytes() const;

  // One walk over the rows, in ascending order of destination. Ends early where the image is
  // damaged.
  class Rows {
   public:
    std::optional<model::PolicyRow> next();

   private:
    friend class Image;
    explicit Rows(const Image& image) : image_(image) {}
    const Image& image_;
    std::size_t at_ = 0;
  };
  [[nodiscard]] Rows rows() const { return Rows(*this); }

  // Every row, in ascending order of destination, until `visit` returns false.
  void for_each_row(const std::function<bool(const model::PolicyRow&)>& visit) const;

 private:
  struct Unmap {
    std::size_t size;
    void operator()(char* bytes) const noexcept;
  };
  struct Digester;

  Image();
  static base::Result<std::size_t> size_of(int fd);
  base::Result<void> take_memory(std::size_t size, int protection, int flags, int fd);
  static base::Result<std::unique_ptr<Image>> finish(std::unique_ptr<Image> image, Checksum when);
  base::Result<void> open(std::string_view bytes);
  base::Result<void> fetch(std::size_t from, std::size_t to);
  base::Result<void> read_profiles(std::string_view section);
  base::Result<void> read_rules(std::string_view section);
  // The row at `at` of the records, which moves behind it; nothing where the bytes make none.
  [[nodiscard]] std::optional<model::PolicyRow> read_row(std::size_t& at) const;

  std::unique_ptr<char, Unmap> memory_;
  base::UniqueFd source_;     // what is still to be copied into memory_
  std::string_view content_;  // all behind the header
  std::string_view records_;
  std::string_view pool_;
  std::string_view slots_;
  std::uint32_t home_slots_ = 0;
  std::vector<model::Profile> profiles_;
  std::vector<model::InboundRule> inbound_rules_;
  std::vector<model::SubmissionRule> submission_rules_;
  Stamp stamp_;
  std::unique_ptr<Digester> digester_;  // until the content is verified
};

}  // namespace image
