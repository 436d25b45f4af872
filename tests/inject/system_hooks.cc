// System calls of this program and of its libraries, so that the n-th one fails: symbols of the
// executable come before those of libc.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <utility>

#include "tests/inject/plan.h"

namespace {

using inject::Call;

// The function of that name that would have been called without us.
template <class Function>
Function* next(const char* name) noexcept {
  const inject::Calm ours;
  void* found = ::dlsym(RTLD_NEXT, name);
  return reinterpret_cast<Function*>(found);
}

// Whether it fails now; errno is set then.
bool fails(Call call) noexcept {
  const inject::Fault* fault = inject::take(call);
  if (fault == nullptr) return false;
  errno = fault->code;
  return true;
}

// The same for what moves bytes, which may also move one alone.
bool fails(Call call, std::size_t& size) noexcept {
  const inject::Fault* fault = inject::take(call);
  if (fault == nullptr) return false;
  if (fault->is_short) {
    if (size > 1) size = 1;
    return false;
  }
  errno = fault->code;
  return true;
}

int open_as(const char* name, const char* path, int flags, mode_t mode) {
  if (fails(Call::Open)) return -1;
  return next<int(const char*, int, ...)>(name)(path, flags, mode);
}

// Not every flag brings a mode, but whatever stands in its place is not looked at then.
template <class Arguments>
mode_t mode_of(int flags, Arguments& arguments) {
  if ((static_cast<unsigned>(flags) & static_cast<unsigned>(O_CREAT)) == 0) return 0;
  return va_arg(arguments, mode_t);
}

// What is given back is given back: only asking for a lock can fail.
bool is_unlock(int command, const void* argument) {
  return command == F_SETLK && static_cast<const struct flock*>(argument)->l_type == F_UNLCK;
}

template <class Buffer>
ssize_t positioned(Call call, const char* name, int fd, Buffer bytes, std::size_t size, off_t at) {
  if (fails(call, size)) return -1;
  return next<ssize_t(int, Buffer, std::size_t, off_t)>(name)(fd, bytes, size, at);
}

}  // namespace

extern "C" {

int socket(int family, int type, int protocol) noexcept {
  static auto* const kReal = next<int(int, int, int)>("socket");
  return fails(Call::Socket) ? -1 : kReal(family, type, protocol);
}
int socketpair(int family, int type, int protocol, int ends[2]) noexcept {
  static auto* const kReal = next<int(int, int, int, int*)>("socketpair");
  return fails(Call::Socket) ? -1 : kReal(family, type, protocol, ends);
}
int accept4(int fd, sockaddr* address, socklen_t* size, int flags) {
  static auto* const kReal = next<int(int, sockaddr*, socklen_t*, int)>("accept4");
  return fails(Call::Accept) ? -1 : kReal(fd, address, size, flags);
}
ssize_t recv(int fd, void* bytes, std::size_t size, int flags) {
  static auto* const kReal = next<ssize_t(int, void*, std::size_t, int)>("recv");
  return fails(Call::Recv, size) ? -1 : kReal(fd, bytes, size, flags);
}
ssize_t recvfrom(int fd, void* bytes, std::size_t size, int flags, sockaddr* from,
                 socklen_t* length) {
  static auto* const kReal =
      next<ssize_t(int, void*, std::size_t, int, sockaddr*, socklen_t*)>("recvfrom");
  return fails(Call::Recv, size) ? -1 : kReal(fd, bytes, size, flags, from, length);
}
ssize_t recvmsg(int fd, msghdr* message, int flags) {
  static auto* const kReal = next<ssize_t(int, msghdr*, int)>("recvmsg");
  return fails(Call::Recvmsg) ? -1 : kReal(fd, message, flags);
}
ssize_t send(int fd, const void* bytes, std::size_t size, int flags) {
  static auto* const kReal = next<ssize_t(int, const void*, std::size_t, int)>("send");
  return fails(Call::Send, size) ? -1 : kReal(fd, bytes, size, flags);
}
ssize_t sendto(int fd, const void* bytes, std::size_t size, int flags, const sockaddr* to,
               socklen_t length) {
  static auto* const kReal =
      next<ssize_t(int, const void*, std::size_t, int, const sockaddr*, socklen_t)>("sendto");
  return fails(Call::Send, size) ? -1 : kReal(fd, bytes, size, flags, to, length);
}
ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  static auto* const kReal = next<ssize_t(int, const msghdr*, int)>("sendmsg");
  return fails(Call::Sendmsg) ? -1 : kReal(fd, message, flags);
}
int getsockopt(int fd, int level, int name, void* value, socklen_t* size) noexcept {
  static auto* const kReal = next<int(int, int, int, void*, socklen_t*)>("getsockopt");
  return fails(Call::Getsockopt) ? -1 : kReal(fd, level, name, value, size);
}

