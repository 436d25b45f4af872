// One certificate in plain values. Apart from peer_tls, which speaks of sessions.
#pragma once

#include "src/net/peer_tls.h"

struct x509_st;

namespace net {

PeerCertificate describe_certificate(x509_st* certificate);

}  // namespace net
