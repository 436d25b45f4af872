// A keeper of states to whom nobody listens.
#pragma once

#include "src/app/state_keeper.h"

namespace test {

struct QuietOutlet final : app::StateKeeper::Outlet {
  bool tell_answer(wire::StoreToAnswer /*type*/, std::string_view /*payload*/,
                   std::span<const int> /*fds*/) override {
    return true;
  }
  bool tell_parent(wire::ToParent /*type*/, std::string_view /*payload*/,
                   std::span<const int> /*fds*/) override {
    return true;
  }
  void note_proposal(const wire::Proposal& /*proposal*/) override {}
  void note_count(const wire::CountRecord& /*count*/) override {}
};

}  // namespace test
