#include "src/jobs/prober.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "src/base/socket_address.h"
#include "src/jobs/seen_tls.h"
#include "src/net/client_connection.h"

namespace jobs {

// One address: one conversation, or several after each other.
class Visit final : public net::ClientConnection::Owner {
 public:
  using Purpose = ProbeDialogue::Purpose;

  Visit(Prober& prober, std::size_t index, Prober::Address address)
      : prober_(prober),
        index_(index),
        address_(std::move(address)),
        origin_(prober.clock_.steady()),
        turn_(prober.loop_, [this] { go_on(); }),
        deadline_(prober.loop_, [this] { carry_out(dialogue_->on_deadline(now())); }) {}

  void begin() { converse(Purpose::Tls); }

  void on_connected(std::string_view our_address) override {
    carry_out(dialogue_->on_connected(our_address, now()));
  }
  void on_connect_failed(std::string_view why) override {
    carry_out(dialogue_->on_connect_failed(why, now()));
  }
  void on_bytes(std::string_view bytes) override { carry_out(dialogue_->on_bytes(bytes, now())); }
  void on_tls(net::PeerTls peer) override {
    carry_out(dialogue_->on_tls(seen_tls(std::move(peer)), now()));
  }
  void on_tls_failed(std::string_view why, bool is_refusal) override {
    carry_out(is_refusal ? dialogue_->on_tls_refused(why, now())
                         : dialogue_->on_tls_failed(why, now()));
  }
  void on_end(bool is_reset) override {
    carry_out(dialogue_->on_end(is_reset ? ProbeDialogue::End::Reset : ProbeDialogue::End::Closed,
                                now()));
  }

 private:
  [[nodiscard]] base::SteadyPoint now() const { return prober_.clock_.steady(); }

  void converse(Purpose purpose) {
    purpose_ = purpose;
    dialogue_.emplace(purpose, prober_.settings_.dialogue, record_, now(), origin_);
    const auto address = base::inet_address(address_.text, address_.port);
    if (!address) {
      carry_out(dialogue_->on_connect_failed("it is no address", now()));
      return;
    }
    connection_ =
        std::make_unique<net::ClientConnection>(prober_.loop_, *address, prober_.context_, *this);
    carry_out(dialogue_->first_move());
  }

  void carry_out(const ProbeDialogue::Move& move) {
    for (; told_ < record_.steps.size(); ++told_) {
      prober_.watcher_.on_step(index_, record_.steps[told_]);
    }
    if (!move.send.empty()) connection_->send(move.send);
    if (move.next == ProbeDialogue::Move::Next::HangUp) {
      if (connection_) connection_->close();
      deadline_.stop();
      turn_.start(std::chrono::microseconds{0});
      return;
    }
    const auto left = std::chrono::duration_cast<std::chrono::microseconds>(move.deadline - now());
    deadline_.start(std::max(left, std::chrono::microseconds{0}));
    if (move.next != ProbeDialogue::Move::Next::StartTls) return;
    connection_->start_tls(purpose_ == Purpose::Certificate ? net::TlsSession::Offer::NamedPeers
                                                            : net::TlsSession::Offer::Everything);
  }

  // Outside of all calls by the connection, which may be replaced now.
  void go_on() {
    connection_.reset();
    if (const auto next = next_purpose()) return converse(*next);
    prober_.watcher_.on_done(index_, std::move(record_));
    prober_.retire(*this);
  }

  std::optional<Purpose> next_purpose() const {
    switch (purpose_) {
      case Purpose::Tls:
        if (record_.tls && record_.tls->chain.empty()) return Purpose::Certificate;
        [[fallthrough]];
      case Purpose::Certificate:
        // Who did not even speak to us is not asked again.
        if (prober_.settings_.asks_for_plain_mail && record_.has_spoken) {
          return Purpose::RefusesPlaintext;
        }
        [[fallthrough]];
      case Purpose::RefusesPlaintext: {
        if (!tries_weak_tls()) return std::nullopt;
        const auto& protocol = record_.tls->protocol;
        const bool is_modern = protocol == "TLSv1.2" || protocol == "TLSv1.3";
        return is_modern ? Purpose::OldProtocols : Purpose::BrokenCiphers;
      }
      case Purpose::OldProtocols:
        if (record_.old_protocols.answer == model::WeakTrial::Answer::Unclear) break;
        return Purpose::BrokenCiphers;
      case Purpose::BrokenCiphers:
        break;
    }
    return std::nullopt;
  }

  [[nodiscard]] bool tries_weak_tls() const {
    return prober_.settings_.tries_weak_tls &&
           record_.outcome.security == model::Security::Encrypted && record_.tls;
  }

  Prober& prober_;
  std::size_t index_;
  Prober::Address address_;
  base::SteadyPoint origin_;
  model::ProbedAddress record_;
  std::size_t told_ = 0;  // steps that the watcher knows
  Purpose purpose_ = Purpose::Tls;
  std::optional<ProbeDialogue> dialogue_;
  std::unique_ptr<net::ClientConnection> connection_;
  net::Timer turn_;
  net::Timer deadline_;
};

Prober::Prober(net::Loop& loop, const base::Clock& clock, const net::TlsContext& context,
               Settings settings, Watcher& watcher)
    : loop_(loop),
      clock_(clock),
      context_(context),
      settings_(std::move(settings)),
      watcher_(watcher),
      turn_(loop, [this] { fill_places(); }) {}

Prober::~Prober() = default;

void Prober::add(Address address) {
  waiting_.push_back({added_++, std::move(address)});
  turn_.start(std::chrono::microseconds{0});
}

void Prober::fill_places() {
  done_.clear();
  while (!waiting_.empty() && visits_.size() < std::min(settings_.at_once, kMostProbesAtOnce)) {
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    visits_.push_back(std::make_unique<Visit>(*this, next.index, std::move(next.address)));
    visits_.back()->begin();
  }
}

void Prober::retire(const Visit& visit) {
  const auto found = std::find_if(visits_.begin(), visits_.end(),
                                  [&](const auto& each) { return each.get() == &visit; });
  done_.push_back(std::move(*found));
  visits_.erase(found);
  turn_.start(std::chrono::microseconds{0});
}

}  // namespace jobs
