// What net/ tells of a peer's TLS in the words of model/, and the pins in Postfix's form.
#pragma once

#include "src/model/probed_address.h"
#include "src/net/peer_tls.h"

namespace jobs {

model::SeenTls seen_tls(net::PeerTls peer);

}  // namespace jobs
