#include "src/store/compile_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>

#include "src/base/text.h"
#include "src/image/writer.h"
#include "src/model/next_hop.h"
#include "src/store/compile_rules.h"
#include "src/store/profile_rows.h"
#include "src/store/row_check.h"

namespace store {
namespace {

using Stop = std::variant<Refusal, Disorder, Failure>;
using MaybeStop = std::optional<Stop>;

// True for a row that holds for more names than anybody could list.
bool is_sweeping(std::string_view key) {
  return key == "*" || key == "[*]" ||
         (key.size() > 1 && key.starts_with('.') && key.find('.', 1) == std::string_view::npos);
}

// A row whose destination was not written in normal form; SQL of ours refuses it, so there are few.
struct OddRow {
  std::string key;
  std::string written;
  std::uint32_t profile = 0;
  std::string match;
  model::RowMode mode = model::RowMode::Enforce;
  std::int64_t expires_at = 0;
  std::string fault;
};

// Tables are read in the order of their own tree, without ORDER BY, so that pages in the wrong
// place show. INDEXED BY names that tree: SQLite would take an index that has all columns instead,
// be it of the admin's making, and does so in spite of NOT INDEXED.
class Compiler {
 public:
  Compiler(Database& db, const model::PolicyCheck& check) : db_(db), check_(check) {}

  CompileOutcome run(base::sys_seconds now);

 private:
  MaybeStop read_profiles();
  MaybeStop add_profile(const Statement& statement);
  MaybeStop start_image();
  MaybeStop count_rows();
  // Rows come in byte order of what was written. As long as that is the normal form they go into
  // the image as they come; else the odd ones are collected, and merged in on a second scan.
  MaybeStop scan();
  MaybeStop visit(const Statement& statement);
  void start_collecting();
  MaybeStop visit_odd(const Statement& statement, std::string_view written);
  MaybeStop check_order(std::string_view written);
  MaybeStop merge_odd_rows_before(std::string_view key);
  MaybeStop add_odd_row(const OddRow& row);
  MaybeStop add_row(image::Writer::Row row, std::optional<std::string> fault);
  void list_fault(std::string_view key, std::string_view why) { list_fault("outbound", key, why); }
  void list_fault(std::string_view table, std::string_view key, std::string_view why);

  enum class Pass : std::uint8_t { Plain, CollectOdd, Merge };

