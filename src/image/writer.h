// Builds a policy image in memory. No SQL, no sockets; the caller brings rows in ascending order.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "src/base/clock.h"
#include "src/base/handle.h"
#include "src/base/result.h"
#include "src/image/format.h"
#include "src/model/inbound_rule.h"
#include "src/model/profile.h"
#include "src/model/submission_rule.h"
#include "src/model/verdict.h"

namespace image {

// What may go into one image, beyond the bounds of a single row; smaller in tests.
struct WriterLimits {
  std::uint32_t profiles = kMostProfiles;
  std::uint32_t rows = kMostRows;
  std::uint32_t rules = kMostRules;  // of each table
  // Of the records and of the pool: offsets are 32 bits wide, one value stands for "none".
  std::uint64_t section = std::numeric_limits<std::uint32_t>::max() - 1;
  std::uint64_t image = kLargestImage;
};

class Writer {
 public:
  explicit Writer(const WriterLimits& limits = {});
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Room for that many rows is reserved; more or fewer may come.
  void expect_rows(std::uint64_t rows);

  // The index to use in add_row.
  base::Result<std::uint32_t> add_profile(const model::Profile& profile);

  struct Row {
    std::string_view destination;  // normal form, greater than the one before in byte order
    std::uint32_t profile = 0;     // not looked at where there is a fault
    std::string_view match = {};
    model::RowMode mode = model::RowMode::Enforce;
    std::int64_t expires_at = 0;
    std::string_view fault = {};  // why the name must answer TEMP; cut at kLongestFault
  };
  // Refuses a row out of order, too long, beyond the limits or with an unknown profile;
  // the writer is then as before.
  base::Result<void> add_row(const Row& row);

  // Rules in the order in which they are to be found again; faulty ones too. Refused beyond the
  // limit.
  base::Result<void> add_rule(const model::InboundRule& rule);
  base::Result<void> add_rule(const model::SubmissionRule& rule);

  // The finished image as a memfd, sealed against writing, growing and shrinking. The writer is
  // empty afterwards.
  base::Result<base::UniqueFd> finish(base::sys_seconds built_at);

 private:
  // Texts of the pool are known by their offset and compared in place.
  struct PoolHash {
    using is_transparent = void;
    const std::string* pool;
    std::size_t operator()(std::string_view text) const;
    std::size_t operator()(std::uint32_t offset) const;
  };
  struct PoolEqual {
    using is_transparent = void;
    const std::string* pool;
    bool operator()(std::uint32_t a, std::uint32_t b) const { return a == b; }
    bool operator()(std::string_view text, std::uint32_t offset) const;
    bool operator()(std::uint32_t offset, std::string_view text) const;
  };

  [[nodiscard]] base::Result<void> check(const Row& row) const;
  std::uint32_t offset_in_pool(std::string_view text);
  void clear();

  WriterLimits limits_;
  std::string profiles_;
  std::uint32_t profile_count_ = 0;
  std::string inbound_;
  std::string submission_;
  std::uint32_t inbound_count_ = 0;
  std::uint32_t submission_count_ = 0;
  std::string records_;
  std::size_t last_key_size_ = 0;  // the last destination ends the records
  std::string pool_;
  std::unordered_set<std::uint32_t, PoolHash, PoolEqual> texts_;
  std::vector<std::uint64_t> slots_;  // as they come: tag and offset of each record
  std::uint32_t faulty_rows_ = 0;
};

}  // namespace image
