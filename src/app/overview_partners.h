// Which partners do not do the TLS that is asked of them: by mail that was put off today and did
// not go since, and by the last check of their hosts.
#pragma once

#include <cstdint>
#include <vector>

#include "src/image/reader.h"
#include "src/jobs/mail_day.h"
#include "src/model/overview.h"
#include "src/store/state_db.h"

namespace app {

struct FoundPartners {
  std::vector<model::Overview::Partner>
      shown;  // at most model::kMostShownPartners, the worst first
  std::uint64_t total = 0;
};

// Checks count of destinations watched since `watched_since`. `image` may be null.
FoundPartners find_partners(store::StateDb& db, const image::Image* image,
                            const std::vector<jobs::PutOff>& put_off, std::int64_t watched_since,
                            std::int64_t now);

}  // namespace app
