// What a role may tell the parent. Pure: those that are fed hostile bytes (`net`, `ingest`, `http`)
// hold no policy, so none of them may take one away.
#pragma once

#include "src/app/role.h"
#include "src/wire/role_message.h"

namespace app {

constexpr bool may_tell(Role role, wire::ToParent type) {
  switch (type) {
    case wire::ToParent::Ready:
    case wire::ToParent::Pong:
      return true;
    case wire::ToParent::Image:
    case wire::ToParent::Refused:
      return role == Role::Answer;
    case wire::ToParent::Status:
    case wire::ToParent::StateBase:
      return role == Role::Store;
    case wire::ToParent::Alarm:
      return role == Role::Answer || role == Role::Store;
  }
  return false;
}

}  // namespace app
