// The last known good policy on disk: the image that answered last, and beside it, in a small file,
// the state of policy.db that it was compiled from. Where policy.db is still in that state, a cold
// start answers from the saved image at once, else when the rows are compiled. A mark that is
// missing or wrong costs that time and nothing else.
//
// A thread of its own writes the image: where a disk takes a second to sync, the next edit and an
// admin's question must not wait for that.
#pragma once

#include <cstdint>
#include <future>
#include <string>

#include "src/base/clock.h"
#include "src/base/handle.h"
#include "src/base/result.h"
#include "src/store/policy_source.h"

namespace app {

class SavedPolicy {
 public:
  // `image_file` may be another one after a reload; what is in force is saved there then.
  void set_file(const std::string& image_file);

  // The copy on disk follows what really answers: to be called with the image that does, when it is
  // another one and several times a second. What fails is tried again after two seconds; alarm()
  // says why.
  void follow(int image_fd, std::uint64_t digest, base::SteadyPoint now);
  // Saves that image if it is not, and its mark, and waits until that is done or has failed: at the
  // end of the process.
  void finish(int image_fd, std::uint64_t digest, const store::PolicySource& source);
  // To be called now and then: the mark follows the copy, and what happens to the files of
  // policy.db without another policy coming of it.
  void save_mark(const store::PolicySource& source);
  [[nodiscard]] const std::string& alarm() const { return alarm_; }

  // Whether policy.db is as it was when the saved image with that digest was compiled, by this
  // version of the program: another one may have read rows otherwise.
  [[nodiscard]] bool is_current(const store::PolicySource& source, std::uint64_t digest) const;

 private:
  // An image on its way to the disk. The thread has done with `image` when there is a result.
  struct Saving {
    base::UniqueFd image;
    std::uint64_t digest = 0;
    std::string file;
    std::future<base::Result<void>> result;
  };
  void begin(int image_fd, std::uint64_t digest);
  void take_result(base::SteadyPoint now);
  void note_failure(const std::string& why, base::SteadyPoint now);
  base::Result<void> write_mark(const std::string& line) const;

  std::string file_;
  std::uint64_t digest_ = 0;  // of the image that was saved
  std::string mark_;          // the line that was saved
  std::string alarm_;
  base::SteadyPoint again_at_{};  // of what failed
  Saving saving_;
};

}  // namespace app
