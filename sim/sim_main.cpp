// orrery_sim: the simulator's program.
#include <string_view>
#include <vector>

#include "sim/run/command.h"

int main(int count, char** words) {
  const std::vector<std::string_view> arguments(words + 1, words + count);
  return orrery::simulator_command(arguments);
}