ssize_t read(int fd, void* bytes, std::size_t size) {
  static auto* const kReal = next<ssize_t(int, void*, std::size_t)>("read");
  return fails(Call::Read, size) ? -1 : kReal(fd, bytes, size);
}
ssize_t write(int fd, const void* bytes, std::size_t size) {
  static auto* const kReal = next<ssize_t(int, const void*, std::size_t)>("write");
  return fails(Call::Write, size) ? -1 : kReal(fd, bytes, size);
}
ssize_t pread(int fd, void* bytes, std::size_t size, off_t at) {
  return positioned<void*>(Call::Pread, "pread", fd, bytes, size, at);
}
ssize_t pread64(int fd, void* bytes, std::size_t size, off_t at) {
  return positioned<void*>(Call::Pread, "pread64", fd, bytes, size, at);
}
ssize_t pwrite64(int fd, const void* bytes, std::size_t size, off_t at) {
  return positioned<const void*>(Call::Pwrite, "pwrite64", fd, bytes, size, at);
}

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_as("open", path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_as("open64", path, flags, mode);
}
int stat(const char* path, struct stat* found) noexcept {
  static auto* const kReal = next<int(const char*, struct stat*)>("stat");
  return fails(Call::Stat) ? -1 : kReal(path, found);
}
int stat64(const char* path, struct stat64* found) noexcept {
  static auto* const kReal = next<int(const char*, struct stat64*)>("stat64");
  return fails(Call::Stat) ? -1 : kReal(path, found);
}
int lstat(const char* path, struct stat* found) noexcept {
  static auto* const kReal = next<int(const char*, struct stat*)>("lstat");
  return fails(Call::Stat) ? -1 : kReal(path, found);
}
int fstat(int fd, struct stat* found) noexcept {
  static auto* const kReal = next<int(int, struct stat*)>("fstat");
  return fails(Call::Fstat) ? -1 : kReal(fd, found);
}
int fstat64(int fd, struct stat64* found) noexcept {
  static auto* const kReal = next<int(int, struct stat64*)>("fstat64");
  return fails(Call::Fstat) ? -1 : kReal(fd, found);
}
int fsync(int fd) {
  static auto* const kReal = next<int(int)>("fsync");
  return fails(Call::Fsync) ? -1 : kReal(fd);
}
int fdatasync(int fd) {
  static auto* const kReal = next<int(int)>("fdatasync");
  return fails(Call::Fdatasync) ? -1 : kReal(fd);
}
int ftruncate64(int fd, off_t size) noexcept {
  static auto* const kReal = next<int(int, off_t)>("ftruncate64");
  return fails(Call::Ftruncate) ? -1 : kReal(fd, size);
}
int fchmod(int fd, mode_t mode) noexcept {
  static auto* const kReal = next<int(int, mode_t)>("fchmod");
  return fails(Call::Fchmod) ? -1 : kReal(fd, mode);
}
int rename(const char* from, const char* to) noexcept {
  static auto* const kReal = next<int(const char*, const char*)>("rename");
  return fails(Call::Rename) ? -1 : kReal(from, to);
}
int unlink(const char* path) noexcept {
  static auto* const kReal = next<int(const char*)>("unlink");
  return fails(Call::Unlink) ? -1 : kReal(path);
}
int fcntl(int fd, int command, ...) {
  static auto* const kReal = next<int(int, int, ...)>("fcntl");
  va_list arguments;
  va_start(arguments, command);
  void* const argument = va_arg(arguments, void*);  // an int or a pointer, as fcntl(2) itself does
  va_end(arguments);
  if (!is_unlock(command, argument) && fails(Call::Fcntl)) return -1;
  return kReal(fd, command, argument);
}
int fcntl64(int fd, int command, ...) {
  static auto* const kReal = next<int(int, int, ...)>("fcntl64");
  va_list arguments;
  va_start(arguments, command);
  void* const argument = va_arg(arguments, void*);
  va_end(arguments);
  if (!is_unlock(command, argument) && fails(Call::Fcntl)) return -1;
  return kReal(fd, command, argument);
}

void* mmap(void* at, std::size_t size, int access, int flags, int fd, off_t from) noexcept {
  static auto* const kReal = next<void*(void*, std::size_t, int, int, int, off_t)>("mmap");
  return fails(Call::Mmap) ? MAP_FAILED : kReal(at, size, access, flags, fd, from);
}
void* mmap64(void* at, std::size_t size, int access, int flags, int fd, off_t from) noexcept {
  static auto* const kReal = next<void*(void*, std::size_t, int, int, int, off_t)>("mmap64");
  return fails(Call::Mmap) ? MAP_FAILED : kReal(at, size, access, flags, fd, from);
}
int memfd_create(const char* name, unsigned flags) noexcept {
  static auto* const kReal = next<int(const char*, unsigned)>("memfd_create");
  return fails(Call::MemfdCreate) ? -1 : kReal(name, flags);
}
int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept {
  static auto* const kReal = next<int(int, int, int, epoll_event*)>("epoll_ctl");
  return fails(Call::EpollCtl) ? -1 : kReal(epoll, operation, fd, event);
}
int epoll_wait(int epoll, epoll_event* events, int most, int timeout) {
  static auto* const kReal = next<int(int, epoll_event*, int, int)>("epoll_wait");
  return fails(Call::EpollWait) ? -1 : kReal(epoll, events, most, timeout);
}

}  // extern "C"
