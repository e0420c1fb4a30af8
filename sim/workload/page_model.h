// What pages and files should hold, told by the changes made to them and kept outside the simulated
// disk. Events are in LSN order; after a restart that found the log to end at E, the events below E
// and no others must have happened.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "storage/storage.h"

namespace orrery {

struct PageEdit {
  enum class Kind : uint8_t { init, write, move, fill, own_lsn } kind = Kind::write;
  FileId file;
  BlockNo block;
  uint16_t a = 0;  // as Change's arguments, in order
  uint16_t b = 0;
  uint16_t c = 0;
  std::string bytes;
};

struct PageEvent {
  enum class Kind : uint8_t { change, end_transaction, truncate } kind = Kind::change;
  Lsn lsn;
  Term term;  // of the log when it was appended
  bool acknowledged = false;
  // change
  std::vector<PageEdit> operations;
  // end_transaction
  Xid xid;
  bool committed = false;
  std::vector<FileId> created;
  std::vector<FileId> dropped;
  // truncate
  FileId file;
  BlockNo blocks;
};

struct PageContent {
  std::string bytes;  // empty: never initialised
  Lsn lsn;
};

struct FileModel {
  std::vector<PageContent> pages;
  size_t initialised() const;
};

class PageModel {
 public:
  void apply(const PageEvent& event);
  // Files that no committed transaction made are gone.
  void drop_uncommitted();

  std::map<FileId, FileModel> files;
  std::set<FileId> committed;  // of those

 private:
  void operate(const PageEdit& operation, Lsn lsn);
};

// Hints may be lost, so this part of every page is not compared.
constexpr uint16_t kHintFrom = 8000;

// Where `found` differs from what it should be, or empty.
std::string compare_page(ConstPageBytes found, const PageContent& expected);

}  // namespace orrery
