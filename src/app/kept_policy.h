// What the parent keeps for a role that is started again: the descriptors of the policy image in
// force and of what was known of destinations. It reads neither.
#pragma once

#include <string>

#include "src/app/role_slot.h"
#include "src/base/handle.h"
#include "src/net/channel.h"

namespace app {

class KeptPolicy {
 public:
  // The last known good policy of an earlier run. Without a file there is nothing to say: the
  // first start of all has none.
  void load(const std::string& file);
  // Of a message that carries one; another one is passed over.
  void take_image(net::Message message);
  void forget_image() { image_.reset(); }
  void take_state_base(net::Message message);
  // Gives `slot` what its role needs of it.
  void hand_over(RoleSlot& slot) const;

 private:
  base::UniqueFd image_;
  bool is_image_saved_ = false;  // by an earlier run, and not confirmed since
  base::UniqueFd state_base_;
};

}  // namespace app
