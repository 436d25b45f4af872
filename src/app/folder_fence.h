// A role's sandbox with ways into the folders of the files that its configuration names, and the
// look whether these folders are still the ones that are meant.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "src/app/landlock.h"
#include "src/app/role.h"
#include "src/net/loop.h"

namespace app {

class FolderFence {
 public:
  // Files that are opened by name now and later; each may be replaced by another in its folder.
  struct Files {
    std::vector<std::string> written;
    std::vector<std::string> read;
  };

  // `on_other`: a folder was moved away, is mounted over, or is not where a link leads to any more.
  // The sandbox shuts the new one out, so another process must go on with it.
  FolderFence(net::Loop& loop, std::function<void()> on_other);

  // Closes the sandbox with ways into the folders that are there now, and `more`; begins to look.
  void close(Role role, const Files& files, std::vector<Way> more);

 private:
  void look();

  std::function<void()> on_other_;
  std::vector<std::string> files_;
  std::vector<Folder> reachable_;
  net::Timer look_again_;
};

}  // namespace app
