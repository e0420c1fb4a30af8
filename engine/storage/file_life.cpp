#include "storage/file_life.h"

#include <algorithm>

#include "base/plant.h"
#include "base/probe.h"
#include "base/text.h"

namespace orrery {

void FileLife::created(FileId file, Xid xid) {
  if (file_number(file) < kFirstComputedNumber) {
    now_.next_number = std::max(now_.next_number, file_number(file) + 1);
  }
  if (xid.v > kBootstrapXid.v) now_.made.push_back({file, xid});
}

void FileLife::transaction_ended(Xid xid, bool committed, std::span<const FileId> dropped,
                                 Lsn lsn) {
  now_.transaction_ended(xid, committed, dropped, lsn);
  if (!kept_ || lsn >= kept_at_) return;
  PROBE("storage: a file's end was told after the checkpoint that must know it had begun");
  kept_->transaction_ended(xid, committed, dropped, lsn);
}

void FileLife::Lists::transaction_ended(Xid xid, bool committed, std::span<const FileId> dropped,
                                        Lsn lsn) {
  for (const Made& file : made) {
    // A fork made for an older file stays with it, empty, when its maker aborts.
    const bool goes = file.xid == xid && !committed && file_fork(file.file) == Fork::main;
    if (goes) ended.push_back({file.file, lsn});
  }
  std::erase_if(made, [xid](const Made& file) { return file.xid == xid; });
  if (!committed || PLANTED(b45_dropped_file_kept)) return;
  for (const FileId file : dropped) ended.push_back({with_fork(file, Fork::main), lsn});
}

void FileLife::term_started(Lsn lsn, RedoHandler& handler) {
  std::vector<Xid> gone;
  for (const Made& made : now_.made) {
    if (!handler.survives_term(made.xid)) gone.push_back(made.xid);
  }
  for (const Xid xid : gone) transaction_ended(xid, false, {}, lsn);
}

std::vector<FileId> FileLife::take_unlinkable(Lsn redo) {
  std::vector<FileId> out;
  for (const Ended& ended : now_.ended) {
    if (ended.lsn < redo) out.push_back(ended.file);
  }
  std::erase_if(now_.ended, [redo](const Ended& ended) { return ended.lsn < redo; });
  return out;
}

bool FileLife::has_ended(FileId file) const {
  const FileId main = with_fork(file, Fork::main);
  return std::ranges::any_of(now_.ended, [main](const Ended& ended) { return ended.file == main; });
}

void FileLife::keep(Lsn redo) {
  kept_ = now_;
  kept_at_ = redo;
}

void FileLife::save_kept(std::string& out) {
  CHECK(kept_);
  ByteWriter writer(out);
  writer.write(kept_->next_number);
  writer.write(static_cast<uint64_t>(kept_->made.size()));
  for (const Made& made : kept_->made) {
    writer.write(made.file.v);
    writer.write(made.xid.v);
  }
  writer.write(static_cast<uint64_t>(kept_->ended.size()));
  for (const Ended& ended : kept_->ended) {
    writer.write(ended.file.v);
    writer.write(ended.lsn.v);
  }
  kept_.reset();
}

Status FileLife::load(ByteReader& reader) {
  now_.next_number = reader.read<uint64_t>();
  for (auto count = reader.read<uint64_t>(); count > 0 && reader.ok(); --count) {
    const FileId file(reader.read<uint64_t>());
    now_.made.push_back({file, Xid(reader.read<uint64_t>())});
  }
  for (auto count = reader.read<uint64_t>(); count > 0 && reader.ok(); --count) {
    const FileId file(reader.read<uint64_t>());
    now_.ended.push_back({file, Lsn(reader.read<uint64_t>())});
  }
  if (!reader.ok() || now_.next_number < kFirstFileNumber) {
    return raise(sqlstate::data_corrupted, "invalid checkpoint state")
        .detail("Its list of files is cut short.");
  }
  return {};
}

void FileLife::check() const {
  auto is_given = [&](FileId file) {
    return file_number(file) < now_.next_number || file_number(file) >= kFirstComputedNumber;
  };
  for (const Made& made : now_.made) CHECK(is_given(made.file));
  for (const Ended& ended : now_.ended) {
    CHECK(is_given(ended.file));
    CHECK(file_fork(ended.file) == Fork::main);
  }
}

}  // namespace orrery
