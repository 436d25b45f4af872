#include "tests/unit/recorded_disk.h"

#include <algorithm>
#include <new>
#include <utility>

namespace test {

namespace {

constexpr const char* kName = "recorded-disk";
constexpr std::size_t kSector = 512;

void change(Files& files, const DiskOperation& operation) {
  switch (operation.kind) {
    case DiskOperation::Kind::Delete:
      files.erase(operation.file);
      return;
    case DiskOperation::Kind::Create:
      files[operation.file];
      return;
    case DiskOperation::Kind::Truncate:
      files[operation.file].resize(operation.offset);
      return;
    case DiskOperation::Kind::Write: {
      std::string& content = files[operation.file];
      const auto end = operation.offset + operation.bytes.size();
      if (content.size() < end) content.resize(end);
      std::copy(operation.bytes.begin(), operation.bytes.end(),
                content.begin() + static_cast<std::ptrdiff_t>(operation.offset));
      return;
    }
    case DiskOperation::Kind::Sync:
      return;
  }
}

}  // namespace

struct RecordedDisk::File {
  sqlite3_file base;
  RecordedDisk* disk;
  sqlite3_file* below;
  const char* name;
};

// What SQLite calls: thin, each passes on to the file below.
struct DiskCalls {
  using File = RecordedDisk::File;
  using Kind = DiskOperation::Kind;
  static File& of(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }
  static const sqlite3_io_methods& methods_of(sqlite3_file* file) {
    return *of(file).below->pMethods;
  }
  static RecordedDisk& disk_of(sqlite3_vfs* vfs) {
    return *static_cast<RecordedDisk*>(vfs->pAppData);
  }
  static void note(sqlite3_file* file, Kind kind, std::uint64_t offset, std::string bytes) {
    of(file).disk->note({kind, of(file).name, offset, std::move(bytes)});
  }

  static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out) {
    RecordedDisk& disk = disk_of(vfs);
    auto* below = reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(file) + sizeof(File));
    new (file) File{{nullptr}, &disk, below, name == nullptr ? "" : name};
    int is_there = 0;
    if (name != nullptr) disk.below_->xAccess(disk.below_, name, SQLITE_ACCESS_EXISTS, &is_there);
    const int code = disk.below_->xOpen(disk.below_, name, below, flags, out);
    if (below->pMethods != nullptr) of(file).base.pMethods = &kMethods;
    if (code == SQLITE_OK && is_there == 0) note(file, Kind::Create, 0, {});
    return code;
  }
  static int remove(sqlite3_vfs* vfs, const char* name, int sync_folder) {
    RecordedDisk& disk = disk_of(vfs);
    const int code = disk.below_->xDelete(disk.below_, name, sync_folder);
    if (code == SQLITE_OK) disk.note({Kind::Delete, name, 0, {}});
    return code;
  }
  static int close(sqlite3_file* file) { return methods_of(file).xClose(of(file).below); }
  static int read(sqlite3_file* file, void* to, int size, sqlite3_int64 offset) {
    return methods_of(file).xRead(of(file).below, to, size, offset);
  }
  static int write(sqlite3_file* file, const void* from, int size, sqlite3_int64 offset) {
    note(file, Kind::Write, static_cast<std::uint64_t>(offset),
         std::string(static_cast<const char*>(from), static_cast<std::size_t>(size)));
    return methods_of(file).xWrite(of(file).below, from, size, offset);
  }
  static int truncate(sqlite3_file* file, sqlite3_int64 size) {
    note(file, Kind::Truncate, static_cast<std::uint64_t>(size), {});
    return methods_of(file).xTruncate(of(file).below, size);
  }
  static int sync(sqlite3_file* file, int /*flags*/) {
    note(file, Kind::Sync, 0, {});
    return SQLITE_OK;
  }
  static int size(sqlite3_file* file, sqlite3_int64* size) {
    return methods_of(file).xFileSize(of(file).below, size);
  }
  static int lock(sqlite3_file* file, int level) {
    return methods_of(file).xLock(of(file).below, level);
  }
  static int unlock(sqlite3_file* file, int level) {
    return methods_of(file).xUnlock(of(file).below, level);
  }
  static int check_lock(sqlite3_file* file, int* result) {
    return methods_of(file).xCheckReservedLock(of(file).below, result);
  }
  static int control(sqlite3_file* file, int what, void* argument) {
    return methods_of(file).xFileControl(of(file).below, what, argument);
  }
  static int sector_size(sqlite3_file* /*file*/) { return static_cast<int>(kSector); }
  static int traits(sqlite3_file* file) {
    return methods_of(file).xDeviceCharacteristics(of(file).below);
  }
  static int map_shared(sqlite3_file* file, int page, int size, int extends, void volatile** at) {
    return methods_of(file).xShmMap(of(file).below, page, size, extends, at);
  }
  static int lock_shared(sqlite3_file* file, int offset, int count, int flags) {
    return methods_of(file).xShmLock(of(file).below, offset, count, flags);
  }
  static void order_shared(sqlite3_file* file) { methods_of(file).xShmBarrier(of(file).below); }
  static int unmap_shared(sqlite3_file* file, int removes) {
    return methods_of(file).xShmUnmap(of(file).below, removes);
  }

  static const sqlite3_io_methods kMethods;
};

