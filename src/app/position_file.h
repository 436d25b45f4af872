// Where the reading of the mail log goes on, in a small file beside state.db. Not in state.db: the
// log is followed on while `store` is away or its disk is full, and a crash of either role moves
// nothing of the other.
//
// Written under another name and moved into place, without a sync: a power cut may cost the newest
// positions, and `answer` knows lines that come again while it lives.
#pragma once

#include <optional>
#include <string>

#include "src/app/log_follower.h"
#include "src/base/result.h"

namespace app {

class PositionFile {
 public:
  explicit PositionFile(const std::string& state_db) : path_(state_db + ".maillog") {}

  // Nothing where there is no file yet; an error, which names the file, where it can't be used.
  [[nodiscard]] base::Result<std::optional<LogPosition>> load() const;
  base::Result<void> save(const LogPosition& position);

 private:
  std::string path_;
  std::optional<LogPosition> saved_;
};

}  // namespace app
