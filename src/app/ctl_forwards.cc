// check-forwards: the forwards of alias files, virtual tables and Sieve scripts whose domains are
// not sure to be reached by TLS. Postfix asks no policy service about the addresses that an alias
// becomes, so whoever sets one up has to ask beforehand.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <set>

#include "src/app/ctl_assurance.h"
#include "src/app/ctl_table.h"
#include "src/app/ctl_verbs.h"
#include "src/base/counted.h"
#include "src/base/handle.h"
#include "src/model/next_hop.h"
#include "tlsmap/forward_source.h"

namespace app::ctl {
namespace {

using engine::Assurance;

constexpr std::size_t kLargestFile = 64U << 20U;

// One forward that isn't sure of TLS.
struct Unsure {
  std::string file;
  tlsmap::Forward forward;
  std::string destination;  // empty: it isn't known where the mail goes
  std::string assured;
  std::string why;
};

struct Checked {
  std::vector<Unsure> unsure;
  std::size_t forwards = 0;
};

base::Result<std::string> read_file(const std::string& name) {
  const base::UniqueFd opened(::open(name.c_str(), O_RDONLY | O_CLOEXEC));
  if (!opened) return base::Error{fmt::format("{}: {}", name, std::strerror(errno))};
  std::string text;
  std::array<char, 1U << 16U> buffer{};
  for (;;) {
    const auto got = ::read(opened.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::Error{fmt::format("{}: {}", name, std::strerror(errno))};
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > kLargestFile) {
      return base::Error{fmt::format("{}: it is larger than {} MiB; check it in parts", name,
                                     kLargestFile >> 20U)};
    }
  }
}

class Checker {
 public:
  Checker(Assessor& assessor, Assurance required, const Arguments& arguments)
      : assessor_(assessor), required_(required), format_(arguments.format) {
    for (const auto& domain : arguments.local_domains) {
      local_.insert(model::normalise_key(domain).text);
    }
  }

  // The error is whole: it names the file.
  base::Result<void> check(const std::string& file, Checked& checked);

 private:
  base::Result<void> check(const std::string& file, tlsmap::Forward&& forward, Checked& checked);

  Assessor& assessor_;
  Assurance required_;
  std::string format_;
  std::set<std::string, std::less<>> local_;
};

base::Result<void> Checker::check(const std::string& file, Checked& checked) {
  const auto text = read_file(file);
  if (!text) return base::Error{text.error()};
  const auto format = tlsmap::parse_forward_format(format_);
  auto forwards =
      tlsmap::read_forwards(*text, format ? *format : tlsmap::guess_forward_format(file, *text));
  if (!forwards) return base::Error{fmt::format("{}: {}", file, forwards.error())};
  checked.forwards += forwards->size();
  for (auto& forward : *forwards) {
    if (auto done = check(file, std::move(forward), checked); !done) return done;
  }
  return {};
}

base::Result<void> Checker::check(const std::string& file, tlsmap::Forward&& forward,
                                  Checked& checked) {
  if (!forward.unknown.empty()) {
    auto why = "it can't be judged: " + forward.unknown;
    checked.unsure.push_back({file, std::move(forward), {}, "unknown", std::move(why)});
    return {};
  }
  if (local_.count(model::normalise_key(forward.domain).text) != 0) return {};
  auto found = assessor_.assess(forward.domain);
  if (!found) return base::Error{found.error()};
  if (is_enough(found->assurance, required_)) return {};
  checked.unsure.push_back({file, std::move(forward), std::move(found->destination),
                            std::string(engine::to_word(found->assurance)), std::move(found->why)});
  return {};
}

void print(const Context& context, const Checked& checked, Assurance required) {
  if (context.is_json) {
    JsonArray array;
    for (const auto& each : checked.unsure) {
      array.add({{"file", each.file},
                 {"line", each.forward.line},
                 {"address", each.forward.address},
                 {"destination", each.destination.empty() ? Json(nullptr) : Json(each.destination)},
                 {"assured", each.assured},
                 {"why", each.why}});
    }
    array.finish();
    return;
  }
  if (!checked.unsure.empty()) {
    Table table({"file", "line", "address", "why"});
    for (const auto& each : checked.unsure) {
      table.add({each.file, std::to_string(each.forward.line), each.forward.address, each.why});
    }
    fmt::print(stdout, "{}", table.render());
  }
  say(fmt::format("{} of {} {} not sure to be reached by TLS ({} asked)", checked.unsure.size(),
                  base::counted(checked.forwards, "forward"),
                  base::one_or_many(checked.forwards, "is", "are"), engine::to_word(required)));
}

Exit run_check_forwards(const Context& context, const Arguments& arguments) {
  const auto required = parse_requirement(arguments.require);
  if (!required) return refuse_usage(required.error());
  if (!arguments.format.empty() && !tlsmap::parse_forward_format(arguments.format)) {
    return refuse_usage(fmt::format(
        "--format: \"{}\" is not allowed; allowed is aliases, virtual or sieve", arguments.format));
  }
  auto db = open_policy_db(context, store::PolicyDb::Access::ReadOnly);
  if (!db) return fail(db.error());
  Assessor assessor(context, *db);
  Checker checker(assessor, *required, arguments);
  Checked checked;
  for (const auto& file : arguments.files) {
    if (const auto done = checker.check(file, checked); !done) {
      return fail(terminal_text(done.error()));
    }
  }
  print(context, checked, *required);
  return checked.unsure.empty() ? Exit::Done : Exit::NotWell;
}

}  // namespace

void add_check_forwards_verb(const Verb& root, CommandLine& line) {
  Arguments& to = line.arguments;
  const Verb verb =
      add_verb(root, line, "check-forwards",
               "Name the forwards of alias files, virtual tables and Sieve scripts that are not "
               "sure to go by TLS",
               run_check_forwards);
  verb.group(kAskingGroup);
  verb.add_option("FILE", to.files, "An alias file, the source of a virtual table, a Sieve script")
      .required();
  verb.add_option("--format", to.format, "aliases, virtual or sieve, where a file does not say it");
  verb.add_option("--local", to.local_domains,
                  "A domain that is delivered on this host, several times for several")
      .type_name("DOMAIN")
      .takes_one_value();
  add_require_option(verb, line);
}

}  // namespace app::ctl
