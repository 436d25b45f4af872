// Probes addresses, so many at once, each of them no more than once at a time: joins the dialogue
// to a connection and a clock. Whom it may probe, and how often, has been decided by whoever asks.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "src/base/clock.h"
#include "src/jobs/probe_dialogue.h"
#include "src/net/loop.h"
#include "src/net/tls_context.h"

namespace jobs {

class Visit;

// [R 2]: so many at once, whatever is asked for.
inline constexpr std::size_t kMostProbesAtOnce = 20;

class Prober {
 public:
  struct Address {
    std::string text;  // IPv4 or IPv6
    std::uint16_t port = 25;
  };
  struct Settings {
    ProbeDialogue::Settings dialogue;
    // A second connection, which asks whether MAIL FROM is taken without TLS.
    bool asks_for_plain_mail = false;
    // Two more, of a peer whose TLS works: whether it takes obsolete protocols and broken ciphers.
    bool tries_weak_tls = false;
    std::size_t at_once = kMostProbesAtOnce;
  };
  class Watcher {
   public:
    virtual ~Watcher() = default;
    // `index` counts the addresses in the order in which they were given.
    virtual void on_step(std::size_t index, const model::ProbeStep& step) = 0;
    virtual void on_done(std::size_t index, model::ProbedAddress probed) = 0;
  };

  // All of them outlive it.
  Prober(net::Loop& loop, const base::Clock& clock, const net::TlsContext& context,
         Settings settings, Watcher& watcher);
  ~Prober();
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;

  // The probe begins when the loop runs and a place is free.
  void add(Address address);

 private:
  friend class Visit;
  struct Waiting {
    std::size_t index;
    Address address;
  };
  void fill_places();
  void retire(const Visit& visit);

  net::Loop& loop_;
  const base::Clock& clock_;
  const net::TlsContext& context_;
  Settings settings_;
  Watcher& watcher_;
  std::size_t added_ = 0;
  std::deque<Waiting> waiting_;
  std::vector<std::unique_ptr<Visit>> visits_;
  // Those who are done wait here until no frame up the stack can hold them.
  std::vector<std::unique_ptr<Visit>> done_;
  net::Timer turn_;
};

}  // namespace jobs
