// What `answer` and `store` say to each other of incoming and submitted mail, many records in a
// message.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "src/model/inbound_record.h"
#include "src/model/submission_record.h"

namespace wire {

// Texts of more than 320 bytes are cut: they are a peer's.
void append_record(std::string& out, const model::InboundDecision& decision);
void append_record(std::string& out, const model::InboundCount& count);
void append_record(std::string& out, const model::InboundKnown& known);
void append_record(std::string& out, const model::SubmissionDecision& decision);

// Takes one record off the front; nothing where the bytes make none.
std::optional<model::InboundDecision> take_inbound_decision(std::string_view& bytes);
std::optional<model::InboundCount> take_inbound_count(std::string_view& bytes);
std::optional<model::InboundKnown> take_inbound_known(std::string_view& bytes);
std::optional<model::SubmissionDecision> take_submission_decision(std::string_view& bytes);

}  // namespace wire
