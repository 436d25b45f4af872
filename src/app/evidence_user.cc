#include "src/app/evidence_user.h"

#include <utility>

#include "src/app/privileges.h"
#include "src/base/log.h"

namespace app {

std::optional<std::uint32_t> EvidenceUser::find(const std::string& name) {
  const auto uid = find_uid(name);
  const std::string missing = uid ? std::string() : name;
  if (std::exchange(missing_, missing) != missing && !missing.empty()) {
    base::log_warning(
        "evidence_uid: there is no user {}; outcomes from unix sockets change nothing until it "
        "names Postfix's user (postconf mail_owner)",
        missing);
  }
  return uid;
}

}  // namespace app
