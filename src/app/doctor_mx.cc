#include "src/app/doctor_mx.h"

#include <arpa/nameser.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>

#include <algorithm>
#include <array>
#include <utility>

#include "src/base/text.h"
#include "src/model/next_hop.h"

namespace app::doctor {
namespace {

constexpr std::size_t kMostHosts = 20;

// A resolver with its state, closed when it goes.
class Resolver {
 public:
  Resolver() : is_ready_(::res_ninit(&state_) == 0) {
    state_.retrans = 2;
    state_.retry = 1;
  }
  ~Resolver() { ::res_nclose(&state_); }
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // The length of the answer, or -1; h_errno of this resolver says why.
  int ask_for_mx(const std::string& domain, std::array<unsigned char, NS_MAXMSG>& answer) {
    if (!is_ready_) return -1;
    return ::res_nquery(&state_, domain.c_str(), ns_c_in, ns_t_mx, answer.data(),
                        static_cast<int>(answer.size()));
  }
  [[nodiscard]] int why() const { return is_ready_ ? state_.res_h_errno : NO_RECOVERY; }

 private:
  struct __res_state state_ {};
  bool is_ready_;
};

std::vector<std::string> read_hosts(const unsigned char* answer, int length) {
  std::vector<std::pair<unsigned, std::string>> found;
  ns_msg message{};
  if (::ns_initparse(answer, length, &message) != 0) return {};
  for (int i = 0; i < ns_msg_count(message, ns_s_an) && found.size() < kMostHosts; ++i) {
    ns_rr record{};
    if (::ns_parserr(&message, ns_s_an, i, &record) != 0) break;
    if (ns_rr_type(record) != ns_t_mx || ns_rr_rdlen(record) < 3) continue;
    const unsigned char* data = ns_rr_rdata(record);
    std::array<char, NS_MAXDNAME> name{};
    if (::dn_expand(answer, answer + length, data + 2, name.data(), static_cast<int>(name.size())) <
        0) {
      continue;
    }
    found.emplace_back(ns_get16(data), base::to_lower(name.data()));
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> hosts;
  hosts.reserve(found.size());
  for (auto& [preference, host] : found) hosts.push_back(std::move(host));
  return hosts;
}

}  // namespace

MxFact find_mx_hosts(const std::string& domain) {
  Resolver resolver;
  std::array<unsigned char, NS_MAXMSG> answer{};
  const int length = resolver.ask_for_mx(domain, answer);
  if (length < 0 && resolver.why() == NO_DATA) return {{domain}, {}};
  if (length < 0) {
    return {{},
            fmt::format("its MX hosts could not be looked up: {}", ::hstrerror(resolver.why()))};
  }
  auto hosts = read_hosts(answer.data(), std::min<int>(length, NS_MAXMSG));
  std::erase_if(hosts, [](const std::string& host) { return !model::is_domain(host); });
  if (hosts.empty()) return {{}, "no usable MX host was found"};
  return {std::move(hosts), {}};
}

}  // namespace app::doctor
