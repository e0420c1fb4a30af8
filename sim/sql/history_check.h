// The isolation oracle for list appends (Kingsbury and Alvaro, Elle, 2020): transactions append
// unique numbers to lists and read whole lists, so that reads tell the order of versions. From that
// order follow the dependencies of Adya's theory (1999), and each isolation level forbids cycles of
// some kinds.
//
//   a -ww-> b   b's append to a list comes right behind a's
//   a -wr-> b   b read a list that ends with a's append
//   a -rw-> b   a read a list, and b's append comes right behind what a read
//   a -so-> b   a's end was known before b began (same client or not)
//
// A transaction under REPEATABLE READ (snapshot isolation) commits after all it depends on by
// ww, wr or so, and whatever it depends on had committed when it began; so a -> b -rw-> c implies
// that a commits before c. Under READ COMMITTED only ww, wr and so order commits. In either mix
// these edges may not form a cycle; and besides:
//
//   G1a  no list holds what an aborted transaction appended
//   G1b  no list ends with what its transaction went on to append behind
//   numbers stand in the list they were appended to, those of a transaction in a row, in its order
//   lists agree: of any two reads of a list, one is a prefix of the other
//   a transaction sees its own appends; under REPEATABLE READ it sees one state of each list
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace orrery {

struct ListOperation {
  bool is_append = false;
  uint32_t list = 0;
  uint64_t number = 0;          // appended
  std::vector<uint64_t> state;  // read
};

struct ListTransaction {
  enum class End : uint8_t { committed, aborted, unknown } end = End::unknown;
  bool repeatable_read = false;
  uint64_t began = 0;  // moments that only grow; `ended`: when its client heard
  uint64_t ended = UINT64_MAX;
  std::vector<ListOperation> operations;
};

// `final_lists`: each list as it is when nobody works any more. What is wrong, or empty.
std::string check_history(const std::vector<ListTransaction>& transactions,
                          const std::map<uint32_t, std::vector<uint64_t>>& final_lists);

}  // namespace orrery
