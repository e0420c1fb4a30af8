#include "sim/sim_disk.h"

#include "base/hash.h"
#include "base/text.h"
#include "sim/world.h"

namespace orrery {
namespace {

constexpr const char* kOpNames[] = {"disk open",   "disk close",    "disk read",     "disk write",
                                    "disk sync",   "disk truncate", "disk allocate", "disk size",
                                    "disk rename", "disk remove",   "disk mkdir",    "disk syncdir",
                                    "disk list"};

bool takes_handle(DiskOp op) {
  switch (op) {
    case DiskOp::close:
    case DiskOp::read:
    case DiskOp::write:
    case DiskOp::sync:
    case DiskOp::truncate:
    case DiskOp::allocate:
    case DiskOp::size:           return true;
    case DiskOp::open:
    case DiskOp::rename:
    case DiskOp::remove:
    case DiskOp::make_directory:
    case DiskOp::sync_directory:
    case DiskOp::list:           return false;
  }
  UNREACHABLE();
}

bool is_all_zeros(Bytes bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace

SimDisk::SimDisk(World& world, uint16_t machine, const FileTree* image)
    : world_(world), machine_(machine), tree_(image != nullptr ? FileTree(*image) : FileTree()) {}

void SimDisk::start(uint32_t boot) {
  boot_ = boot;
  is_up_ = true;
  handles_.clear();
  errors_given_before_ += std::exchange(errors_given_, 0);
  damage_given_before_ += std::exchange(damage_given_, 0);
}

void SimDisk::stop() {
  is_up_ = false;
  for (Slot& slot : slots_) {
    // The process is gone but the kernel finishes what it was given.
    if (slot.request != nullptr && slot.number != 0 && !slot.syncs) {
      tree_.mutable_content(slot.file).note_completed(slot.number);
    }
    slot.request = nullptr;
    ++slot.generation;
  }
  free_.clear();
  for (size_t i = slots_.size(); i > 0; --i) free_.push_back(static_cast<uint32_t>(i - 1));
  writes_in_flight_ = 0;
  crash_countdown_ = 0;
}

FileNumber SimDisk::file_of(FileHandle handle) const {
  CHECK(handle.v >= 1 && handle.v <= handles_.size());
  CHECK(handles_[handle.v - 1].has_value());
  return *handles_[handle.v - 1];
}

int64_t SimDisk::delay_of(const DiskRequest& request, bool syncs) {
  Faults& faults = world_.faults();
  Tape& tape = world_.tape();
  int64_t base = syncs || request.op == DiskOp::sync_directory ? speed_.sync_ns : speed_.request_ns;
  base += static_cast<int64_t>(tape.pick(Site::disk_delay, machine_, 16)) * base / 8;
  if (faults.strikes(Fault::disk_latency, Site::disk_fault, machine_)) {
    base += tape.magnitude(Site::disk_detail, machine_, 1'000'000, 100'000'000);
  }
  if (faults.strikes(Fault::disk_stall, Site::disk_fault, machine_)) {
    base += tape.magnitude(Site::disk_detail, machine_, 200'000'000, 5'000'000'000);
  }
  return base;
}

Status SimDisk::fail(DiskRequest& request, const SqlState& code, std::string_view what) {
  ++errors_given_;
  const std::string name =
      takes_handle(request.op) ? tree_.name_of(file_of(request.handle)) : request.name;
  world_.note(machine_, "disk error", name, static_cast<uint64_t>(request.op), request.offset);
  return raise(
      code, cat("could not ", std::string_view(kOpNames[static_cast<size_t>(request.op)]).substr(5),
                " file \"", name, "\": ", what));
}

bool SimDisk::submit(DiskRequest& request) {
  request.status = Status();
  if (!is_up_) {
    request.status = raise_halted();
    return true;
  }
  Slot slot;
  if (takes_handle(request.op)) slot.file = file_of(request.handle);
  if (request.op == DiskOp::write) slot.content_hash = hash_bytes(request.data) | 1;
  world_.note(
      machine_, kOpNames[static_cast<size_t>(request.op)],
      takes_handle(request.op) ? std::string_view(tree_.name_of(slot.file))
                               : std::string_view(request.name),
      request.offset,
      request.op == DiskOp::write ? request.data.size() : request.buffer.size() + request.count,
      slot.content_hash);
  if (crash_countdown_ != 0 && --crash_countdown_ == 0)
    world_.machine(machine_).crash_soon(CrashKind::power);
  const bool done = begin(request, slot);
  if (done) return true;
  const bool may_be_inline =
      request.op == DiskOp::read || (request.op == DiskOp::write && !request.then_sync);
  if (may_be_inline && speed_.inline_percent != 0 && request.status.ok() &&
      world_.tape().pick(Site::disk_inline, machine_, 100) < speed_.inline_percent) {
    if (slot.number != 0) ++writes_in_flight_;
    slot.request = &request;
    end(request, slot);
    return true;
  }
  if (slot.number != 0 && !slot.syncs) ++writes_in_flight_;
  slot.request = &request;
  schedule(slot);
  return false;
}

void SimDisk::schedule(Slot slot) {
  if (free_.empty()) {
    free_.push_back(static_cast<uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const uint32_t index = free_.back();
  free_.pop_back();
  slot.generation = slots_[index].generation;
  slots_[index] = slot;
  world_.schedule(EventKind::disk, machine_, boot_,
                  world_.now() + nanoseconds(delay_of(*slot.request, slot.syncs)),
                  static_cast<uint64_t>(slot.generation) << 32 | index);
}

void SimDisk::begin_sync(Slot& slot) {
  Faults& faults = world_.faults();
  slot.syncs = true;
  slot.number = tree_.content(slot.file).begin_sync();
  slot.fails = faults.strikes(Fault::disk_sync_error, Site::disk_fault, machine_);
  slot.lies = faults.strikes(Fault::disk_lying_sync, Site::disk_fault, machine_);
}

bool SimDisk::begin(DiskRequest& request, Slot& slot) {
  Faults& faults = world_.faults();
  switch (request.op) {
    case DiskOp::open: {
      Result<FileNumber> opened = tree_.open(request.name, request.create, request.exclusive);
      if (!opened.ok()) {
        request.status = std::move(opened).status();
        return false;
      }
      handles_.push_back(*opened);
      request.handle = FileHandle(static_cast<uint32_t>(handles_.size()));
      return false;
    }
    case DiskOp::close: handles_[request.handle.v - 1].reset(); return true;
    case DiskOp::read:
      if (faults.strikes(Fault::disk_read_error, Site::disk_fault, machine_)) {
        request.status = fail(request, sqlstate::io_error, "Input/output error");
      }
      return false;
    case DiskOp::write:    begin_write(request, slot); return false;
    case DiskOp::sync:     begin_sync(slot); return false;
    case DiskOp::truncate: begin_resize(request, slot, request.offset); return false;
    case DiskOp::allocate:
      begin_resize(request, slot,
                   std::max(tree_.content(slot.file).size_bytes(), request.offset + request.count));
      return false;
    case DiskOp::size: request.count = tree_.content(slot.file).size_bytes(); return true;
    case DiskOp::rename:
      request.status = tree_.rename(request.name, request.new_name);
      return false;
    case DiskOp::remove:         request.status = tree_.remove(request.name); return false;
    case DiskOp::make_directory: request.status = tree_.make_directory(request.name); return false;
    case DiskOp::sync_directory: return false;
    case DiskOp::list:           {
      Result<std::vector<std::string>> names = tree_.list(request.name);
      if (names.ok()) {
        request.names = std::move(names).take_value();
      } else {
        request.status = std::move(names).status();
      }
      return false;
    }
  }
  UNREACHABLE();
}

bool SimDisk::fits(uint64_t more_bytes) {
  Faults& faults = world_.faults();
  if (capacity_bytes_ == UINT64_MAX || !faults.is_on(Fault::disk_full)) return true;
  const bool full = tree_.used_bytes() + more_bytes > capacity_bytes_;
  faults.note(Fault::disk_full, full);
  return !full;
}

void SimDisk::begin_write(DiskRequest& request, Slot& slot) {
  Faults& faults = world_.faults();
  Tape& tape = world_.tape();
  FileContent& content = tree_.mutable_content(slot.file);
  if (writes_in_flight_ > 0 && !request.data.empty() &&
      content.is_in_flight(request.offset, request.data.size())) {
    world_.fail("assertion", cat("two writes of ", tree_.name_of(slot.file),
                                 " are in flight on one sector, at offset ", request.offset));
  }
  Bytes data = request.data;
  const uint64_t end = request.offset + data.size();
  if (end > content.size_bytes() && !fits(end - content.size_bytes())) {
    request.status = fail(request, sqlstate::disk_full, "No space left on device");
    data = data.first(tape.pick(Site::disk_detail, machine_, data.size() + 1));
  } else if (faults.strikes(Fault::disk_write_error, Site::disk_fault, machine_)) {
    request.status = fail(request, sqlstate::io_error, "Input/output error");
    if (tape.pick(Site::disk_detail, machine_, 2) == 0) data = {};
  } else if (data.size() > 1 &&
             faults.strikes(Fault::disk_short_write, Site::disk_fault, machine_)) {
    data = data.first(tape.pick(Site::disk_detail, machine_, data.size()));
    request.status = fail(request, sqlstate::io_error,
                          cat("wrote only ", data.size(), " of ", request.data.size(), " bytes"));
  } else if (faults.strikes(Fault::disk_misdirected_write, Site::disk_fault, machine_)) {
    stray_write(data);
  }
  if (data.empty()) return;
  slot.number = content.write(request.offset, data);
  clear_damage(slot.file, request.offset, data.size());
}

void SimDisk::begin_resize(DiskRequest& request, Slot& slot, uint64_t size_bytes) {
  FileContent& content = tree_.mutable_content(slot.file);
  if (size_bytes == content.size_bytes()) return;
  if (size_bytes > content.size_bytes() && !fits(size_bytes - content.size_bytes())) {
    request.status = fail(request, sqlstate::disk_full, "No space left on device");
    return;
  }
  slot.number = content.resize(size_bytes);
}

void SimDisk::finish(uint64_t key) {
  const auto index = static_cast<uint32_t>(key);
  Slot& held = slots_[index];
  if (held.request == nullptr || held.generation != key >> 32) return;
  const Slot slot = held;
  held.request = nullptr;
  ++held.generation;
  free_.push_back(index);
  end(*slot.request, slot);
  if (slot.request->then_sync && !slot.syncs && slot.request->status.ok()) {
    Slot sync{.request = slot.request, .file = slot.file};
    begin_sync(sync);
    schedule(sync);
    return;
  }
  slot.request->completion->complete();
}

void SimDisk::end(DiskRequest& request, const Slot& slot) {
  if (slot.syncs) return end_sync(request, slot);
  switch (request.op) {
    case DiskOp::read:
      if (request.status.ok()) read_now(request, slot.file);
      return;
    case DiskOp::write:
      if (slot.number != 0) {
        tree_.mutable_content(slot.file).note_completed(slot.number);
        --writes_in_flight_;
      }
      if ((hash_bytes(request.data) | 1) != slot.content_hash) {
        world_.fail("assertion",
                    cat("the buffer of a write to ", tree_.name_of(slot.file), " at offset ",
                        request.offset, " changed while it was in flight"));
      }
      return;
    case DiskOp::truncate:
    case DiskOp::allocate:
      if (slot.number != 0) {
        tree_.mutable_content(slot.file).note_completed(slot.number);
        --writes_in_flight_;
      }
      return;
    case DiskOp::sync_directory: request.status = tree_.sync_directory(request.name); return;
    case DiskOp::open:
    case DiskOp::close:
    case DiskOp::sync:
    case DiskOp::size:
    case DiskOp::rename:
    case DiskOp::remove:
    case DiskOp::make_directory:
    case DiskOp::list:           return;
  }
}

void SimDisk::end_sync(DiskRequest& request, const Slot& slot) {
  FileContent& content = tree_.mutable_content(slot.file);
  if (slot.lies) return;
  if (!slot.fails) {
    content.finish_sync(slot.number);
    return;
  }
  Tape& tape = world_.tape();
  content.fail_sync(slot.number, [&](size_t, uint32_t) {
    return tape.pick(Site::disk_detail, machine_, 8) == 1;
  });
  request.status = fail(request, sqlstate::io_error, "Input/output error");
}

void SimDisk::read_now(DiskRequest& request, FileNumber file) {
  const FileContent& content = tree_.content(file);
  if (misdirected_read(request, file)) return;
  if (world_.faults().strikes(Fault::disk_stale_read, Site::disk_fault, machine_)) {
    request.count = content.read_stale(request.offset, request.buffer);
    ++damage_given_;
  } else {
    request.count = content.read(request.offset, request.buffer);
  }
  if (!damage_.empty()) patch_damage(request, file);
}

// The bytes of another place in the same file. Never zeros: a page of zeros is a valid page, so
// that nothing short of a second copy could notice.
bool SimDisk::misdirected_read(DiskRequest& request, FileNumber file) {
  Faults& faults = world_.faults();
  const FileContent& content = tree_.content(file);
  const uint64_t size = request.buffer.size();
  if (!faults.is_on(Fault::disk_misdirected_read) || atlas_ == nullptr || size % kBlockBytes != 0 ||
      content.size_bytes() < 2 * size || !atlas_->may_misread(tree_.name_of(file)) ||
      !faults.strikes(Fault::disk_misdirected_read, Site::disk_fault, machine_)) {
    return false;
  }
  const uint64_t offset =
      world_.tape().pick(Site::disk_detail, machine_, content.size_bytes() / size) * size;
  if (offset == request.offset) return false;
  request.count = content.read(offset, request.buffer);
  if (is_all_zeros(request.buffer)) return false;
  world_.note(machine_, "misdirected read", tree_.name_of(file), request.offset, offset);
  ++damage_given_;
  return true;
}

void SimDisk::patch_damage(DiskRequest& request, FileNumber file) {
  const uint64_t offset = request.offset;
  const uint64_t end = offset + request.count;
  auto it = damage_.lower_bound({file, offset / kSectorBytes});
  for (; it != damage_.end() && it->first.first == file && it->first.second * kSectorBytes < end;
       ++it) {
    const uint64_t start = it->first.second * kSectorBytes;
    const uint64_t from = std::max(start, offset);
    const uint64_t to = std::min(start + kSectorBytes, end);
    if (from >= to) continue;
    std::memcpy(request.buffer.data() + (from - offset), it->second.data() + (from - start),
                to - from);
    ++damage_given_;
  }
}

void SimDisk::clear_damage(FileNumber file, uint64_t offset, uint64_t count) {
  if (damage_.empty()) return;
  const auto first = damage_.lower_bound({file, offset / kSectorBytes});
  const auto last = damage_.upper_bound({file, (offset + count - 1) / kSectorBytes});
  damage_.erase(first, last);
}

bool SimDisk::choose_victim(FileNumber& file, uint64_t& offset) {
  if (atlas_ == nullptr) return false;
  const std::vector<FileNumber> files = tree_.named_files();
  if (files.empty()) return false;
  Tape& tape = world_.tape();
  for (int attempt = 0; attempt < 8; ++attempt) {
    file = files[tape.pick(Site::disk_detail, machine_, files.size())];
    const FileContent& content = tree_.content(file);
    if (content.size_bytes() < kBlockBytes) continue;
    const uint64_t block =
        tape.pick(Site::disk_detail, machine_, content.size_bytes() / kBlockBytes);
    offset = block * kBlockBytes;
    if (atlas_->may_damage(tree_.name_of(file), offset, kBlockBytes)) return true;
  }
  return false;
}

// The atlas wants the right place to have the data too: a lost write cannot be seen by one machine
// alone.
void SimDisk::stray_write(Bytes data) {
  if (is_all_zeros(data)) return;
  FileNumber file;
  uint64_t offset = 0;
  if (!choose_victim(file, offset)) return;
  if (data.size() >= 8192) offset -= offset % 8192;
  const std::string& name = tree_.name_of(file);
  const uint64_t room = tree_.content(file).size_bytes() - offset;
  data = data.first(std::min<uint64_t>(data.size(), room) / kSectorBytes * kSectorBytes);
  if (data.empty() || !atlas_->may_damage(name, offset, data.size())) return;
  world_.note(machine_, "stray write", name, offset, data.size());
  for (uint64_t at = 0; at < data.size(); at += kSectorBytes) {
    Sector& sector = damage_[{file, (offset + at) / kSectorBytes}];
    std::memcpy(sector.data(), data.data() + at, kSectorBytes);
  }
}

void SimDisk::rot() {
  FileNumber file;
  uint64_t offset = 0;
  const bool found = choose_victim(file, offset);
  world_.faults().note(Fault::disk_bit_rot, found);
  if (!found) return;
  Tape& tape = world_.tape();
  offset += tape.pick(Site::disk_detail, machine_, kBlockBytes / kSectorBytes) * kSectorBytes;
  const uint64_t bit = tape.pick(Site::disk_detail, machine_, kSectorBytes * 8);
  world_.note(machine_, "bit rot", tree_.name_of(file), offset, bit);
  const auto [it, fresh] = damage_.try_emplace({file, offset / kSectorBytes});
  if (fresh) {
    it->second.fill(std::byte{0});
    tree_.content(file).read(offset, it->second);
  }
  it->second[bit / 8] ^= std::byte{1} << (bit % 8);
}

void SimDisk::heal() {
  if (damage_.empty()) return;
  world_.note(machine_, "disk healed", "", damage_.size(), 0);
  damage_.clear();
}

void SimDisk::lose_power() {
  Tape& tape = world_.tape();
  Faults& faults = world_.faults();
  // How this crash treats unsynced writes as a whole: 0 as if all had just reached the platter.
  enum class Mode : uint8_t { all_kept, all_lost, prefix, mixed };
  auto mode = static_cast<Mode>(tape.pick(Site::crash_mode, machine_, 4));
  const bool may_lose = faults.is_on(Fault::crash_lost_write);
  const bool may_tear = faults.is_on(Fault::crash_torn_write);
  const bool may_reorder = faults.is_on(Fault::crash_reordered_write);
  if (!may_lose) mode = Mode::all_kept;
  if (mode == Mode::mixed && !may_reorder) mode = Mode::prefix;
  const auto keep_changes = [&](const std::string&, size_t changes) {
    if (!faults.is_on(Fault::crash_directory_undone)) return changes;
    const size_t undone = tape.pick(Site::crash_directory, machine_, changes + 1);
    faults.note(Fault::crash_directory_undone, undone != 0);
    return changes - undone;
  };
  tree_.crash(keep_changes, [&](FileNumber, FileContent& content) {
    const size_t writes = content.pending_writes();
    const size_t cut =
        mode == Mode::prefix ? writes - tape.pick(Site::crash_write, machine_, writes + 1) : writes;
    size_t current = SIZE_MAX;
    enum class Fate : uint8_t { kept, lost, torn } fate = Fate::kept;
    bool lost_before = false;
    content.crash([&](size_t write, uint32_t) {
      if (write != current) {
        current = write;
        switch (mode) {
          case Mode::all_kept: fate = Fate::kept; break;
          case Mode::all_lost: fate = Fate::lost; break;
          case Mode::prefix:
            fate = write < cut ? Fate::kept : write == cut && may_tear ? Fate::torn : Fate::lost;
            break;
          case Mode::mixed:
            fate = static_cast<Fate>(tape.pick(Site::crash_write, machine_, may_tear ? 3 : 2));
            break;
        }
        faults.note(Fault::crash_lost_write, fate == Fate::lost);
        faults.note(Fault::crash_torn_write, fate == Fate::torn);
        faults.note(Fault::crash_reordered_write, fate == Fate::kept && lost_before);
        lost_before = lost_before || fate != Fate::kept;
      }
      if (fate == Fate::torn) return tape.pick(Site::crash_sector, machine_, 2) == 0;
      return fate == Fate::kept;
    });
  });
  if (damage_.empty()) return;
  // Damage stays where it is on the platter, as long as its place exists.
  const std::vector<FileNumber> named = tree_.named_files();
  std::erase_if(damage_, [&](const auto& entry) {
    const auto [file, sector] = entry.first;
    return std::find(named.begin(), named.end(), file) == named.end() ||
           (sector + 1) * kSectorBytes > tree_.content(file).size_bytes();
  });
}

}  // namespace orrery
