// A verb of tlspolicyctl as the command line sees it: its name, what may stand behind it, and where
// that goes. Behind it is CLI11, in ctl_verb.cc alone: included by every verb, its header was most
// of the time that tlspolicyctl took to compile.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace app::ctl {

// Handles: what they speak of belongs to the command line, and lives as long.

class Option {
 public:
  explicit Option(CLI::Option& option) : option_(&option) {}

  Option required() const;
  // What --help shows of its kind, in place of TEXT or UINT.
  Option type_name(const char* name) const;
  // --help shows this as the default, or what the variable holds now.
  Option shows_default(const char* text) const;
  Option shows_default() const;
  Option one_of(const std::vector<std::string>& words) const;
  // May be given several times, but takes one value each time.
  Option takes_one_value() const;

 private:
  CLI::Option* option_;
};

class Verb {
 public:
  explicit Verb(CLI::App& app) : app_(&app) {}

  Verb add_subcommand(const char* name, const char* meaning) const;
  // One of its subcommands must follow.
  void require_subcommand() const;
  // The heading that --help lists it under.
  Verb group(const char* heading) const;
  void footer(const char* text) const;
  // "NAME" for what stands in its place, "--name" or "-n,--name". `to` keeps its value where it is
  // not given, and outlives the command line.
  Option add_option(const char* name, std::string& to, const char* meaning) const;
  Option add_option(const char* name, std::vector<std::string>& to, const char* meaning) const;
  Option add_option(const char* name, std::uint32_t& to, const char* meaning) const;
  Option add_option(const char* name, std::uint64_t& to, const char* meaning) const;
  Option add_option(const char* name, std::int64_t& to, const char* meaning) const;
  void add_flag(const char* name, bool& to, const char* meaning) const;
  void when_given(std::function<void()> act) const;

 private:
  CLI::App* app_;
};

}  // namespace app::ctl
