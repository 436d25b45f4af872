// Keeps what a Feedback proposes to `store`, and takes all of it.
#pragma once

#include <string_view>
#include <vector>

#include "src/jobs/feedback.h"

namespace test {

struct HeardProposals final : jobs::Feedback::Outlet {
  bool propose(const wire::Proposal& proposal) override {
    proposals.push_back(proposal);
    return true;
  }
  void alarm(std::string_view /*what*/, std::string_view /*destination*/, std::string_view /*text*/,
             bool /*is_over*/) override {}
  std::vector<wire::Proposal> proposals;
};

}  // namespace test