// Version 2: shared memory, no memory-mapped content.
const sqlite3_io_methods DiskCalls::kMethods{
    2,           close,        read,         write,   truncate,    sync,   size,
    lock,        unlock,       check_lock,   control, sector_size, traits, map_shared,
    lock_shared, order_shared, unmap_shared, nullptr, nullptr};

RecordedDisk::RecordedDisk() : below_(sqlite3_vfs_find(nullptr)) {
  vfs_ = *below_;
  vfs_.pNext = nullptr;
  vfs_.zName = kName;
  vfs_.pAppData = this;
  vfs_.szOsFile = static_cast<int>(sizeof(File)) + below_->szOsFile;
  vfs_.xOpen = DiskCalls::open;
  vfs_.xDelete = DiskCalls::remove;
  sqlite3_vfs_register(&vfs_, 1);
}

RecordedDisk::~RecordedDisk() {
  sqlite3_vfs_unregister(&vfs_);
  sqlite3_vfs_register(below_, 1);
}

void RecordedDisk::note(DiskOperation operation) {
  // A temporary file has no name.
  if (is_recording_ && !operation.file.empty()) operations_.push_back(std::move(operation));
}

void PowerLoss::apply(const DiskOperation& operation) {
  if (operation.kind == DiskOperation::Kind::Delete) {  // SQLite syncs the folder
    std::erase_if(open_, [&](const DiskOperation& each) { return each.file == operation.file; });
    change(synced_, operation);
    return;
  }
  if (operation.kind != DiskOperation::Kind::Sync) {
    open_.push_back(operation);
    return;
  }
  for (const DiskOperation& each : open_) {
    if (each.file == operation.file) change(synced_, each);
  }
  std::erase_if(open_, [&](const DiskOperation& each) { return each.file == operation.file; });
}

Files PowerLoss::keep_all() const {
  Files files = synced_;
  for (const DiskOperation& each : open_) change(files, each);
  return files;
}

Files PowerLoss::keep_some(std::mt19937_64& choice) const {
  Files files = synced_;
  std::vector<DiskOperation> kept;
  for (const DiskOperation& each : open_) {
    if (choice() % 2 == 0) continue;
    kept.push_back(each);
    const std::size_t sectors = each.bytes.size() / kSector;
    if (sectors > 0 && choice() % 4 == 0) kept.back().bytes.resize(choice() % sectors * kSector);
  }
  for (const DiskOperation& each : kept) change(files, each);
  return files;
}

}  // namespace test
