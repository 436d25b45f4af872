// What one role believes of another: any bytes as any message. What parses is written again and
// reads the same; a record taken off the front leaves exactly what stood behind it.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "src/wire/http_message.h"
#include "src/wire/net_message.h"
#include "src/wire/role_message.h"
#include "src/wire/state_record.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

// Messages that have no operator==: their bytes do.
template <class Parse>
void check_message(std::string_view bytes, Parse parse) {
  const auto parsed = parse(bytes);
  if (!parsed) return;
  const auto written = wire::to_payload(*parsed);
  const auto again = parse(written);
  require(again && wire::to_payload(*again) == written);
}

template <class Take, class Append>
void check_records(std::string_view bytes, Take take, Append append) {
  std::string_view rest = bytes;
  while (true) {
    const auto before = rest.size();
    const auto record = take(rest);
    if (!record) {
      require(rest.size() == before);
      return;
    }
    require(rest.size() < before);
    std::string written;
    append(written, *record);
    std::string_view reread = written;
    require(take(reread) == record && reread.empty());
  }
}

void check_roles(std::string_view bytes) {
  const auto roles = wire::parse_role_records(bytes);
  if (!roles) return;
  std::string written;
  for (const auto& role : *roles) wire::append_role_record(written, role);
  require(written == bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  check_records(input, wire::take_reported_evidence, wire::append_reported_evidence);
  check_records(input, wire::take_state_record, wire::append_state_record);
  check_records(input, wire::take_count_record, wire::append_count_record);
  check_records(input, wire::take_observed_record, wire::append_observed_record);
  check_records(input, wire::take_watched_record, wire::append_watched_record);
  check_records(input, wire::take_watch_event, wire::append_watch_event);
  check_records(input, wire::take_found_record, wire::append_found_record);
  check_roles(input);
  check_message(input, wire::parse_proposal);
  check_message(input, wire::parse_alarm);
  check_message(input, wire::parse_mode);
  check_message(input, wire::parse_followed);
  check_message(input, wire::parse_texts);
  check_message(input, wire::parse_answer_stats);
  check_message(input, wire::parse_ingest_stats);
  check_message(input, wire::parse_net_stats);
  check_message(input, wire::parse_u64);
  return 0;
}
