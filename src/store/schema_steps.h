// The steps themselves, one function each; schema.cc has them in order.
#pragma once

#include <string>

namespace store {

std::string schema_step_1();
std::string schema_step_2();
std::string state_step_1();
std::string state_step_2();
std::string state_step_3();
std::string state_step_4();
std::string state_step_5();
std::string state_step_6();

}  // namespace store
