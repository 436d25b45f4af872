// Short words for building an image in a test and opening it again.
#pragma once

#include <unistd.h>

#include <memory>
#include <string>
#include <utility>

#include "src/image/reader.h"
#include "src/image/writer.h"
#include "tests/unit/catch.h"

namespace tests {

inline constexpr base::sys_seconds kBuilt{std::chrono::seconds(1'800'000'000)};

inline model::Profile profile_named(std::string name) {
  model::Profile profile;
  profile.name = std::move(name);
  return profile;
}

inline std::string bytes_of(int fd) {
  std::string bytes;
  char chunk[4096];
  for (ssize_t got = 0;
       (got = pread(fd, chunk, sizeof(chunk), static_cast<off_t>(bytes.size()))) > 0;) {
    bytes.append(chunk, static_cast<std::size_t>(got));
  }
  return bytes;
}

inline base::UniqueFd finish(image::Writer& writer, base::sys_seconds built_at = kBuilt) {
  auto fd = writer.finish(built_at);
  REQUIRE(fd.ok());
  return std::move(*fd);
}

inline std::unique_ptr<image::Image> mapped(
    const base::UniqueFd& fd, image::Image::Checksum when = image::Image::Checksum::Now) {
  auto opened = image::Image::map(fd.get(), when);
  INFO((opened.ok() ? std::string() : opened.error()));
  REQUIRE(opened.ok());
  return std::move(*opened);
}

inline void add(image::Writer& writer, const image::Writer::Row& row) {
  const auto added = writer.add_row(row);
  INFO((added.ok() ? std::string() : added.error()));
  REQUIRE(added.ok());
}

}  // namespace tests
