#include "src/jobs/lessons.h"

#include <algorithm>

#include "src/model/next_hop.h"

namespace jobs {
namespace {

using model::Cause;
using model::Security;

// A content filter, a mailbox, a proxy on this host: not on the way to anybody.
bool is_local(const wire::LogPeer& peer) {
  return peer.address.find('/') != std::string_view::npos || peer.address.starts_with("127.") ||
         peer.address == "::1";
}

void count_verified(Lesson& lesson, const std::optional<wire::TlsFeature>& tls) {
  ++lesson.verified;
  if (!tls || !tls->level) return;
  if (*tls->level == model::Level::Verify || *tls->level == model::Level::Secure) {
    ++lesson.by_pkix;
    if (*tls->level == model::Level::Secure) ++lesson.by_secure;
  } else {
    ++lesson.by_other;
  }
}

}  // namespace

Lessons::Service* Lessons::service_of(const wire::LogLine& line) {
  std::string name(line.host);
  name += ' ';
  name += line.process.tag;
  const auto known = services_.find(name);
  if (known != services_.end()) return &known->second;
  if (services_.size() >= kMostServices) return nullptr;
  Service& service = services_[std::move(name)];
  service.host = line.host;
  return &service;
}

Lesson* Lessons::lesson_of(const Delivery& delivery) {
  model::Key key = model::normalise_key(delivery.destination);
  if (!model::is_deliverable(key.kind)) {
    ++unusable_;
    return nullptr;
  }
  if (const auto known = index_.find(key.text); known != index_.end()) {
    return &lessons_[known->second];
  }
  if (lessons_.size() >= most_) {
    ++left_out_;
    return nullptr;
  }
  index_.emplace(key.text, static_cast<std::uint32_t>(lessons_.size()));
  lessons_.emplace_back();
  lessons_.back().destination = std::move(key.text);
  return &lessons_.back();
}

void Lessons::settle(Service& service, bool is_clear) {
  for (const auto& [destination, count] : service.waiting) {
    Lesson& lesson = lessons_[destination];
    (is_clear ? lesson.clear : lesson.unknown) += count;
    if (!is_clear) unlogged_ += count;
  }
  service.waiting.clear();
}

void Lessons::take_silent(const wire::LogLine& line, Lesson& lesson) {
  Service* service = service_of(line);
  if (service == nullptr) {
    ++lesson.unknown;
  } else if (service->shows_tls) {
    ++lesson.clear;
  } else {
    ++service->waiting[static_cast<std::uint32_t>(&lesson - lessons_.data())];
  }
}

void Lessons::take_sent(const wire::LogLine& line, const Delivery& delivery, Lesson& lesson) {
  ++lesson.deliveries;
  const auto& relay = delivery.status->relay;
  if (relay && relay->port != "25") ++lesson.other_ports;
  switch (delivery.outcome.security) {
    case Security::Unknown:
      if (delivery.is_silent) {
        take_silent(line, lesson);
      } else {
        ++lesson.unknown;
      }
      return;
    case Security::Clear:
      ++lesson.clear;
      return;
    case Security::Authenticated:
      ++lesson.tls;
      count_verified(lesson, delivery.status->tls);
      return;
    case Security::Encrypted:
      ++lesson.tls;
      if (delivery.trust == wire::PeerTrust::Trusted) ++lesson.trusted;
      return;
  }
}

void Lessons::take_delivery(const wire::LogLine& line, const Delivery& delivery) {
  const bool is_sent = delivery.status->word == wire::DeliveryWord::Sent;
  const auto& cause = delivery.outcome.cause;
  // A probe hands over no mail, and what TLS isn't to blame for teaches nothing of it.
  const bool is_failure = cause && (delivery.status->word == wire::DeliveryWord::Deferred ||
                                    delivery.status->word == wire::DeliveryWord::Bounced);
  if (!is_sent && !is_failure) return;
  if (delivery.status->relay && is_local(*delivery.status->relay)) {
    ++local_;
    return;
  }
  Lesson* lesson = lesson_of(delivery);
  if (lesson == nullptr) return;
  if (cause) ++lesson->failures.at(static_cast<std::size_t>(*cause));
  if (delivery.is_unanswered) ++lesson->unanswered;
  if (is_sent) take_sent(line, delivery, *lesson);
}

void Lessons::take(const wire::LogLine& line) {
  if (std::holds_alternative<wire::ServiceStarted>(line.fact)) {
    // Whatever smtp_tls_loglevel was, it may be another one now.
    for (auto& [name, service] : services_) {
      if (service.host != line.host) continue;
      settle(service, /*is_clear=*/false);
      service.shows_tls = false;
    }
    return;
  }
  const auto delivery = join_.take(line);
  if (delivery) {
    take_delivery(line, *delivery);
    return;
  }
  const auto* session = std::get_if<wire::TlsSession>(&line.fact);
  // A reused session is logged at every level, and tlsproxy(8) has a level of its own [F 3.5].
  if (session == nullptr || session->is_reused || line.process.name == "tlsproxy") return;
  Service* service = service_of(line);
  if (service == nullptr || service->shows_tls) return;
  service->shows_tls = true;
  settle(*service, /*is_clear=*/true);
}

void Lessons::finish() {
  for (auto& [name, service] : services_) settle(service, /*is_clear=*/false);
}

std::vector<const Lesson*> Lessons::ranked() const {
  std::vector<const Lesson*> order;
  order.reserve(lessons_.size());
  for (const Lesson& lesson : lessons_) order.push_back(&lesson);
  std::sort(order.begin(), order.end(), [](const Lesson* a, const Lesson* b) {
    if (a->deliveries != b->deliveries) return a->deliveries > b->deliveries;
    return a->destination < b->destination;
  });
  return order;
}

}  // namespace jobs
