// Which files a process may open from now on, whoever owns them: the kernel's Landlock
// (landlock(7), Linux 5.13), by its system calls. Beside the system call filter, which says what
// may be done and can't say to which file.
//
// Descriptors that are open already stay as they are. stat(2) and chmod(2) are not Landlock's
// business.
#pragma once

#include <sys/types.h>

#include <span>
#include <string>
#include <vector>

namespace app {

// What may be reached: a folder with all below it, or one file. Never executed.
struct Way {
  enum class For { Reading, Writing };  // writing: reading, making, removing and renaming as well
  std::string path;
  For purpose;
};

enum class Fence {
  Closed,
  Absent,   // this kernel has no Landlock, or has it switched off
  Refused,  // it has, but it can't be used by this process: errno says why
};

// For ever, for this process and its children: nothing can be opened but by these ways; those that
// are not there now can't be used later. With `keeps_network` TCP is as before, else no TCP port
// can be bound or connected to, where the kernel knows how (6.7).
[[nodiscard]] Fence close_fence(std::span<const Way> ways, bool keeps_network);

// A folder as the kernel knows it, whatever its name leads to later.
struct Folder {
  std::string path;
  dev_t device;
  ino_t inode;
  friend bool operator==(const Folder& one, const Folder& other) {
    return one.device == other.device && one.inode == other.inode;
  }
};

// The folders that hold these files: by name, and where the file is a link, that of what it leads
// to. A way into each lets the file be replaced by another; a folder that is replaced itself is one
// that the fence shuts out.
[[nodiscard]] std::vector<Folder> find_folders(std::span<const std::string> files);

}  // namespace app
