// What `answer` and `store` believe of each other about incoming and submitted mail: any bytes as
// any record. A record taken off the front leaves exactly what stood behind it and reads the same
// when it is written again; where there is none, nothing is taken. Of texts that a peer made long,
// the first 320 bytes are told.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "src/wire/inbound_record.h"

namespace {

constexpr std::size_t kLongestText = 320;

void require(bool holds) {
  if (!holds) std::abort();
}

template <class Take>
void check_records(std::string_view bytes, Take take) {
  std::string_view rest = bytes;
  while (true) {
    const auto before = rest;
    const auto record = take(rest);
    if (!record) {
      require(rest == before);
      return;
    }
    require(rest.size() < before.size() && before.ends_with(rest));
    std::string written;
    wire::append_record(written, *record);
    const auto taken = before.size() - rest.size();
    require(written.size() <= taken);
    std::string followed = written + "behind";
    std::string_view reread = followed;
    const auto again = take(reread);
    require(again && reread == "behind");
    if (written.size() == taken) require(again == record && before.starts_with(written));
    std::string twice;
    wire::append_record(twice, *again);
    require(twice == written);
    // Each strict prefix is none.
    std::string_view cut(written.data(), written.size() - 1);
    require(!take(cut));
  }
}

// What comes from a session is cut, never refused.
void check_long_texts(std::string_view input) {
  model::InboundKnown known;
  known.sender_domain = input;
  known.network = input.substr(0, 50);
  known.messages = static_cast<std::int64_t>(input.size());
  std::string written;
  wire::append_record(written, known);
  std::string_view rest = written;
  const auto again = wire::take_inbound_known(rest);
  require(again && rest.empty() && again->messages == known.messages);
  require(again->sender_domain == input.substr(0, kLongestText));
  require(again->network == known.network);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  check_records(input, wire::take_inbound_decision);
  check_records(input, wire::take_inbound_count);
  check_records(input, wire::take_inbound_known);
  check_records(input, wire::take_submission_decision);
  check_long_texts(input);
  return 0;
}
