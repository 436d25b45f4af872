// SQLite's own VFS behind a shim whose n-th call fails.
#include <sqlite3.h>

#include <cstring>
#include <new>

#include "tests/inject/plan.h"

namespace inject {
namespace {

// The shim's file; SQLite's own one stands behind it in the same memory.
struct File {
  sqlite3_file base;
  sqlite3_file* real;
};

sqlite3_file* real_of(sqlite3_file* file) {
  return reinterpret_cast<File*>(file)->real;
}
sqlite3_vfs* real_of(sqlite3_vfs* vfs) {
  return static_cast<sqlite3_vfs*>(vfs->pAppData);
}

// SQLite's code for what fails now, or SQLITE_OK.
int code_of(Call call) {
  const Fault* fault = take(call);
  return fault == nullptr ? SQLITE_OK : fault->code;
}

// Calls `method` of the real file unless the shim fails.
template <auto Method, class... Arguments>
int forward(Call call, sqlite3_file* file, Arguments... arguments) {
  if (const int code = code_of(call); code != SQLITE_OK) return code;
  sqlite3_file* const real = real_of(file);
  return (real->pMethods->*Method)(real, arguments...);
}

template <auto Method, class... Arguments>
auto pass(sqlite3_file* file, Arguments... arguments) {
  sqlite3_file* const real = real_of(file);
  return (real->pMethods->*Method)(real, arguments...);
}

using Methods = sqlite3_io_methods;

int on_read(sqlite3_file* file, void* bytes, int size, sqlite3_int64 at) {
  return forward<&Methods::xRead>(Call::DbRead, file, bytes, size, at);
}
int on_write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 at) {
  return forward<&Methods::xWrite>(Call::DbWrite, file, bytes, size, at);
}
int on_truncate(sqlite3_file* file, sqlite3_int64 size) {
  return forward<&Methods::xTruncate>(Call::DbTruncate, file, size);
}
int on_sync(sqlite3_file* file, int flags) {
  return forward<&Methods::xSync>(Call::DbSync, file, flags);
}
int on_size(sqlite3_file* file, sqlite3_int64* size) {
  return forward<&Methods::xFileSize>(Call::DbSize, file, size);
}
int on_lock(sqlite3_file* file, int level) {
  return forward<&Methods::xLock>(Call::DbLock, file, level);
}
int on_shm_map(sqlite3_file* file, int page, int size, int extends, void volatile** memory) {
  return forward<&Methods::xShmMap>(Call::DbShmMap, file, page, size, extends, memory);
}
int on_shm_lock(sqlite3_file* file, int offset, int count, int flags) {
  // A lock can't fail to be given back.
  if ((static_cast<unsigned>(flags) & SQLITE_SHM_UNLOCK) != 0) {
    return pass<&Methods::xShmLock>(file, offset, count, flags);
  }
  return forward<&Methods::xShmLock>(Call::DbShmLock, file, offset, count, flags);
}
int on_close(sqlite3_file* file) {
  return pass<&Methods::xClose>(file);
}
int on_unlock(sqlite3_file* file, int level) {
  return pass<&Methods::xUnlock>(file, level);
}
int on_check_lock(sqlite3_file* file, int* is_locked) {
  return pass<&Methods::xCheckReservedLock>(file, is_locked);
}
int on_control(sqlite3_file* file, int operation, void* argument) {
  return pass<&Methods::xFileControl>(file, operation, argument);
}
int on_sector(sqlite3_file* file) {
  return pass<&Methods::xSectorSize>(file);
}
int on_device(sqlite3_file* file) {
  return pass<&Methods::xDeviceCharacteristics>(file);
}
void on_barrier(sqlite3_file* file) {
  pass<&Methods::xShmBarrier>(file);
}
int on_unmap(sqlite3_file* file, int deletes) {
  return pass<&Methods::xShmUnmap>(file, deletes);
}

constexpr Methods kMethods{2,          on_close,  on_read,   on_write,   on_truncate,
                           on_sync,    on_size,   on_lock,   on_unlock,  on_check_lock,
                           on_control, on_sector, on_device, on_shm_map, on_shm_lock,
                           on_barrier, on_unmap,  nullptr,   nullptr};

int on_open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  file->pMethods = nullptr;
  if (const int code = code_of(Call::DbOpen); code != SQLITE_OK) return code;
  auto* const ours = reinterpret_cast<File*>(file);
  ours->real = reinterpret_cast<sqlite3_file*>(ours + 1);
  sqlite3_vfs* const real = real_of(vfs);
  const int code = real->xOpen(real, name, ours->real, flags, out_flags);
  if (ours->real->pMethods != nullptr) file->pMethods = &kMethods;
  return code;
}
int on_delete(sqlite3_vfs* vfs, const char* name, int syncs) {
  if (const int code = code_of(Call::DbDelete); code != SQLITE_OK) return code;
  sqlite3_vfs* const real = real_of(vfs);
  return real->xDelete(real, name, syncs);
}

}  // namespace

void install_vfs() {
  static sqlite3_vfs shim;
  sqlite3_vfs* const real = sqlite3_vfs_find(nullptr);
  // All that is not replaced works on names and clocks, not on files of the shim.
  shim = *real;
  shim.zName = "inject";
  shim.szOsFile = static_cast<int>(sizeof(File)) + real->szOsFile;
  shim.pAppData = real;
  shim.xOpen = on_open;
  shim.xDelete = on_delete;
  sqlite3_vfs_register(&shim, 1);
}

}  // namespace inject
