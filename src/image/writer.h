// Builds a policy image in memory. No SQL, no sockets; the caller brings rows in ascending order.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "src/base/clock.h"
#include "src/base/handle.h"
#include "src/base/result.h"
#include "src/image/format.h"
#include "src/model/profile.h"
#include "src/model/verdict.h"

namespace image {

class Writer {
 public:
  Writer();
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Room for that many rows is reserved; more may come.
  void expect_rows(std::uint64_t rows);

  // The index to use in add_row.
  base::Result<std::uint32_t> add_profile(const model::Profile& profile);

  struct Row {
    std::string_view destination;  // normal form, greater than the one before in byte order
    std::uint32_t profile = 0;     // not looked at where there is a fault
    std::string_view match;
    model::RowMode mode = model::RowMode::Enforce;
    std::int64_t expires_at = 0;
    std::string_view fault;        // why the name must answer TEMP
  };
  base::Result<void> add_row(const Row& row);

  // The finished image as a memfd, sealed against writing, growing and shrinking. The writer is empty
  // afterwards.
  base::Result<base::UniqueFd> finish(base::sys_seconds built_at);

 private:
  struct Parts;
  Parts* parts_;  // replaced by the implementation with what it needs
};

}  // namespace image
