// The sixth schema of state.db: what a look at everything asks for is found without reading all.
#include "src/store/schema_steps.h"

namespace store {

std::string state_step_6() {
  return R"sql(
CREATE INDEX destination_state_away ON destination_state(phase, since) WHERE phase <> 'normal';
CREATE INDEX probe_verdict ON probe(delivers, watched_at, since);
CREATE INDEX probe_address_end ON probe_address(not_after, destination, host) WHERE not_after > 0)sql";
}

}  // namespace store
