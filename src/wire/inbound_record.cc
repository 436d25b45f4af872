#include "src/wire/inbound_record.h"

#include "src/base/bytes.h"

namespace wire {
namespace {

constexpr std::size_t kLongestText = 320;

void append_texts(std::string& out, std::initializer_list<const std::string*> texts) {
  for (const auto* text : texts) {
    base::append_text(out, std::string_view(*text).substr(0, kLongestText));
  }
}

void take_texts(base::ByteReader& from, std::initializer_list<std::string*> texts) {
  for (auto* text : texts) *text = from.text();
}

template <class T>
std::optional<T> finish(base::ByteReader& from, std::string_view& bytes, T& record) {
  if (!from.ok()) return std::nullopt;
  bytes.remove_prefix(from.at());
  return std::move(record);
}

}  // namespace

void append_record(std::string& out, const model::InboundDecision& decision) {
  base::append_number<std::int64_t>(out, decision.at);
  base::append_number<std::int64_t>(out, decision.rule);
  append_texts(out, {&decision.step, &decision.client, &decision.client_name, &decision.sender,
                     &decision.protocol, &decision.required, &decision.got, &decision.action});
}

std::optional<model::InboundDecision> take_inbound_decision(std::string_view& bytes) {
  base::ByteReader from(bytes);
  model::InboundDecision decision;
  decision.at = from.number<std::int64_t>();
  decision.rule = from.number<std::int64_t>();
  take_texts(from, {&decision.step, &decision.client, &decision.client_name, &decision.sender,
                    &decision.protocol, &decision.required, &decision.got, &decision.action});
  return finish(from, bytes, decision);
}

void append_record(std::string& out, const model::InboundCount& count) {
  base::append_number<std::int64_t>(out, count.tally.hour);
  base::append_number<std::int64_t>(out, count.tally.rule);
  append_texts(out, {&count.tally.sender_domain, &count.tally.network, &count.tally.required,
                     &count.tally.got, &count.tally.action});
  base::append_number<std::int64_t>(out, count.count);
}

std::optional<model::InboundCount> take_inbound_count(std::string_view& bytes) {
  base::ByteReader from(bytes);
  model::InboundCount count;
  count.tally.hour = from.number<std::int64_t>();
  count.tally.rule = from.number<std::int64_t>();
  take_texts(from, {&count.tally.sender_domain, &count.tally.network, &count.tally.required,
                    &count.tally.got, &count.tally.action});
  count.count = from.number<std::int64_t>();
  return finish(from, bytes, count);
}

void append_record(std::string& out, const model::InboundKnown& known) {
  append_texts(out, {&known.sender_domain, &known.network});
  base::append_number<std::int64_t>(out, known.messages);
}

std::optional<model::InboundKnown> take_inbound_known(std::string_view& bytes) {
  base::ByteReader from(bytes);
  model::InboundKnown known;
  take_texts(from, {&known.sender_domain, &known.network});
  known.messages = from.number<std::int64_t>();
  return finish(from, bytes, known);
}

void append_record(std::string& out, const model::SubmissionDecision& decision) {
  base::append_number<std::int64_t>(out, decision.at);
  append_texts(out, {&decision.rule, &decision.step, &decision.client, &decision.sasl_user,
                     &decision.sender, &decision.recipient, &decision.protocol, &decision.required,
                     &decision.got, &decision.action});
}

std::optional<model::SubmissionDecision> take_submission_decision(std::string_view& bytes) {
  base::ByteReader from(bytes);
  model::SubmissionDecision decision;
  decision.at = from.number<std::int64_t>();
  take_texts(from, {&decision.rule, &decision.step, &decision.client, &decision.sasl_user,
                    &decision.sender, &decision.recipient, &decision.protocol, &decision.required,
                    &decision.got, &decision.action});
  return finish(from, bytes, decision);
}

}  // namespace wire
