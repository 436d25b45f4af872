#include "src/app/role_rights.h"

#include "tests/unit/catch.h"

using app::may_tell;
using app::Role;
using wire::ToParent;

TEST_CASE("roles that are fed hostile bytes may say that they live, and nothing else") {
  for (const Role role : {Role::Ingest, Role::Net, Role::Http}) {
    for (const auto type : {ToParent::Ready, ToParent::Pong}) CHECK(may_tell(role, type));
    for (const auto type : {ToParent::Image, ToParent::Refused, ToParent::Status,
                            ToParent::StateBase, ToParent::Alarm}) {
      CHECK_FALSE(may_tell(role, type));
    }
  }
}

TEST_CASE("what the parent keeps is set by the one role that knows it") {
  for (const auto type : {ToParent::Image, ToParent::Refused}) {
    CHECK(may_tell(Role::Answer, type));
    CHECK_FALSE(may_tell(Role::Store, type));
  }
  for (const auto type : {ToParent::Status, ToParent::StateBase}) {
    CHECK(may_tell(Role::Store, type));
    CHECK_FALSE(may_tell(Role::Answer, type));
  }
  CHECK(may_tell(Role::Answer, ToParent::Alarm));
  CHECK(may_tell(Role::Store, ToParent::Alarm));
}

TEST_CASE("a byte that is no message may be said by nobody") {
  for (const int type : {0, 8, 255}) {
    CHECK_FALSE(may_tell(Role::Answer, static_cast<ToParent>(type)));
  }
}