  Database& db_;
  const model::PolicyCheck& check_;
  std::vector<model::Profile> profiles_;
  std::unique_ptr<RowCheck> row_check_;
  std::unique_ptr<image::Writer> writer_;
  Compiled compiled_;
  std::uint64_t expected_rows_ = 0;
  std::uint64_t rows_ = 0;
  std::string previous_;
  bool has_previous_ = false;
  Pass pass_ = Pass::Plain;
  std::vector<OddRow> odd_rows_;
  std::size_t next_odd_ = 0;
};

void Compiler::list_fault(std::string_view table, std::string_view key, std::string_view why) {
  ++compiled_.fault_count;
  if (compiled_.faults.size() < kMostFaultsListed) {
    compiled_.faults.push_back({std::string(table), base::printable(key), std::string(why)});
  }
}

MaybeStop Compiler::add_profile(const Statement& statement) {
  auto profile = read_profile(statement);
  std::optional<std::string> fault;
  if (!profile) {
    fault = profile.error();
  } else {
    fault = model::find_contradiction(*profile);
    // Without its pins there is nothing to ask Postfix's grammar about.
    if (!fault && profile->level != model::Level::Fingerprint) fault = check_(*profile, {});
  }
  if (fault) {
    return Refusal{
        fmt::format("table profile, name \"{}\": {}; until it is mended the policy "
                    "before stays in force",
                    base::printable(statement.text(0), 100), *fault)};
  }
  if (!profiles_.empty() && profiles_.back().name >= profile->name) {
    return Disorder{
        fmt::format("profile \"{}\" stands behind \"{}\"", profile->name, profiles_.back().name)};
  }
  profiles_.push_back(std::move(*profile));
  return std::nullopt;
}

MaybeStop Compiler::read_profiles() {
  auto [statement, failure] = db_.prepare(fmt::format(
      "SELECT {} FROM profile INDEXED BY sqlite_autoindex_profile_1", profile_column_list()));
  if (failure.failed()) return failure;
  while (statement.step()) {
    if (auto stop = add_profile(statement)) return stop;
  }
  if (statement.failure().failed()) return statement.failure();
  row_check_ = std::make_unique<RowCheck>(profiles_, check_);
  return std::nullopt;
}

MaybeStop Compiler::start_image() {
  writer_ = std::make_unique<image::Writer>();
  writer_->expect_rows(expected_rows_);
  for (const auto& profile : profiles_) {
    if (const auto added = writer_->add_profile(profile); !added) {
      return Refusal{fmt::format("table profile, name \"{}\": {}", profile.name, added.error())};
    }
  }
  return std::nullopt;
}

MaybeStop Compiler::count_rows() {
  // SQLite counts by an index, which is smaller; the rows are read from the table itself.
  const auto [count, failure] = db_.number("SELECT count(*) FROM outbound");
  if (failure.failed()) return failure;
  expected_rows_ = static_cast<std::uint64_t>(count);
  return std::nullopt;
}

MaybeStop Compiler::check_order(std::string_view written) {
  if (has_previous_ && written <= previous_) {
    return Disorder{fmt::format("outbound \"{}\" stands behind \"{}\"",
                                base::printable(written, 100), base::printable(previous_, 100))};
  }
  previous_.assign(written);
  has_previous_ = true;
  return std::nullopt;
}

MaybeStop Compiler::add_row(image::Writer::Row row, std::optional<std::string> fault) {
  std::string text;
  if (fault) {
    if (is_sweeping(row.destination)) {
      return Refusal{
          fmt::format("table outbound, destination \"{}\": {}; until it is mended the "
                      "policy before stays in force",
                      row.destination, *fault)};
    }
    list_fault(row.destination, *fault);
    text = fmt::format("table outbound, destination \"{}\": {}",
                       base::printable(row.destination, 300), *fault);
    row.match = {};
    row.fault = text;
  }
  if (const auto added = writer_->add_row(row); !added) return Refusal{added.error()};
  return std::nullopt;
}

MaybeStop Compiler::add_odd_row(const OddRow& odd) {
  image::Writer::Row row;
  row.destination = odd.key;
  row.profile = odd.profile;
  row.match = odd.match;
  row.mode = odd.mode;
  row.expires_at = odd.expires_at;
  return add_row(row, odd.fault.empty() ? std::nullopt : std::optional(odd.fault));
}

MaybeStop Compiler::merge_odd_rows_before(std::string_view key) {
  while (next_odd_ < odd_rows_.size() && (key.empty() || odd_rows_[next_odd_].key < key)) {
    if (auto stop = add_odd_row(odd_rows_[next_odd_++])) return stop;
  }
  return std::nullopt;
}

// From here on only odd rows are listed; what is wrong with the others is found again when merging.
void Compiler::start_collecting() {
  if (pass_ != Pass::Plain) return;
  pass_ = Pass::CollectOdd;
  compiled_.faults.clear();
  compiled_.fault_count = 0;
}

// A destination that isn't in normal form, or none at all.
MaybeStop Compiler::visit_odd(const Statement& statement, std::string_view written) {
  if (pass_ == Pass::Merge) return std::nullopt;
  start_collecting();
  OddRow odd;
  odd.written = written;
  image::Writer::Row row;
  odd.fault = row_check_->read(statement, row).value_or("");
  odd.profile = row.profile;
  odd.match = row.match;
  odd.mode = row.mode;
  odd.expires_at = row.expires_at;
  const auto parsed = model::parse_destination(written);
  if (parsed) {
    odd.key = parsed->text;
  } else {
    // A question for the very same text must not be told that there is no row.
    odd.key = model::normalise_key(base::trim(written)).text;
    odd.fault = parsed.error();
    const bool can_be_asked = !odd.key.empty() && odd.key.size() <= 4 * model::kLongestDomain &&
                              odd.key.find('\0') == std::string::npos;
    if (!can_be_asked) {
      list_fault(written, odd.fault);
      return std::nullopt;
    }
  }
  odd_rows_.push_back(std::move(odd));
  return std::nullopt;
}

MaybeStop Compiler::visit(const Statement& statement) {
  ++rows_;
  const auto written = statement.text(0);
  if (statement.type(0) != ColumnType::Text) {
    if (pass_ == Pass::Merge) return std::nullopt;
    start_collecting();
    list_fault(written, "destination is no text");
    return std::nullopt;
  }
  if (auto stop = check_order(written)) return stop;
  if (!is_normal_form(written)) return visit_odd(statement, written);
  if (pass_ == Pass::CollectOdd) return std::nullopt;

  if (pass_ == Pass::Merge) {
    if (auto stop = merge_odd_rows_before(written)) return stop;
    if (next_odd_ < odd_rows_.size() && odd_rows_[next_odd_].key == written) {
      const auto& odd = odd_rows_[next_odd_++];
      image::Writer::Row both;
      both.destination = written;
      return add_row(both, fmt::format("\"{}\" is the same destination, written differently; "
                                       "delete one of the two",
                                       base::printable(odd.written, 100)));
    }
  }
  image::Writer::Row row;
  auto fault = row_check_->read(statement, row);
  row.destination = written;
  return add_row(row, std::move(fault));
}

MaybeStop Compiler::scan() {
  rows_ = 0;
  has_previous_ = false;
  if (auto stop = start_image()) return stop;
  auto [statement, failure] = db_.prepare(fmt::format(
      "SELECT {} FROM outbound INDEXED BY sqlite_autoindex_outbound_1", RowCheck::kColumns));
  if (failure.failed()) return failure;
  while (statement.step()) {
    if (auto stop = visit(statement)) return stop;
  }
  if (statement.failure().failed()) return statement.failure();
  if (rows_ != expected_rows_) {
    return Disorder{fmt::format("outbound has {} rows by its index and {} by reading them",
                                expected_rows_, rows_)};
  }
  return pass_ == Pass::Merge ? merge_odd_rows_before({}) : std::nullopt;
}

// Several spellings of one destination among the odd rows become one row at fault.
void join_equal_keys(std::vector<OddRow>& rows) {
  std::sort(rows.begin(), rows.end(), [](const OddRow& a, const OddRow& b) {
    return std::tie(a.key, a.written) < std::tie(b.key, b.written);
  });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (kept > 0 && rows[kept - 1].key == rows[i].key) {
      rows[kept - 1].fault = fmt::format(
          "\"{}\" and \"{}\" are the same destination; delete one of the two",
          base::printable(rows[kept - 1].written, 100), base::printable(rows[i].written, 100));
      // Which of them was meant nobody knows: the name holds mail though one of them does not.
      rows[kept - 1].mode = model::RowMode::Enforce;
      rows[kept - 1].expires_at = 0;
      continue;
    }
    if (kept != i) rows[kept] = std::move(rows[i]);
    ++kept;
  }
  rows.resize(kept);
}

CompileOutcome Compiler::run(base::sys_seconds now) {
  const auto outcome_of = [](Stop stop) {
    return std::visit([](auto& why) -> CompileOutcome { return std::move(why); }, stop);
  };
  if (auto stop = read_profiles()) return outcome_of(std::move(*stop));
  if (auto stop = count_rows()) return outcome_of(std::move(*stop));
  // The triggers keep a profile that is in use; a lost page doesn't.
  if (profiles_.empty() && expected_rows_ > 0) {
    return Refusal{
        "table profile is empty, though outbound has rows; put a good copy of the file in "
        "its place"};
  }
  if (auto stop = scan()) return outcome_of(std::move(*stop));
  if (pass_ == Pass::CollectOdd) {
    join_equal_keys(odd_rows_);
    pass_ = Pass::Merge;
    if (auto stop = scan()) return outcome_of(std::move(*stop));
  }
  // Only here: a scan may begin anew, and with it the list of faults.
  const auto list = [this](std::string_view table, std::string_view key, std::string_view why) {
    list_fault(table, key, why);
  };
  if (auto stop = compile_rules(db_, *writer_, list)) return outcome_of(std::move(*stop));
  auto image = writer_->finish(now);
  if (!image) return NotBuilt{image.error()};
  compiled_.image = std::move(*image);
  return std::move(compiled_);
}

}  // namespace

CompileOutcome compile_policy(Database& db, const model::PolicyCheck& check,
                              base::sys_seconds now) {
  return Compiler(db, check).run(now);
}

}  // namespace store
