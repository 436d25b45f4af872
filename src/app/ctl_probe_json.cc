// A probe as data: one object a target, its MX hosts and their addresses inside.
#include "src/app/ctl_probe.h"
#include "src/app/ctl_time.h"

namespace app::ctl {
namespace {

Json to_json(const std::optional<bool>& answer) {
  return answer ? Json(*answer) : Json(nullptr);
}

Json text_or_null(std::string_view text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

Json to_json(const engine::WouldDeliver& would) {
  Json object = Json::object();
  for (const auto& [profile, field] : engine::kProfileAnswers) {
    object[std::string(profile)] = to_json(would.*field);
  }
  return object;
}

Json to_json(const model::SeenCertificate& certificate, std::int64_t now) {
  return {{"subject", certificate.subject},
          {"issuer", certificate.issuer},
          {"names", model::names_of(certificate)},
          {"addresses", certificate.addresses},
          {"not_before", iso_time_of(certificate.not_before)},
          {"not_after", iso_time_of(certificate.not_after)},
          {"days_left", model::days_left(certificate, now)},
          {"key_type", certificate.key_type},
          {"key_bits", certificate.key_bits},
          {"signature", certificate.signature},
          {"fingerprint", certificate.fingerprint},
          {"key_fingerprint", certificate.key_fingerprint}};
}

Json to_json(const std::vector<engine::Remark>& remarks) {
  Json array = Json::array();
  for (const auto& remark : remarks) {
    array.push_back({{"weight", to_word(remark.weight)},
                     {"what", remark.what},
                     {"action", text_or_null(remark.action)}});
  }
  return array;
}

Json to_json(const model::WeakTrial& trial) {
  return {{"answer", model::to_word(trial.answer)},
          {"protocol", text_or_null(trial.protocol)},
          {"cipher", text_or_null(trial.cipher)},
          {"text", text_or_null(trial.text)}};
}

// What holds of TLS alone, for an endpoint that came to it.
void add_tls(const ProbedEndpoint& endpoint, std::int64_t now, Json& object) {
  const auto& tls = *endpoint.seen.tls;
  object["protocol"] = tls.protocol;
  object["cipher"] = tls.cipher;
  object["bits"] = tls.bits;
  object["key_exchange"] = text_or_null(tls.key_exchange);
  object["key_exchange_bits"] = tls.key_exchange_bits;
  object["trust"] = model::to_word(tls.trust);
  object["trust_text"] = text_or_null(tls.trust_text);
  object["weak"] = engine::find_weaknesses(endpoint.seen);
  object["chain"] = Json::array();
  for (const auto& each : tls.chain) object["chain"].push_back(to_json(each, now));
  if (tls.chain.empty()) return;
  const auto& leaf = tls.chain.front();
  object["name_matches"] = model::is_named(leaf, endpoint.expected.host);
  object["names"] = model::names_of(leaf);
  object["days_left"] = model::days_left(leaf, now);
  object["pin"] = leaf.key_fingerprint;
}

Json to_json(const model::ProbeStep& step) {
  return {{"at_ms", step.at.count()},
          {"stage", model::to_word(step.stage)},
          {"kind", model::to_word(step.kind)},
          {"text", step.text}};
}

Json to_json(const ProbedEndpoint& endpoint, std::int64_t now) {
  const auto& seen = endpoint.seen;
  Json object{{"address", endpoint.address},
              {"port", endpoint.port},
              {"refused", text_or_null(endpoint.refused)},
              {"would_deliver", to_json(endpoint.would)},
              {"encrypted", to_json(endpoint.would.required)},
              {"cause", seen.outcome.cause ? Json(model::to_word(*seen.outcome.cause)) : Json()},
              {"trouble", text_or_null(seen.trouble)},
              {"banner", text_or_null(seen.banner)},
              {"capabilities", seen.capabilities},
              {"capabilities_in_tls", seen.capabilities_in_tls},
              {"crossed_out", seen.is_crossed_out},
              {"plain_mail", model::to_word(seen.plain_mail)},
              {"plain_mail_reply", text_or_null(seen.plain_mail_reply)},
              {"old_protocols", to_json(seen.old_protocols)},
              {"broken_ciphers", to_json(seen.broken_ciphers)}};
  for (const auto* key :
       {"protocol", "cipher", "bits", "key_exchange", "key_exchange_bits", "trust", "trust_text",
        "weak", "chain", "name_matches", "names", "days_left", "pin"}) {
    object[key] = nullptr;
  }
  if (seen.tls) add_tls(endpoint, now, object);
  object["steps"] = Json::array();
  for (const auto& step : seen.steps) object["steps"].push_back(to_json(step));
  object["remarks"] = to_json(endpoint.remarks);
  return object;
}

}  // namespace

Json to_json(const Context& context, const ProbedTarget& target, bool is_self) {
  const auto now = context.now.time_since_epoch().count();
  Json hosts = Json::array();
  for (const auto& host : target.hosts) {
    Json addresses = Json::array();
    for (const auto& endpoint : host.endpoints) addresses.push_back(to_json(endpoint, now));
    hosts.push_back({{"host", host.name},
                     {"preference", host.preference},
                     {"trouble", text_or_null(host.trouble)},
                     {"would_deliver", to_json(host.would)},
                     {"remarks", to_json(host.remarks)},
                     {"addresses", std::move(addresses)}});
  }
  const auto next = is_self ? NextStep() : next_step(context, target);
  return {{"target", target.destination},
          {"at", base::iso_time(context.now)},
          {"kind", model::to_word(target.kind)},
          {"fault", target.fault ? Json(model::to_word(*target.fault)) : Json(nullptr)},
          {"trouble", text_or_null(target.trouble)},
          {"well", is_self ? is_unobjected(target) : is_well(target)},
          {"would_deliver", to_json(target.would)},
          {"pin", text_or_null(common_pin(target))},
          {"next", next.commands},
          {"next_objection", text_or_null(next.objection)},
          {"remarks", to_json(target.remarks)},
          {"mx", std::move(hosts)}};
}

}  // namespace app::ctl
