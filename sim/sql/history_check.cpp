#include "sim/sql/history_check.h"

#include <algorithm>
#include <set>

#include "base/text.h"

namespace orrery {
namespace {

using List = std::vector<uint64_t>;

bool is_prefix(const List& prefix, const List& list) {
  return prefix.size() <= list.size() && std::equal(prefix.begin(), prefix.end(), list.begin());
}

class HistoryCheck {
 public:
  HistoryCheck(const std::vector<ListTransaction>& transactions,
               const std::map<uint32_t, List>& final_lists)
      : transactions_(transactions), final_(final_lists) {}

  std::string run() {
    find_writers();
    check_lists();
    for (size_t i = 0; i < transactions_.size(); ++i) check_reads(i);
    if (wrong_.empty()) check_cycles();
    return wrong_;
  }

 private:
  static constexpr size_t kNobody = SIZE_MAX;

  void wrong(std::string what) {
    if (wrong_.empty()) wrong_ = std::move(what);
  }

  void find_writers() {
    for (size_t i = 0; i < transactions_.size(); ++i) {
      for (const ListOperation& operation : transactions_[i].operations) {
        if (!operation.is_append) continue;
        writer_[operation.number] = i;
        last_append_[{i, operation.list}] = operation.number;
      }
    }
  }

  size_t writer_of(uint64_t number) const {
    const auto found = writer_.find(number);
    return found == writer_.end() ? kNobody : found->second;
  }

  // The final state: what is there was appended and not rolled back; what was committed is there.
  void check_lists() {
    for (const auto& [list, numbers] : final_) {
      std::set<uint64_t> seen;
      for (size_t at = 0; at < numbers.size(); ++at) {
        const size_t writer = writer_of(numbers[at]);
        if (!seen.insert(numbers[at]).second) {
          wrong(cat("list ", list, " holds ", numbers[at], " twice"));
        }
        if (writer == kNobody) {
          wrong(cat("list ", list, " holds ", numbers[at], ", which nobody appended"));
          continue;
        }
        place_[numbers[at]] = {list, at};
        if (transactions_[writer].end == ListTransaction::End::aborted) {
          wrong(cat("G1a: list ", list, " holds ", numbers[at], " of transaction ", writer,
                    ", which was rolled back"));
        }
      }
    }
    for (size_t i = 0; i < transactions_.size(); ++i) {
      size_t there = 0;
      size_t appends = 0;
      std::map<uint32_t, size_t> behind;  // where the next append to each list must stand
      for (const ListOperation& operation : transactions_[i].operations) {
        if (!operation.is_append) continue;
        ++appends;
        const auto place = place_.find(operation.number);
        if (place == place_.end()) continue;
        ++there;
        const auto [list, at] = place->second;
        if (list != operation.list) {
          wrong(cat(operation.number, " was appended to list ", operation.list, " and is in list ",
                    list));
        }
        const auto [next, is_first] = behind.emplace(list, at);
        if (!is_first && next->second != at) {
          wrong(cat("the appends of transaction ", i, " to list ", list,
                    " do not stand one behind the other as they were made"));
        }
        next->second = at + 1;
      }
      const bool is_committed = transactions_[i].end == ListTransaction::End::committed;
      if (there != appends && (is_committed || there != 0)) {
        wrong(cat("of ", appends, " appends of ", is_committed ? "committed " : "", "transaction ",
                  i, " ", there, " are there"));
      }
      happened_.push_back(is_committed || (appends != 0 && there == appends));
    }
  }

  void check_reads(size_t i) {
    const ListTransaction& transaction = transactions_[i];
    std::map<uint32_t, List> own;    // what it appended so far, by list
    std::map<uint32_t, List> first;  // what others had made of the list, as it first read it
    for (const ListOperation& operation : transaction.operations) {
      if (operation.is_append) {
        own[operation.list].push_back(operation.number);
        continue;
      }
      List others = operation.state;
      const List& mine = own[operation.list];
      if (others.size() < mine.size() ||
          !std::equal(mine.begin(), mine.end(),
                      others.end() - static_cast<ptrdiff_t>(mine.size()))) {
        wrong(cat("transaction ", i, " does not see its own appends to list ", operation.list));
        return;
      }
      others.resize(others.size() - mine.size());
      check_read_state(i, operation.list, others);
      if (!transaction.repeatable_read) continue;
      const auto [before, is_first] = first.emplace(operation.list, others);
      if (!is_first && before->second != others) {
        wrong(cat("transaction ", i, " under REPEATABLE READ read list ", operation.list,
                  " in two states"));
      }
    }
  }

