// A disk for SQLite that writes down every write, truncation, sync and deletion, and what a power
// loss between any two of them leaves: all that was synced, and any part of what was not.
//
// A VFS on top of the usual one. Files are where SQLite thinks they are; nothing is really synced.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace test {

struct DiskOperation {
  enum class Kind : std::uint8_t { Create, Write, Truncate, Sync, Delete };
  Kind kind = Kind::Write;
  std::string file;
  std::uint64_t offset = 0;  // of a write; the new size of a truncation
  std::string bytes;
};

class RecordedDisk {
 public:
  // The default VFS of SQLite from here on, until it is destroyed.
  RecordedDisk();
  RecordedDisk(const RecordedDisk&) = delete;
  RecordedDisk& operator=(const RecordedDisk&) = delete;
  ~RecordedDisk();

  void start_recording() { is_recording_ = true; }
  void stop_recording() { is_recording_ = false; }
  [[nodiscard]] const std::vector<DiskOperation>& operations() const { return operations_; }

 private:
  struct File;
  friend struct DiskCalls;
  void note(DiskOperation operation);

  sqlite3_vfs* below_;
  sqlite3_vfs vfs_{};
  bool is_recording_ = false;
  std::vector<DiskOperation> operations_;
};

// Files as they are after a power loss, by name.
using Files = std::map<std::string, std::string>;

// Walks through operations and says what a power loss at this point leaves.
class PowerLoss {
 public:
  void apply(const DiskOperation& operation);
  // Nothing but what was synced.
  [[nodiscard]] Files keep_synced() const { return synced_; }
  // All, as if the power had failed an instant after a sync of everything.
  [[nodiscard]] Files keep_all() const;
  // Of what was not synced some operations in any order, each of them perhaps cut at a sector.
  [[nodiscard]] Files keep_some(std::mt19937_64& choice) const;

 private:
  Files synced_;
  std::vector<DiskOperation> open_;  // not synced
};

}  // namespace test
