// What smtpd(8) of Postfix 3.7 and 3.10 really asked, session by session (tests/fixtures/policyd):
// every request through the parser, the session and the desk for incoming mail.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "policyd/attributes.h"
#include "policyd/session.h"
#include "src/jobs/inbound_desk.h"
#include "src/jobs/mail_gate.h"
#include "tests/unit/catch.h"

namespace {

using policyd::ProtocolState;

const std::filesystem::path kFixtures{TLSPOLICYD_FIXTURES};
constexpr std::string_view kClient = "192.0.2.40";
constexpr std::string_view kClientV6 = "2001:db8::40";
constexpr std::string_view kTls12Cipher = "ECDHE-ECDSA-AES256-GCM-SHA384";
constexpr std::string_view kTls13Cipher = "TLS_AES_256_GCM_SHA384";

enum class Certificate : std::uint8_t { None, NotTrusted, Trusted };

struct Kind {
  std::string name;
  // One letter a request: C CONNECT, E EHLO, H HELO, M MAIL, R RCPT, D DATA, X END-OF-MESSAGE,
  // V VRFY, T ETRN.
  std::string states;
  std::size_t clear = 0;  // so many of them came before TLS
  std::string_view protocol{};
  Certificate certificate = Certificate::None;
  std::string_view address = kClient;
  std::string_view client = "client.example";
  std::string_view user{};
};

const std::vector<Kind> kKinds{
    {"clear", "CEMRDX", 6},
    {"clear-bounce-for-two", "CEMRRDX", 7},
    {"clear-commands", "CEVT", 4},
    {"clear-helo", "CEHMR", 5},
    {"clear-ipv6", "CEMRDX", 6, {}, Certificate::None, kClientV6},
    {"clear-unnamed", "CEMRDX", 6, {}, Certificate::None, "198.51.100.7", "unknown"},
    {"tls12", "CEEMRDX", 2, "TLSv1.2"},
    {"tls12-trusted", "CEEMRDX", 2, "TLSv1.2", Certificate::Trusted},
    {"tls13", "CEEMRDX", 2, "TLSv1.3"},
    {"tls13-ipv6", "CEEMRDX", 2, "TLSv1.3", Certificate::None, kClientV6},
    {"tls13-trusted", "CEEMRDX", 2, "TLSv1.3", Certificate::Trusted},
    {"tls13-untrusted", "CEEMRDX", 2, "TLSv1.3", Certificate::NotTrusted},
    {"tls13-selfsigned", "CEEMRDX", 2, "TLSv1.3", Certificate::NotTrusted},
    {"tls13-expired", "CEEMRDX", 2, "TLSv1.3", Certificate::NotTrusted},
    {"submission-587", "CEEMRDX", 2, "TLSv1.3", Certificate::None, kClient, "client.example",
     "ann"},
    {"submission-465", "CEMRDX", 0, "TLSv1.2", Certificate::None, kClient, "client.example", "ann"},
};

char letter_of(ProtocolState state) {
  switch (state) {
    case ProtocolState::Connect:
      return 'C';
    case ProtocolState::Ehlo:
      return 'E';
    case ProtocolState::Helo:
      return 'H';
    case ProtocolState::Mail:
      return 'M';
    case ProtocolState::Rcpt:
      return 'R';
    case ProtocolState::Data:
      return 'D';
    case ProtocolState::EndOfMessage:
      return 'X';
    case ProtocolState::Vrfy:
      return 'V';
    case ProtocolState::Etrn:
      return 'T';
    case ProtocolState::Unknown:
      return '?';
  }
  return '?';
}

bool has_sender(char letter) {
  return std::string_view("MRDX").find(letter) != std::string_view::npos;
}

std::string read(const std::filesystem::path& path) {
  std::ostringstream bytes;
  bytes << std::ifstream(path, std::ios::binary).rdbuf();
  return bytes.str();
}

// The requests of a file; views point into `input`.
std::vector<policyd::Request> parse_all(std::string_view input) {
  std::vector<policyd::Request> requests;
  while (!input.empty()) {
    auto parsed = policyd::parse_request(input);
    auto* complete = std::get_if<policyd::Complete>(&parsed);
    REQUIRE(complete != nullptr);
    requests.push_back(std::move(complete->request));
    input.remove_prefix(complete->consumed);
  }
  return requests;
}

void check_tls(const policyd::Request& request, const Kind& kind, bool is_clear) {
  const auto protocol = is_clear ? std::string_view() : kind.protocol;
  CHECK(request.encryption_protocol == protocol);
  CHECK(request.encryption_keysize == (protocol.empty() ? 0 : 256));
  const auto cipher = protocol == "TLSv1.2" ? kTls12Cipher : kTls13Cipher;
  CHECK(request.encryption_cipher == (protocol.empty() ? std::string_view() : cipher));
  const bool is_shown = !is_clear && kind.certificate != Certificate::None;
  const bool is_trusted = !is_clear && kind.certificate == Certificate::Trusted;
  const std::size_t sha256 = is_shown ? 95 : 0;
  CHECK(request.ccert_fingerprint.size() == sha256);
  CHECK(request.ccert_pubkey_fingerprint.size() == sha256);
  CHECK(request.ccert_subject == (is_trusted ? "client.example" : ""));
  CHECK(request.ccert_issuer == (is_trusted ? "Partner CA" : ""));
}

void check_envelope(const policyd::Request& request, const Kind& kind, char letter) {
  const bool is_bounce = kind.name == "clear-bounce-for-two";
  CHECK(request.client_address == kind.address);
  CHECK(request.client_name == kind.client);
  CHECK(request.sender == (has_sender(letter) && !is_bounce ? "ann@client.example" : ""));
  const bool is_one =
      letter == 'R' || letter == 'V' || ((letter == 'D' || letter == 'X') && !is_bounce);
  CHECK(request.recipient.empty() != is_one);
  CHECK(request.sasl_username == (has_sender(letter) ? kind.user : std::string_view()));
  const bool is_submitted = letter == 'R' && !kind.user.empty();
  CHECK(request.policy_context == (is_submitted ? "submission" : ""));
  CHECK(request.etrn_domain == (letter == 'T' ? "here.example" : ""));
  CHECK(request.recipient_count == (letter == 'D' || letter == 'X' ? (is_bounce ? 2 : 1) : 0));
  // Not before there is a recipient.
  CHECK(request.instance.empty() == (letter != 'R' && letter != 'D' && letter != 'X'));
  if (letter == 'X') CHECK_FALSE(request.queue_id.empty());
}

std::vector<std::string> versions() {
  std::vector<std::string> names;
  for (const auto& folder : std::filesystem::directory_iterator(kFixtures)) {
    names.push_back(folder.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class StoppedClock final : public base::Clock {
 public:
  [[nodiscard]] base::sys_seconds now() const override {
    return base::sys_seconds(std::chrono::seconds(1'800'000'000));
  }
  [[nodiscard]] base::SteadyPoint steady() const override { return {}; }
};

// The actions of the daemon's own way from bytes to bytes, for a rule for all mail.
std::vector<std::string> actions(const std::string& input, const model::InboundRule& rule) {
  const std::vector<model::InboundRule> rules{rule};
  const StoppedClock clock;
  jobs::InboundDesk desk(clock);
  desk.install(rules);
  jobs::MailGate gate;
  gate.attach_inbound(desk);
  policyd::Counters counters;
  policyd::Session session(gate, counters);
  std::string out;
  CHECK(session.receive(input, out).consumed == input.size());
  std::vector<std::string> list;
  for (std::size_t at = 0; at < out.size();) {
    const auto end = out.find("\n\n", at);
    REQUIRE(end != out.npos);
    list.push_back(out.substr(at, end - at));
    at = end + 2;
  }
  return list;
}

}  // namespace

TEST_CASE("the sessions of two versions of Postfix are there, all of them") {
  CHECK(versions() == std::vector<std::string>{"postfix-3.10", "postfix-3.7"});
  for (const auto& version : versions()) {
    std::size_t files = 0;
    for (const auto& file : std::filesystem::directory_iterator(kFixtures / version)) {
      if (file.is_regular_file()) ++files;
    }
    CHECK(files == kKinds.size());
  }
}

TEST_CASE("each request of a real smtpd is read for what it was") {
  for (const auto& version : versions()) {
    const bool is_new = version == "postfix-3.10";
    for (const auto& kind : kKinds) {
      INFO(version << " " << kind.name);
      const auto input = read(kFixtures / version / kind.name);
      const auto requests = parse_all(input);
      REQUIRE(requests.size() == kind.states.size());
      for (std::size_t i = 0; i < requests.size(); ++i) {
        INFO(i);
        const auto& request = requests[i];
        CHECK(letter_of(request.state) == kind.states[i]);
        check_tls(request, kind, i < kind.clear);
        check_envelope(request, kind, kind.states[i]);
        CHECK(request.mail_version.starts_with("3.10.") == is_new);
        CHECK(request.compatibility_level == (is_new ? "3.6" : ""));
      }
    }
  }
}

TEST_CASE(
    "a rule for certificates stops a real session from MAIL on, unless its chain is trusted") {
  model::InboundRule rule;
  rule.require = model::InboundRequire::Certificate;
  for (const auto& version : versions()) {
    for (const auto& kind : kKinds) {
      INFO(version << " " << kind.name);
      const auto told = actions(read(kFixtures / version / kind.name), rule);
      REQUIRE(told.size() == kind.states.size());
      for (std::size_t i = 0; i < told.size(); ++i) {
        INFO(i << ": " << told[i]);
        const bool passes = !has_sender(kind.states[i]) ||
                            kind.certificate == Certificate::Trusted || !kind.user.empty();
        CHECK(told[i].starts_with(passes ? "action=DUNNO" : "action=550 5.7.10 "));
      }
    }
  }
}

TEST_CASE("a rule for clients with a verified name does not take an unnamed one for them") {
  model::InboundRule rule;
  rule.client = "*.example";
  for (const auto& version : versions()) {
    const auto folder = kFixtures / version;
    CHECK(actions(read(folder / "clear-unnamed"), rule).back() == "action=DUNNO");
    CHECK(actions(read(folder / "clear-ipv6"), rule).back().starts_with("action=550 5.7.10 "));
    CHECK(actions(read(folder / "clear"), rule).back().starts_with("action=550 5.7.10 "));
    CHECK(actions(read(folder / "tls13"), rule).back() == "action=DUNNO");
  }
}
