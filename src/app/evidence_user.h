// The user of evidence_uid as the kernel knows it: `answer` can't look up names, for it opens no
// file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace app {

class EvidenceUser {
 public:
  // The uid of `name` as of now, nothing where there is none, which is warned of when it is news.
  // An empty name means nobody.
  std::optional<std::uint32_t> find(const std::string& name);

 private:
  std::string missing_;  // the name that was warned of
};

}  // namespace app