  void check_read_state(size_t reader, uint32_t list, const List& state) {
    const auto final_list = final_.find(list);
    if (final_list == final_.end() || !is_prefix(state, final_list->second)) {
      wrong(cat("transaction ", reader, " read a state of list ", list, " that it never had"));
      return;
    }
    if (state.empty()) return;
    const size_t writer = writer_of(state.back());
    if (writer != reader && last_append_.at({writer, list}) != state.back()) {
      wrong(cat("G1b: transaction ", reader, " read list ", list, " as transaction ", writer,
                " had it on the way"));
    }
  }

  // ---- cycles

  void edge(size_t from, size_t to) {
    if (from != to && from != kNobody && to != kNobody && happened_[from] && happened_[to]) {
      edges_[from].insert(to);
    }
  }

  // Behind `state` of a list.
  size_t next_writer(uint32_t list, size_t position) const {
    const List& numbers = final_.at(list);
    return position < numbers.size() ? writer_of(numbers[position]) : kNobody;
  }

  void add_edges() {
    edges_.resize(transactions_.size());
    for (const auto& [list, numbers] : final_) {
      for (size_t at = 1; at < numbers.size(); ++at) {
        edge(writer_of(numbers[at - 1]), writer_of(numbers[at]));
      }
    }
    std::vector<std::set<size_t>> after(transactions_.size());  // rw
    for (size_t i = 0; i < transactions_.size(); ++i) {
      for (const ListOperation& operation : transactions_[i].operations) {
        if (operation.is_append) continue;
        List others = operation.state;
        while (!others.empty() && writer_of(others.back()) == i) others.pop_back();
        if (!others.empty()) edge(writer_of(others.back()), i);
        const size_t next = next_writer(operation.list, others.size());
        if (transactions_[i].repeatable_read && next != i && next != kNobody) after[i].insert(next);
      }
    }
    for (size_t a = 0; a < transactions_.size(); ++a) {
      for (size_t b = 0; b < transactions_.size(); ++b) {
        if (transactions_[a].ended < transactions_[b].began) edge(a, b);
      }
    }
    // a -> b -rw-> c
    const std::vector<std::set<size_t>> direct = edges_;
    for (size_t a = 0; a < direct.size(); ++a) {
      for (const size_t b : direct[a]) {
        for (const size_t c : after[b]) {
          if (a == c) {
            wrong(cat("G-single: transaction ", b, " depends on ", a,
                      " and yet read what was before it"));
          }
          edge(a, c);
        }
      }
    }
  }

  void check_cycles() {
    add_edges();
    std::vector<uint8_t> color(transactions_.size());  // 0 new, 1 on the path, 2 done
    std::vector<std::pair<size_t, std::set<size_t>::const_iterator>> path;
    for (size_t root = 0; root < transactions_.size() && wrong_.empty(); ++root) {
      if (color[root] != 0) continue;
      color[root] = 1;
      path.emplace_back(root, edges_[root].begin());
      while (!path.empty()) {
        auto& [at, next] = path.back();
        if (next == edges_[at].end()) {
          color[at] = 2;
          path.pop_back();
          continue;
        }
        const size_t to = *next++;
        if (color[to] == 1) {
          std::string names;
          for (const auto& [node, unused] : path) names += cat(node, " -> ");
          wrong(cat("the order of transactions has a cycle: ", names, to));
          return;
        }
        if (color[to] == 2) continue;
        color[to] = 1;
        path.emplace_back(to, edges_[to].begin());
      }
    }
  }

  const std::vector<ListTransaction>& transactions_;
  const std::map<uint32_t, List>& final_;
  std::map<uint64_t, size_t> writer_;                            // of each number
  std::map<std::pair<size_t, uint32_t>, uint64_t> last_append_;  // by transaction and list
  std::map<uint64_t, std::pair<uint32_t, size_t>> place_;        // of each number that is there
  std::vector<bool> happened_;
  std::vector<std::set<size_t>> edges_;
  std::string wrong_;
};

}  // namespace

std::string check_history(const std::vector<ListTransaction>& transactions,
                          const std::map<uint32_t, std::vector<uint64_t>>& final_lists) {
  return HistoryCheck(transactions, final_lists).run();
}

}  // namespace orrery
