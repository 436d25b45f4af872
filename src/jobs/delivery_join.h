// Joins what a mail log says of one delivery in several lines: Postfix names the domain, the queue
// id and the ending in one line, and the TLS session, the reason of a failed handshake and the
// fault of a certificate in others, which have the same process and no queue id
// [F 3.4, 3.7.5, 10.1].
//
// Lines in the order of the log come in, deliveries go out; no I/O, no clock. A log is lossy
// [F 3.7.6]: where lines contradict each other the answer is "unknown".
#pragma once

#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "src/model/cause.h"
#include "src/wire/maillog.h"

namespace jobs {

// One recipient, one ending. Views live until the next take().
struct Delivery {
  std::string_view destination;  // the next-hop where a line told it, else the recipient's domain
  bool is_next_hop = false;
  const wire::DeliveryStatus* status = nullptr;
  model::Outcome outcome;
  std::optional<wire::PeerTrust> trust;  // of the session that the log shows
  // Sent, and not a word of TLS: in clear where the log would show TLS, else unknown.
  bool is_silent = false;
  // The peer never answered STARTTLS: Postfix doesn't go on in clear even at `may` [F 3.2.4].
  bool is_unanswered = false;
};

class DeliveryJoin {
 public:
  // Processes remembered; the one that was silent for longest is forgotten first.
  static constexpr std::size_t kMostProcesses = 20'000;

  explicit DeliveryJoin(std::size_t most_processes = kMostProcesses) : most_(most_processes) {}

  // A delivery where the line is a status line of smtp(8) or lmtp(8) about a server that was asked.
  std::optional<Delivery> take(const wire::LogLine& line);

  [[nodiscard]] std::size_t process_count() const { return requests_.size(); }

 private:
  // What a process said since its last delivery request began; peers as "host[address]:port".
  struct Request {
    std::string queue_id;
    std::string batch;        // queue id and the first two delays: the same for one request alone
    bool is_over = false;     // a status line was seen: what comes is of the next request
    bool is_muddled = false;  // lines of two requests: some in between were lost
    std::string next_hop;
    std::string session_peer;
    wire::PeerTrust session_trust = wire::PeerTrust::Anonymous;
    std::string failed_peer;  // with which TLS came to nothing
    model::Cause failed_cause = model::Cause::HandshakeFailure;
    bool is_server_given_up = false;  // and Postfix said so, with the queue id
    std::string doubted_peer;         // whose certificate had a fault
    model::Cause doubted_cause = model::Cause::ValidationFailure;
  };
  using Entry = std::pair<std::string, Request>;  // host and pid

  Request& request_of(const wire::LogLine& line);
  static void note(Request& request, const wire::LogFact& fact);
  static void note_server_failed(Request& request, const wire::ServerFailed& failed);
  static void open_batch(Request& request, const wire::DeliveryStatus& status);
  static void conclude_security(const Request& request, const std::string& relay,
                                Delivery& delivery);
  static void conclude_cause(const Request& request, const std::string& relay, Delivery& delivery);
  static Delivery conclude(const Request& request, const wire::DeliveryStatus& status);

  std::size_t most_;
  std::list<Entry> recent_;  // last heard first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> requests_;
};

}  // namespace jobs
