#include "src/image/reader.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <new>
#include <system_error>
#include <utility>

#include "src/base/bytes.h"
#include "src/base/handle.h"
#include "src/image/profile_codec.h"
#include "src/image/rule_codec.h"
#include "src/image/sealed_file.h"

namespace image {
namespace {

constexpr std::size_t kSlot = sizeof(std::uint64_t);

std::uint32_t tag_of(std::string_view destination) {
  return static_cast<std::uint32_t>(XXH3_64bits(destination.data(), destination.size()) >> 32U);
}

constexpr std::string_view kDamagedRow = "the policy image is damaged at this row";

base::Error refused(std::string_view why) {
  return base::Error{fmt::format("policy image refused: {}", why)};
}

// What is wrong with a header that stands before `size` bytes in all, or nothing.
std::string find_header_fault(const Header& header, std::size_t size) {
  if (header.magic != kMagic) return "it is no policy image";
  if (header.version != kFormatVersion) {
    return fmt::format("it has format {}, this program reads format {}", header.version,
                       kFormatVersion);
  }
  if (header.checksum != XXH3_64bits(&header, offsetof(Header, checksum))) {
    return "the checksum of its header is wrong";
  }
  if (header.image_end != size) {
    return fmt::format("it has {} bytes and should have {}", size, header.image_end);
  }
  const bool are_sections_ordered =
      sizeof(Header) <= header.profiles_end && header.profiles_end <= header.rules_end &&
      header.rules_end <= header.records_end && header.records_end <= header.pool_end &&
      header.pool_end <= header.image_end;
  if (!are_sections_ordered ||
      header.image_end - header.pool_end != std::uint64_t{header.slots} * sizeof(std::uint64_t) ||
      header.rows > kMostRows || header.faulty_rows > header.rows || header.slots < header.rows ||
      header.home_slots == 0 || header.slots < header.home_slots ||
      header.profiles > kMostProfiles || header.inbound_rules > kMostRules ||
      header.submission_rules > kMostRules) {
    return "its header contradicts itself";
  }
  return {};
}

}  // namespace

struct Image::Digester {
  Digester() {
    if (!state) throw std::bad_alloc();
  }
  base::Handle<XXH3_state_t, XXH3_freeState> state{XXH3_createState()};
  std::size_t done = 0;
};

void Image::Unmap::operator()(char* bytes) const noexcept {
  munmap(bytes, size);
}

Image::Image() = default;
Image::~Image() = default;

base::Result<std::size_t> Image::size_of(int fd) {
  if (!is_sealed(fd)) return refused("its descriptor isn't sealed");
  // Not fstat: the role that answers may not call it.
  const off_t end = lseek(fd, 0, SEEK_END);
  if (static_cast<std::uint64_t>(end) > kLargestImage) return refused("its size is out of bounds");
  if (static_cast<std::size_t>(end) < sizeof(Header)) return refused("it is too short");
  return static_cast<std::size_t>(end);
}

base::Result<void> Image::take_memory(std::size_t size, int protection, int flags, int fd) {
  void* mapped = mmap(nullptr, size, protection, MAP_PRIVATE | flags, fd, 0);
  if (mapped == MAP_FAILED) {
    return refused(fmt::format("mmap: {}", std::system_category().message(errno)));
  }
  memory_ = {static_cast<char*>(mapped), Unmap{size}};
  return {};
}

base::Result<std::unique_ptr<Image>> Image::map(int fd, Checksum when) {
  const auto size = size_of(fd);
  if (!size) return base::Error{size.error()};
  std::unique_ptr<Image> image(new Image);
  if (auto taken = image->take_memory(*size, PROT_READ, 0, fd); !taken) {
    return base::Error{taken.error()};
  }
  return finish(std::move(image), when);
}

base::Result<std::unique_ptr<Image>> Image::load(int fd, Checksum when) {
  const auto size = size_of(fd);
  if (!size) return base::Error{size.error()};
  std::unique_ptr<Image> image(new Image);
  if (auto taken = image->take_memory(*size, PROT_READ | PROT_WRITE, MAP_ANONYMOUS, -1); !taken) {
    return base::Error{taken.error()};
  }
  // Refused: pages of the usual size serve as well, only slower.
  madvise(image->memory_.get(), *size, MADV_HUGEPAGE);
  image->source_ = base::UniqueFd(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!image->source_) return refused("no descriptor is left to read it with");
  if (auto fetched = image->fetch(0, sizeof(Header)); !fetched) {
    return base::Error{fetched.error()};
  }
  return finish(std::move(image), when);
}

base::Result<std::unique_ptr<Image>> Image::finish(std::unique_ptr<Image> image, Checksum when) {
  const auto size = image->memory_.get_deleter().size;
  if (auto opened = image->open({image->memory_.get(), size}); !opened) {
    return base::Error{opened.error()};
  }
  if (when == Checksum::Now) {
    if (auto verified = image->verify_some(size); !verified) return base::Error{verified.error()};
  }
  return image;
}

// Copies what has not been copied yet of these bytes; nothing where the image is mapped.
base::Result<void> Image::fetch(std::size_t from, std::size_t to) {
  while (source_ && from < to) {
    errno = 0;
    const ssize_t got =
        pread(source_.get(), memory_.get() + from, to - from, static_cast<off_t>(from));
    if (got > 0) {
      from += static_cast<std::size_t>(got);
    } else if (errno != EINTR) {
      return refused("it can't be read to its end");
    }
  }
  return {};
}

base::Result<std::unique_ptr<Image>> Image::over(std::string_view bytes) {
  std::unique_ptr<Image> image(new Image);
  if (auto opened = image->open(bytes); !opened) return base::Error{opened.error()};
  return image;
}

base::Result<void> Image::open(std::string_view bytes) {
  if (bytes.size() < sizeof(Header)) return refused("it is too short");
  Header header;
  std::memcpy(&header, bytes.data(), sizeof(Header));
  if (const auto fault = find_header_fault(header, bytes.size()); !fault.empty()) {
    return refused(fault);
  }
  const auto section = [bytes](std::uint64_t from, std::uint64_t to) {
    return bytes.substr(from, to - from);
  };
  content_ = bytes.substr(sizeof(Header));
  records_ = section(header.rules_end, header.records_end);
  pool_ = section(header.records_end, header.pool_end);
  slots_ = section(header.pool_end, header.image_end);
  home_slots_ = header.home_slots;
  stamp_ = {.built_at = header.built_at,
            .rows = header.rows,
            .faulty_rows = header.faulty_rows,
            .profiles = header.profiles,
            .inbound_rules = header.inbound_rules,
            .submission_rules = header.submission_rules,
            .digest = header.digest};
  if (auto fetched = fetch(sizeof(Header), header.rules_end); !fetched) return fetched;
  digester_ = std::make_unique<Digester>();
  XXH3_64bits_reset(digester_->state.get());
  if (auto read = read_profiles(section(sizeof(Header), header.profiles_end)); !read) return read;
  return read_rules(section(header.profiles_end, header.rules_end));
}

base::Result<void> Image::read_rules(std::string_view section) {
  base::ByteReader from(section);
  for (std::uint64_t i = 0; i < stamp_.inbound_rules; ++i) {
    auto rule = read_inbound_rule(from);
    if (!rule) return refused(fmt::format("its inbound rule {} is damaged", i));
    inbound_rules_.push_back(std::move(*rule));
  }
  for (std::uint64_t i = 0; i < stamp_.submission_rules; ++i) {
    auto rule = read_submission_rule(from);
    if (!rule) return refused(fmt::format("its submission rule {} is damaged", i));
    submission_rules_.push_back(std::move(*rule));
  }
  if (from.at() != section.size()) return refused("its rules are damaged");
  return {};
}

base::Result<void> Image::read_profiles(std::string_view section) {
  base::ByteReader from(section);
  for (std::uint64_t i = 0; i < stamp_.profiles; ++i) {
    auto profile = read_profile(from);
    if (!profile) return refused(fmt::format("its profile {} is damaged", i));
    profiles_.push_back(std::move(*profile));
  }
  if (from.at() != section.size()) return refused("its profiles are damaged");
  return {};
}

base::Result<bool> Image::verify_some(std::size_t bytes) {
  if (!digester_) return true;
  const auto next = content_.substr(digester_->done, bytes);
  const std::size_t from = sizeof(Header) + digester_->done;
  if (auto fetched = fetch(from, from + next.size()); !fetched) {
    return base::Error{fetched.error()};
  }
  XXH3_64bits_update(digester_->state.get(), next.data(), next.size());
  digester_->done += next.size();
  if (digester_->done < content_.size()) return false;
  if (XXH3_64bits_digest(digester_->state.get()) != stamp_.digest) {
    return refused("the checksum of its content is wrong");
  }
  digester_.reset();
  source_.reset();
  return true;
}

std::optional<model::PolicyRow> Image::find(std::string_view destination) const {
  const auto tag = tag_of(destination);
  for (auto at = home_of(tag, home_slots_) * kSlot; at < slots_.size(); at += kSlot) {
    std::uint64_t slot = 0;
    std::memcpy(&slot, slots_.data() + at, kSlot);
    if (slot == 0 || (slot >> 32U) > tag) break;
    if ((slot >> 32U) < tag) continue;
    // A slot that points nowhere reads as offset 2^32 - 1, behind the end of any record.
    std::size_t record = static_cast<std::uint32_t>(slot - 1);
    auto row = read_row(record);
    if (!row) {
      row.emplace();
      row->destination = destination;
      row->fault = kDamagedRow;
    }
    if (row->destination == destination) return row;
  }
  return std::nullopt;
}

bool Image::is_large() const {
  constexpr std::size_t kFitsIntoCache = std::size_t{512} * 1024;
  return records_.size() + slots_.size() > kFitsIntoCache;
}

std::uint32_t Image::look_ahead(std::string_view destination) const {
  const auto tag = tag_of(destination);
  __builtin_prefetch(slots_.data() + home_of(tag, home_slots_) * kSlot);
  return tag;
}

void Image::look_further(std::uint32_t tag) const {
  for (auto at = home_of(tag, home_slots_) * kSlot; at < slots_.size(); at += kSlot) {
    std::uint64_t slot = 0;
    std::memcpy(&slot, slots_.data() + at, kSlot);
    if (slot == 0 || (slot >> 32U) > tag) return;
    if ((slot >> 32U) < tag) continue;
    const std::size_t record = static_cast<std::uint32_t>(slot - 1);
    if (record < records_.size()) __builtin_prefetch(records_.data() + record);
    return;
  }
}

std::optional<model::PolicyRow> Image::read_row(std::size_t& at) const {
  base::ByteReader from(records_, at);
  model::PolicyRow row;
  const auto head = from.number<std::uint32_t>();
  if ((head & kIsObserved) != 0) row.mode = model::RowMode::Observe;
  if ((head & kHasExpiry) != 0) row.expires_at = from.number<std::int64_t>();
  const auto read_text = [this, &from](bool is_there) -> std::string_view {
    if (!is_there) return {};
    base::ByteReader text(pool_, from.number<std::uint32_t>());
    const auto read = text.text();
    if (read.empty()) from.fail();
    return read;
  };
  row.match = read_text((head & kHasMatch) != 0);
  row.fault = read_text((head & kHasFault) != 0);
  row.destination = from.take((head >> kProfileBits) & kKeyMask);
  if (!from.ok() || row.destination.empty()) return std::nullopt;
  if (row.fault.empty()) {
    const std::size_t profile = head & kProfileMask;
    if (profile < profiles_.size()) {
      row.profile = &profiles_[profile];
    } else {
      row.fault = kDamagedRow;
    }
  }
  at = from.at();
  return row;
}

const Stamp& Image::stamp() const {
  return stamp_;
}
const std::vector<model::Profile>& Image::profiles() const {
  return profiles_;
}
const std::vector<model::InboundRule>& Image::inbound_rules() const {
  return inbound_rules_;
}
const std::vector<model::SubmissionRule>& Image::submission_rules() const {
  return submission_rules_;
}
std::size_t Image::size_in_bytes() const {
  return sizeof(Header) + content_.size();
}

std::optional<model::PolicyRow> Image::Rows::next() {
  auto row = image_.read_row(at_);
  if (!row) at_ = image_.records_.size();
  return row;
}

void Image::for_each_row(const std::function<bool(const model::PolicyRow&)>& visit) const {
  auto walk = rows();
  for (auto row = walk.next(); row && visit(*row); row = walk.next()) {
  }
}

}  // namespace image
