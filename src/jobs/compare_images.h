// Counts what a new policy takes away from the one in force: one merge walk over two sorted images.
#pragma once

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

}  // namespace jobs
