// Who has likely nothing to do with whom: what is taken for a fault of ours must befall many that
// are unrelated, for a hosting provider that breaks is not the whole world. Guesses from names and
// addresses, without a list.
#pragma once

#include <string>
#include <string_view>

namespace model {

// The name under which domains are counted as one: its last two labels, three under a country's
// second level ("example.co.uk"). A guess without a list: too few names err towards deciding late.
std::string_view registrable_name(std::string_view destination);
// The /24 or /48 of the address in "host[address]"; empty where there is none.
std::string network_of(std::string_view mx);

}  // namespace model
