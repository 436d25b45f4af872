#include "src/app/kept_policy.h"

#include <unistd.h>

#include <array>
#include <utility>

#include "src/base/log.h"
#include "src/image/sealed_file.h"

namespace app {

using wire::FromParent;

void KeptPolicy::load(const std::string& file) {
  if (::access(file.c_str(), F_OK) != 0) return;
  auto loaded = image::load_sealed(file);
  if (loaded) {
    image_ = std::move(*loaded);
    is_image_saved_ = true;
  } else {
    base::log_warning("{}; the policy is compiled anew from policy_db", loaded.error());
  }
}

void KeptPolicy::take_image(net::Message message) {
  if (message.descriptors.size() != 1) return;
  image_ = std::move(message.descriptors.front());
  is_image_saved_ = false;
}

void KeptPolicy::take_state_base(net::Message message) {
  if (message.descriptors.size() == 1) state_base_ = std::move(message.descriptors.front());
}

void KeptPolicy::hand_over(RoleSlot& slot) const {
  const bool is_answer = slot.role == Role::Answer;
  if (!is_answer && slot.role != Role::Store) return;  // the others hold no policy
  if (image_) {
    slot.send(FromParent::Image, is_image_saved_ ? wire::kSavedImage : "",
              std::array{image_.get()});
  }
  if (is_answer && state_base_) {
    slot.send(FromParent::StateBase, {}, std::array{state_base_.get()});
  }
}

}  // namespace app
