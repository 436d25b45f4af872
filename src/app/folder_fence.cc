#include "src/app/folder_fence.h"

#include <algorithm>
#include <chrono>

#include "src/app/sandbox.h"

namespace app {
namespace {

constexpr std::chrono::seconds kLookEvery{1};

}  // namespace

FolderFence::FolderFence(net::Loop& loop, std::function<void()> on_other)
    : on_other_(std::move(on_other)), look_again_(loop, [this] { look(); }) {}

void FolderFence::close(Role role, const Files& files, std::vector<Way> more) {
  files_.clear();
  reachable_.clear();
  for (const auto& [names, purpose] :
       {std::pair{&files.written, Way::For::Writing}, std::pair{&files.read, Way::For::Reading}}) {
    for (Folder& folder : find_folders(*names)) {
      more.push_back({folder.path, purpose});
      reachable_.push_back(std::move(folder));
    }
    files_.insert(files_.end(), names->begin(), names->end());
  }
  enter_sandbox(role, more);
  look_again_.start(kLookEvery);
}

void FolderFence::look() {
  const auto now = find_folders(files_);
  const auto is_reachable = [this](const Folder& folder) {
    return std::find(reachable_.begin(), reachable_.end(), folder) != reachable_.end();
  };
  if (!std::all_of(now.begin(), now.end(), is_reachable)) return on_other_();
  look_again_.start(kLookEvery);
}

}  // namespace app
