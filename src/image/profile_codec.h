// A profile as it lies in the image.
#pragma once

#include <optional>
#include <string>

#include "src/base/bytes.h"
#include "src/base/result.h"
#include "src/model/profile.h"

namespace image {

// Refuses an attribute of more than kLongestText bytes; a longer comment is cut.
base::Result<void> append_profile(std::string& out, const model::Profile& profile);

// Nothing where the bytes end early or a word is none of ours.
std::optional<model::Profile> read_profile(base::ByteReader& from);

}  // namespace image
