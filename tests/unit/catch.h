// Catch2, whichever of its two generations the distribution has.
#pragma once

#ifdef CATCH2_IS_A_LIBRARY
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif
