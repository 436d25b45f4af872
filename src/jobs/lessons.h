// What past deliveries teach of each destination: how many went in TLS, with which trust, in clear,
// or nobody knows how; what TLS failed on; and which shipped profiles they would all have passed.
//
// Lines in the order of the log come in; no I/O, no clock. "Encrypted", "authenticated", "in clear"
// and "unknown" are never mixed: a delivery of which the log says nothing is in clear only where
// the same service of the same host logs TLS sessions (smtp_tls_loglevel of 1 or more) between the
// same two starts or reloads of Postfix, else unknown.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "src/jobs/delivery_join.h"

namespace jobs {

// Of one destination. Every delivery is one of tls, clear and unknown; trusted and verified are
// Postfix's words on the certificate of those in TLS, each delivery under one of them at most.
struct Lesson {
  std::string destination;  // in normal form (model/next_hop.h)
  std::uint64_t deliveries = 0;
  std::uint64_t tls = 0;
  std::uint64_t trusted = 0;
  std::uint64_t verified = 0;
  std::uint64_t clear = 0;
  std::uint64_t unknown = 0;
  // By model::Cause; deliveries in clear after a failure of TLS are among them, as Plaintext.
  std::array<std::uint64_t, model::kCauses.size()> failures{};
  std::uint64_t unanswered = 0;   // failures where the peer never answered STARTTLS
  std::uint64_t by_pkix = 0;      // verified ones of which tls= says verify or secure
  std::uint64_t by_secure = 0;    // of these, secure
  std::uint64_t by_other = 0;     // verified ones of which tls= says dane or fingerprint
  std::uint64_t other_ports = 0;  // deliveries to another port than 25: a transport of the admin's
};

// Names of the shipped profiles that every delivery would have passed, the loosest first; empty
// where there was none. `off` and `opportunistic` ask for nothing that can't be given up;
// `verified` takes "Verified" for a chain and a name unless tls= says otherwise.
std::vector<std::string_view> find_passed_profiles(const Lesson& lesson);

// The profile that the evidence supports as a row of its own, or none and the reason why. Never one
// that asks less than what these deliveries show to be asked already.
struct Suggestion {
  std::string_view profile;  // empty: none
  std::string_view why_not;
};
Suggestion suggest_profile(const Lesson& lesson);

class Lessons {
 public:
  static constexpr std::size_t kMostDestinations = 100'000;
  static constexpr std::size_t kMostServices = 256;  // host and tag, e.g. "mail postfix/relay/smtp"

  explicit Lessons(std::size_t most_destinations = kMostDestinations) : most_(most_destinations) {}

  void take(const wire::LogLine& line);
  // The log is over: what waits for a sign that TLS is logged at all is unknown. Call once, then
  // read what follows.
  void finish();

  // Most deliveries first, then by name.
  [[nodiscard]] std::vector<const Lesson*> ranked() const;
  // Deliveries, and failures, of destinations beyond the limit.
  [[nodiscard]] std::uint64_t left_out() const { return left_out_; }
  // Deliveries to unix sockets and loopback addresses: mailboxes and content filters.
  [[nodiscard]] std::uint64_t local() const { return local_; }
  // Deliveries to what is no domain, name or address literal.
  [[nodiscard]] std::uint64_t unusable() const { return unusable_; }
  // Deliveries that are unknown only because nothing shows that TLS sessions are logged.
  [[nodiscard]] std::uint64_t unlogged() const { return unlogged_; }

 private:
  // A service that logs: whether it was seen to log TLS, and who waits for that.
  struct Service {
    std::string host;
    bool shows_tls = false;
    std::unordered_map<std::uint32_t, std::uint64_t> waiting;  // destination -> silent deliveries
  };

  Service* service_of(const wire::LogLine& line);
  Lesson* lesson_of(const Delivery& delivery);
  void take_delivery(const wire::LogLine& line, const Delivery& delivery);
  void take_sent(const wire::LogLine& line, const Delivery& delivery, Lesson& lesson);
  void take_silent(const wire::LogLine& line, Lesson& lesson);
  void settle(Service& service, bool is_clear);

  std::size_t most_;
  DeliveryJoin join_;
  std::vector<Lesson> lessons_;
  std::unordered_map<std::string, std::uint32_t> index_;
  std::unordered_map<std::string, Service> services_;
  std::uint64_t left_out_ = 0;
  std::uint64_t local_ = 0;
  std::uint64_t unusable_ = 0;
  std::uint64_t unlogged_ = 0;
};

}  // namespace jobs
