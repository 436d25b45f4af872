#include "src/app/ctl_verb.h"

#include <CLI/CLI.hpp>
#include <utility>

namespace app::ctl {

Option Option::required() const {
  return Option(*option_->required());
}
Option Option::type_name(const char* name) const {
  return Option(*option_->type_name(name));
}
Option Option::shows_default(const char* text) const {
  return Option(*option_->default_str(text));
}
Option Option::shows_default() const {
  return Option(*option_->capture_default_str());
}
Option Option::one_of(const std::vector<std::string>& words) const {
  return Option(*option_->check(CLI::IsMember(words)));
}
Option Option::takes_one_value() const {
  return Option(*option_->allow_extra_args(false));
}

Verb Verb::add_subcommand(const char* name, const char* meaning) const {
  return Verb(*app_->add_subcommand(name, meaning));
}
void Verb::require_subcommand() const {
  app_->require_subcommand(1);
}
Verb Verb::group(const char* heading) const {
  return Verb(*app_->group(heading));
}
void Verb::footer(const char* text) const {
  app_->footer(text);
}
Option Verb::add_option(const char* name, std::string& to, const char* meaning) const {
  return Option(*app_->add_option(name, to, meaning));
}
Option Verb::add_option(const char* name, std::vector<std::string>& to, const char* meaning) const {
  return Option(*app_->add_option(name, to, meaning));
}
Option Verb::add_option(const char* name, std::uint32_t& to, const char* meaning) const {
  return Option(*app_->add_option(name, to, meaning));
}
Option Verb::add_option(const char* name, std::uint64_t& to, const char* meaning) const {
  return Option(*app_->add_option(name, to, meaning));
}
Option Verb::add_option(const char* name, std::int64_t& to, const char* meaning) const {
  return Option(*app_->add_option(name, to, meaning));
}
void Verb::add_flag(const char* name, bool& to, const char* meaning) const {
  app_->add_flag(name, to, meaning);
}
void Verb::when_given(std::function<void()> act) const {
  app_->callback(std::move(act));
}

}  // namespace app::ctl
