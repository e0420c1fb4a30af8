#include "storage/control_file.h"

#include "base/crc32c.h"
#include "base/probe.h"
#include "base/text.h"
#include "fiber/io.h"

namespace orrery {
namespace {

constexpr char kName[] = "control";
constexpr uint64_t kMagic = 0x31306c7463727261;
constexpr size_t kSlotBytes = 4096;
constexpr size_t kSummedFrom = 12;
constexpr size_t kDataAt = 16;

std::string state_name(uint32_t slot) { return cat("state.", slot); }

}  // namespace

Result<bool> ControlFile::load(Fiber& fiber) {
  Result<FileHandle> opened = open_file(fiber, kName, false);
  if (opened.status().is(sqlstate::undefined_file)) return false;
  handle_ = TRY(std::move(opened));
  std::vector<std::byte> bytes(2 * kSlotBytes);
  const uint64_t count = TRY(read_file(fiber, handle_, 0, bytes));
  bool found = false;
  for (size_t slot = 0; slot < 2 && (slot + 1) * kSlotBytes <= count; ++slot) {
    const Bytes image = Bytes(bytes).subspan(slot * kSlotBytes, kSlotBytes);
    if (!slot_checks(image)) continue;
    const auto candidate = orrery::load<ControlData>(image.data() + kDataAt);
    if (candidate.sequence % 2 != slot) continue;
    if (!found || candidate.sequence > data.sequence) data = candidate;
    found = true;
  }
  // The first save goes to slot 1, so as long as slot 0 is empty nothing was ever finished here.
  const bool slot_0_is_empty = std::ranges::all_of(Bytes(bytes).first(kSlotBytes),
                                                   [](std::byte b) { return b == std::byte{0}; });
  if (!found && (count < 2 * kSlotBytes || slot_0_is_empty)) {
    TRY(close(fiber));
    return false;
  }
  if (!found) {
    return raise(sqlstate::data_corrupted, "could not read the control file")
        .detail("Neither of its two slots has the right checksum.");
  }
  saved_ = data;
  return true;
}

bool ControlFile::slot_checks(Bytes image) const {
  if (orrery::load<uint64_t>(image.data()) != kMagic) return false;
  if (orrery::load<uint32_t>(image.data() + kDataAt - 4) != group_) return false;
  return crc32c(image.subspan(kSummedFrom)) == orrery::load<uint32_t>(image.data() + 8);
}

Status ControlFile::create(Fiber& fiber) {
  handle_ = TRY(open_file(fiber, kName, true));
  TRY(allocate_file(fiber, handle_, 0, 2 * kSlotBytes));
  TRY(save(fiber));
  return sync_directory(fiber, "");
}

Status ControlFile::sync_or_die(Fiber& fiber, FileHandle handle, std::string_view name) {
  Status synced = sync_file(fiber, handle);
  if (synced.ok() || synced.is_halted()) return synced;
  return host_.fatal(cat("could not fsync file \"", name, "\": ", synced.error().message));
}

Status ControlFile::save(Fiber& fiber) {
  CHECK(handle_);
  TRY(saving_.lock(fiber));
  UnlockGuard guard(saving_);
  ++data.sequence;
  const ControlData saving = data;
  std::vector<std::byte> image(kSlotBytes);
  store(image.data(), kMagic);
  store(image.data() + kDataAt - 4, group_);
  store(image.data() + kDataAt, saving);
  store(image.data() + 8, crc32c(Bytes(image).subspan(kSummedFrom)));
  Status written = write_file(fiber, handle_, saving.sequence % 2 * kSlotBytes, image);
  if (!written.ok()) {
    // That slot may be spoilt; the next save writes it again, never the good one.
    if (!written.is_halted()) --data.sequence;
    return written;
  }
  TRY(sync_or_die(fiber, handle_, kName));
  saved_ = saving;
  return {};
}

Result<std::string> ControlFile::load_state(Fiber& fiber) {
  const std::string name = state_name(data.state_slot);
  const FileHandle handle = TRY(open_file(fiber, name, false));
  const uint64_t bytes = TRY(file_size(fiber, handle));
  std::string state(bytes, '\0');
  const MutableBytes to(reinterpret_cast<std::byte*>(state.data()), state.size());
  const uint64_t count = TRY(read_file(fiber, handle, 0, to));
  TRY(close_file(fiber, handle));
  if (count != bytes || crc32c(as_bytes(state)) != data.state_crc) {
    return raise(sqlstate::data_corrupted, cat("invalid checkpoint state in file \"", name, "\""));
  }
  return state;
}

Status ControlFile::save_state(Fiber& fiber, std::string_view state) {
  const uint32_t slot = 1 - saved_.state_slot;
  const std::string name = state_name(slot);
  const FileHandle handle = TRY(open_file(fiber, name, true));
  Status status = truncate_file(fiber, handle, state.size());
  if (status.ok()) status = write_file(fiber, handle, 0, as_bytes(state));
  if (status.ok()) status = sync_or_die(fiber, handle, name);
  Status closed = close_file(fiber, handle);
  TRY(std::move(status));
  TRY(std::move(closed));
  TRY(sync_directory_or_die(fiber, ""));
  data.state_slot = slot;
  data.state_crc = crc32c(as_bytes(state));
  return {};
}

Status ControlFile::close(Fiber& fiber) {
  return handle_ ? close_file(fiber, std::exchange(handle_, FileHandle())) : Status();
}

}  // namespace orrery
