// Counts what a new policy takes away from the one in force: one merge walk over two sorted images.
#pragma once

#include <string>
#include <vector>

#include "src/base/clock.h"
#include "src/engine/publication.h"
#include "src/image/reader.h"

namespace jobs {

engine::Difference compare_images(const image::Image& before, const image::Image& after,
                                  base::sys_seconds now);

// The same of the rules for incoming mail that ask for something, and of those for submitted mail.
engine::Difference compare_inbound(const image::Image& before, const image::Image& after,
                                   base::sys_seconds now);
engine::Difference compare_submission(const image::Image& before, const image::Image& after,
                                      base::sys_seconds now);

// Of each table from which anything is taken away.
std::vector<engine::Difference> compare_tables(const image::Image& before,
                                               const image::Image& after, base::sys_seconds now);

// "drop 900 and weaken 5 of 1000 rows of table outbound, and ..." and, once it is done,
// "900 of 1000 rows of table outbound dropped, 5 weakened; ...".
std::string describe_taking(const std::vector<engine::Difference>& differences);
std::string describe_taken(const std::vector<engine::Difference>& differences);

}  // namespace jobs
