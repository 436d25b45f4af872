// operator new of the whole process, and malloc of every library in it, so that the n-th one fails.
//
// The sanitizers' own allocator stays below operator new; malloc is theirs.
#include <cerrno>
#include <cstdlib>
#include <new>

#include "tests/inject/plan.h"

#if defined(__SANITIZE_ADDRESS__)
#define INJECT_RAW_MALLOC std::malloc
#else
// glibc's names for the functions that a program may put its own in front of.
extern "C" {
// NOLINTBEGIN(clang-diagnostic-reserved-identifier,readability-identifier-naming): glibc's they are
void* __libc_malloc(std::size_t size) noexcept;
void* __libc_calloc(std::size_t count, std::size_t size) noexcept;
void* __libc_realloc(void* old, std::size_t size) noexcept;
// NOLINTEND(clang-diagnostic-reserved-identifier,readability-identifier-naming)
}
#define INJECT_RAW_MALLOC __libc_malloc

namespace {

// As malloc(3) has it.
bool fails() noexcept {
  if (inject::take(inject::Call::Malloc) == nullptr) return false;
  errno = ENOMEM;
  return true;
}

}  // namespace

extern "C" {
void* malloc(std::size_t size) noexcept {
  return fails() ? nullptr : __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) noexcept {
  return fails() ? nullptr : __libc_calloc(count, size);
}
void* realloc(void* old, std::size_t size) noexcept {
  return fails() ? nullptr : __libc_realloc(old, size);
}
}
#endif

namespace {

void* allocate(std::size_t size) noexcept {
  if (inject::take(inject::Call::New) != nullptr) return nullptr;
  const inject::Calm ours;
  return INJECT_RAW_MALLOC(size == 0 ? 1 : size);
}

}  // namespace

void* operator new(std::size_t size) {
  if (void* memory = allocate(size)) return memory;
  throw std::bad_alloc();
}
void* operator new[](std::size_t size) {
  return operator new(size);
}
void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
  return allocate(size);
}
void* operator new[](std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
  return allocate(size);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t /*size*/) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t /*size*/) noexcept {
  std::free(memory);
}
