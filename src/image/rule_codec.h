// The rules for incoming and submitted mail as they lie in the image.
#pragma once

#include <optional>
#include <string>

#include "src/base/bytes.h"
#include "src/model/inbound_rule.h"
#include "src/model/submission_rule.h"

namespace image {

// Texts longer than kLongestText are cut; whoever compiles has refused them before.
void append_rule(std::string& out, const model::InboundRule& rule);
void append_rule(std::string& out, const model::SubmissionRule& rule);

// Nothing where the bytes end early or a word is none of ours.
std::optional<model::InboundRule> read_inbound_rule(base::ByteReader& from);
std::optional<model::SubmissionRule> read_submission_rule(base::ByteReader& from);

}  // namespace image
