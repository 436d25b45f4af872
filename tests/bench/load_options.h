// What the load generator is told on its command line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace bench {

struct LoadOptions {
  std::string address;                       // --address unix:/PATH | inet:ADDRESS:PORT
  std::string kind = "hit";                  // --kind hit | miss | parent | policy
  std::string map = "policy";                // --map NAME
  std::string expect = "OK ";                // --expect TEXT: how every reply must begin
  std::size_t connections = 8;               // --connections N, one request in flight each
  std::uint64_t rows = 1000;                 // --rows N in the table
  std::uint64_t milliseconds = 1000;         // --milliseconds N that are measured
  std::uint64_t warm_up_milliseconds = 100;  // --warm-up N before that
  bool spins = false;                        // --idle spin | sleep, while no reply is there
  std::vector<int> pids;  // --pid N, several: processes of the server, for their CPU time
};

// Nothing where an option is unknown or lacks a value that it takes; `arguments` without the name.
std::optional<LoadOptions> parse_load_options(std::span<char*> arguments);

}  // namespace bench
