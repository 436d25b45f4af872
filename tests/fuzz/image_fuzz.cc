// Policy images. An input that begins like an image is read as one, as it is and with a header that
// agrees with itself; any other input is a list of rows that are written and must be read back.
//
// Laws: whatever the bytes, each view of a row lies in the image, a row has a profile or a fault,
// and a walk ends; what was written is found, with every field, and nothing else is.
#include <xxhash.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "src/base/text.h"
#include "src/image/reader.h"
#include "src/image/writer.h"

namespace {

void require(bool law) {
  if (!law) std::abort();
}

bool is_within(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void check_row(const image::Image& image, const model::PolicyRow& row, std::string_view bytes) {
  require(is_within(row.match, bytes));
  require((row.profile != nullptr) == row.fault.empty());
  require(row.profile == nullptr ||
          (row.profile >= image.profiles().data() &&
           row.profile < image.profiles().data() + image.profiles().size()));
  // Reads every byte, for AddressSanitizer.
  require(base::printable(row.fault, row.fault.size()).size() == row.fault.size());
}

void read_image(std::string_view bytes) {
  const auto opened = image::Image::over(bytes);
  if (!opened) {
    require(!opened.error().empty());
    return;
  }
  auto& image = **opened;
  std::vector<std::string> keys{"", "*", "a.example"};
  std::size_t size = 0;
  image.for_each_row([&](const model::PolicyRow& row) {
    require(is_within(row.destination, bytes) && !row.destination.empty());
    check_row(image, row, bytes);
    size += row.destination.size() + sizeof(std::uint32_t);
    if (keys.size() < 1000) keys.emplace_back(row.destination);
    return true;
  });
  require(size <= bytes.size());
  for (const auto& key : keys) {
    image.look_further(image.look_ahead(key));
    const auto row = image.find(key);
    if (!row) continue;
    require(row->destination == key);
    check_row(image, *row, bytes);
  }
  // Ends, in as many steps as there are bytes at most.
  for (std::size_t slices = 0;; ++slices) {
    require(slices <= bytes.size());
    const auto done = image.verify_some(1 + bytes.size() / 3);
    if (!done || *done) break;
  }
}

// With what stands before the fields that a mutation should reach put right.
std::string repaired(std::string_view bytes) {
  std::string image(bytes);
  image::Header header;
  std::memcpy(&header, image.data(), sizeof(header));
  header.magic = image::kMagic;
  header.version = image::kFormatVersion;
  header.image_end = image.size();
  header.checksum = XXH3_64bits(&header, offsetof(image::Header, checksum));
  std::memcpy(image.data(), &header, sizeof(header));
  return image;
}

struct Written {
  bool observe = false;
  std::int64_t expires_at = 0;
  std::string match = {};
  std::string fault = {};
};

// A line is a byte of flags, then the destination.
std::map<std::string, Written> rows_of(std::string_view input) {
  std::map<std::string, Written> rows;
  for (const auto line : base::split(input, "\n")) {
    const auto flags = static_cast<unsigned char>(line.front());
    const auto destination = line.substr(1, image::kLongestKey);
    if (destination.empty()) continue;
    Written row;
    row.observe = (flags & 1U) != 0;
    if ((flags & 2U) != 0) row.expires_at = static_cast<std::int64_t>(destination.size()) - 5;
    if ((flags & 4U) != 0) row.match = line;
    if ((flags & 8U) != 0) row.fault = line.substr(line.size() / 2);
    rows.emplace(destination, row);
  }
  return rows;
}

void check_same(const model::PolicyRow& row, const std::string& destination, const Written& want) {
  require(row.destination == destination && row.match == want.match);
  require(row.expires_at == want.expires_at);
  require((row.mode == model::RowMode::Observe) == want.observe);
  require(row.fault == std::string_view(want.fault).substr(0, image::kLongestFault));
  require((row.profile == nullptr) == !want.fault.empty());
}

void write_and_read(std::string_view input) {
  const auto wanted = rows_of(input);
  image::Writer writer;
  require(writer.add_profile({}).ok());
  for (const auto& [destination, row] : wanted) {
    const auto mode = row.observe ? model::RowMode::Observe : model::RowMode::Enforce;
    require(writer
                .add_row({.destination = destination,
                          .match = row.match,
                          .mode = mode,
                          .expires_at = row.expires_at,
                          .fault = row.fault})
                .ok());
  }
  const auto fd = writer.finish({});
  require(fd.ok());
  const auto image = image::Image::map(fd->get(), image::Image::Checksum::Now);
  require(image.ok());
  auto next = wanted.begin();
  (*image)->for_each_row([&](const model::PolicyRow& row) {
    require(next != wanted.end());
    check_same(row, next->first, next->second);
    ++next;
    return true;
  });
  require(next == wanted.end() && (*image)->stamp().rows == wanted.size());
  for (const auto& [destination, row] : wanted) {
    const auto found = (*image)->find(destination);
    require(found.has_value());
    check_same(*found, destination, row);
    const auto absent = destination + '\n';
    require(!(*image)->find(absent));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (!input.starts_with("TLSP")) {
    write_and_read(input);
    return 0;
  }
  read_image(input);
  if (size >= sizeof(image::Header)) {
    const auto bytes = repaired(input);
    read_image(bytes);
  }
  return 0;
}
