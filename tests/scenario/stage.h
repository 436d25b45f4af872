// Plays one scenario: carries out its lines, one after the other, and compares what comes of them
// with what they expect. The words of a scenario are explained in README.txt.
#pragma once

#include <optional>
#include <string>

#include "tests/scenario/story.h"
#include "tests/scenario/world.h"

namespace scenario {

class Stage {
 public:
  // What went wrong, as "LINE: text", or nothing.
  std::optional<std::string> play(const Scenario& scenario);

 private:
  using Fault = std::string;  // empty: none

  Fault play_line(Line& line);
  Fault set_scene(Words& words);
  Fault carry_out(Words& words, std::string& answer);

  // events.cc
  Fault declare_profile(std::string_view name, Words& words);
  Fault declare_row(std::string_view name, Words& words);
  Fault set_limits(Words& words);
  Fault ask(Words& words, std::string& answer);
  Fault ask_transport(Words& words, std::string& answer);
  Fault see(Words& words, std::string& answer);
  Fault edit(Words& words);
  Fault reset(Words& words);
  Fault move_clock(Words& words);
  Fault change_store(Words& words);
  Fault change_answer(Words& words);
  Fault change_state(Words& words);
  void show_ledger(std::string& answer) const;

  // What was decided and raised since the last line, against what the line says.
  Fault compare(Line& line);
  Fault compare_decisions(const Line& line);
  Fault compare_alarms(const Line& line);

  World world_;
  bool is_set_ = false;  // the first line with a time has begun
};

}  // namespace scenario
