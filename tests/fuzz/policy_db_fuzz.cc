// Damaged policy databases. An input that begins like a database is one; any other is a list of
// damages, done to a good file: bytes changed, pages zeroed or swapped, the end cut off.
//
// Laws: whatever the bytes, there is trouble with a code and a text, or an image. Each row that SQL
// finds in the file then is in the image under its normal form, and the image has no others. Where
// pages were only lost or misplaced, no byte invented, the image has exactly the rows of the good
// file.
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <string_view>

#include "src/base/text.h"
#include "src/image/reader.h"
#include "src/model/next_hop.h"
#include "src/store/policy_db.h"
#include "src/store/policy_file.h"
#include "src/store/policy_source.h"
#include "src/store/sqlite.h"

namespace {

constexpr std::size_t kPage = 4096;
constexpr int kRows = 400;
constexpr std::string_view kMagic{"SQLite format 3"};

void require(bool law) {
  if (!law) std::abort();
}

std::string name_of(int row) {
  // Long, so that a few hundred rows take several pages.
  return "destination-" + std::to_string(10'000 + row) + std::string(40, 'x') + ".example";
}

class Workshop {
 public:
  Workshop() {
    // Written and read some thousand times a second: memory, where there is some.
    const bool has_memory = ::access("/dev/shm", W_OK) == 0;
    folder_ = has_memory ? "/dev/shm" : std::filesystem::temp_directory_path().string();
    folder_ += "/policy-db-fuzz-XXXXXX";
    require(::mkdtemp(folder_.data()) != nullptr);
    require(store::PolicyDb::init(file()).ok());
    auto [db, failure] = store::Database::open(file(), SQLITE_OPEN_READWRITE, 0);
    require(!failure.failed());
    std::string sql = "BEGIN;";
    for (int row = 0; row < kRows; ++row) {
      sql += "INSERT INTO outbound(destination, profile) VALUES('" + name_of(row) + "', 'secure');";
    }
    sql +=
        "COMMIT; DELETE FROM change_log; PRAGMA journal_mode=DELETE; VACUUM; "
        "PRAGMA journal_mode=WAL";
    require(!db.execute(sql).failed());
    db = {};
    std::ostringstream bytes;
    bytes << std::ifstream(file(), std::ios::binary).rdbuf();
    good_ = bytes.str();
    require(good_.starts_with(kMagic) && good_.size() % kPage == 0);
  }
  ~Workshop() { std::filesystem::remove_all(folder_); }
  Workshop(const Workshop&) = delete;
  Workshop& operator=(const Workshop&) = delete;

  [[nodiscard]] std::string file() const { return folder_ + "/policy.db"; }
  [[nodiscard]] const std::string& good() const { return good_; }
  void write(const std::string& bytes) const {
    // A new file each time: of the one before nothing must be left.
    for (const char* suffix : {"", "-wal", "-shm", "-journal"}) ::unlink((file() + suffix).c_str());
    std::ofstream(file(), std::ios::binary) << bytes;
  }

 private:
  std::string folder_;
  std::string good_;
};

struct Damaged {
  std::string bytes;
  bool is_invented = false;  // bytes that no good file had
};

// Five bytes a damage: what, where (two), and another two for how.
Damaged damage(const std::string& good, std::string_view input) {
  Damaged file{good, false};
  const std::size_t pages = good.size() / kPage;
  for (; input.size() >= 5; input.remove_prefix(5)) {
    const auto byte = [&input](std::size_t at) {
      return static_cast<std::size_t>(static_cast<unsigned char>(input[at]));
    };
    const std::size_t one = byte(1) * 256 + byte(2);
    const std::size_t two = byte(3) * 256 + byte(4);
    const auto page_at = [pages](std::size_t number) { return number % pages * kPage; };
    switch (byte(0) % 4) {
      case 0: {
        const auto at = page_at(one) + two % kPage;
        if (at >= file.bytes.size()) break;
        file.bytes[at] = static_cast<char>(static_cast<unsigned char>(file.bytes[at]) ^
                                           (1U << (byte(0) / 4 % 8)));
        file.is_invented = true;
        break;
      }
      case 1:
        if (page_at(one) + kPage > file.bytes.size()) break;
        file.bytes.replace(page_at(one), kPage, kPage, '\0');
        break;
      case 2:
        if (std::max(page_at(one), page_at(two)) + kPage > file.bytes.size()) break;
        std::swap_ranges(file.bytes.begin() + static_cast<std::ptrdiff_t>(page_at(one)),
                         file.bytes.begin() + static_cast<std::ptrdiff_t>(page_at(one) + kPage),
                         file.bytes.begin() + static_cast<std::ptrdiff_t>(page_at(two)));
        break;
      case 3:
        file.bytes.resize(std::min(file.bytes.size(), one * kPage + two));
        break;
      default:
        break;
    }
  }
  return file;
}

// What SQL finds in table outbound, in normal form; nothing for rows that aren't names.
std::set<std::string> rows_by_sql(const store::PolicyFile& file) {
  std::set<std::string> rows;
  auto [db, failure] = file.open(store::PolicyFile::View::Alone);
  require(!failure.failed());
  auto [statement, prepare_failure] = db.prepare(
      "SELECT destination FROM outbound INDEXED BY sqlite_autoindex_outbound_1 "
      "WHERE typeof(destination) = 'text'");
  require(!prepare_failure.failed());
  while (statement.step()) {
    const auto key = model::parse_destination(statement.text(0));
    if (key) rows.insert(key->text);
  }
  require(!statement.failure().failed());
  return rows;
}

void check_compiled(const store::Compiled& compiled, const store::PolicyFile& file,
                    bool is_invented) {
  const auto image = image::Image::map(compiled.image.get(), image::Image::Checksum::Now);
  require(image.ok());
  std::set<std::string> rows;
  std::uint64_t faults = 0;
  (*image)->for_each_row([&](const model::PolicyRow& row) {
    rows.emplace(row.destination);
    require((row.profile != nullptr) == row.fault.empty());
    if (!row.fault.empty()) ++faults;
    return true;
  });
  require(faults <= compiled.fault_count);
  const auto expected = rows_by_sql(file);
  for (const auto& key : expected) require(rows.contains(key));
  // A row without a usable destination may stand under its own text, always at fault.
  for (const auto& key : rows) {
    if (expected.contains(key)) continue;
    const auto row = (*image)->find(key);
    require(row && !row->fault.empty());
  }
  if (is_invented) return;
  require(rows.size() == kRows && faults == 0);
  for (int row = 0; row < kRows; ++row) require(rows.contains(name_of(row)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Workshop kWorkshop;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto file = input.starts_with(kMagic) ? Damaged{std::string(input), true}
                                              : damage(kWorkshop.good(), input);
  kWorkshop.write(file.bytes);
  constexpr std::chrono::nanoseconds kNoTick{0};
  store::PolicySource source(
      kWorkshop.file(),
      [](const model::Profile&, std::string_view) { return std::optional<std::string>(); },
      kNoTick);
  const auto outcome = source.poll(base::sys_seconds{std::chrono::seconds{1'800'000'000}});
  if (const auto* trouble = std::get_if<store::Trouble>(&outcome)) {
    require(!trouble->code.empty() && !trouble->text.empty());
    require(!input.empty());  // the good file has none
    return 0;
  }
  const auto* compiled = std::get_if<store::Compiled>(&outcome);
  require(compiled != nullptr);
  const store::PolicyFile policy_file(kWorkshop.file(), kNoTick);
  if (policy_file.read_format() == store::PolicyFile::Format::Wal) {
    check_compiled(*compiled, policy_file, file.is_invented);
  }
  return 0;
}
