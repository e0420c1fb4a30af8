#include "exec/temp_file.h"

#include <cstring>

#include "base/probe.h"
#include "base/text.h"
#include "fiber/io.h"

namespace orrery {
namespace {

// Closes a file although nobody waits for it.
struct DetachedClose final : Completion {
  DiskRequest request;
  std::unique_ptr<DetachedClose> self;  // while it is under way
  void complete() override { self.reset(); }
};

}  // namespace

Status remove_temp_files(Fiber& fiber) {
  Result<std::vector<std::string>> names = list_directory(fiber, kTempDirectory);
  if (names.status().is(sqlstate::undefined_file)) return {};
  const std::vector<std::string> left = TRY(std::move(names));
  for (const std::string& name : left) {
    PROBE("exec: a temporary file was left by a crash");
    TRY(remove_file(fiber, cat(kTempDirectory, "/", name)));
  }
  return {};
}

TempFile::~TempFile() {
  if (space_ != nullptr) space_->used_bytes -= uint64_t{blocks_} * kTempBlockBytes;
  if (!handle_) return;
  auto close = std::make_unique<DetachedClose>();
  close->request.op = DiskOp::close;
  close->request.handle = handle_;
  close->request.completion = close.get();
  DetachedClose& pending = *close;
  pending.self = std::move(close);
  if (fiber_.host().disk().submit(pending.request)) pending.complete();
}

void BlockBuffer::take() {
  if (bytes_ != nullptr) return;
  bytes_ = std::make_unique_for_overwrite<std::byte[]>(kTempBlockBytes);
  if (budget_ != nullptr) budget_->add(kTempBlockBytes);
}

void BlockBuffer::release() {
  if (bytes_ == nullptr) return;
  bytes_.reset();
  if (budget_ != nullptr) budget_->release(kTempBlockBytes);
}

Result<uint32_t> TempFile::take_block() {
  if (free_.empty()) {
    if (space_ != nullptr) {
      if (space_->used_bytes + kTempBlockBytes > space_->limit_bytes) {
        return raise(sqlstate::configuration_limit_exceeded,
                     cat("temporary file size exceeds temp_file_limit (",
                         space_->limit_bytes / 1024, "kB)"));
      }
      space_->used_bytes += kTempBlockBytes;
    }
    return blocks_++;
  }
  const uint32_t block = free_.back();
  free_.pop_back();
  return block;
}

// A fiber makes one file at a time, so its number is a name of its own.
Status TempFile::open() {
  const std::string name = cat(kTempDirectory, "/", fiber_.ordinal());
  Result<FileHandle> made = open_file(fiber_, name, true);
  if (!made.ok() && !made.status().is_halted() &&
      made.status().error().code == sqlstate::undefined_file) {
    Status directory = make_directory(fiber_, kTempDirectory);
    const bool exists = !directory.ok() && !directory.is_halted() &&
                        directory.error().code == sqlstate::duplicate_file;
    if (!exists) TRY(std::move(directory));
    made = open_file(fiber_, name, true);
  }
  handle_ = TRY(std::move(made));
  PROBE("exec: an operator began to spill");
  return remove_file(fiber_, name);
}

Status TempFile::write(uint32_t block, Bytes bytes) {
  TRY(fiber_.check_interrupts());
  if (!handle_) TRY(open());
  return write_file(fiber_, handle_, uint64_t{block} * kTempBlockBytes, bytes);
}

Status TempFile::read(uint32_t block, MutableBytes bytes) {
  TRY(fiber_.check_interrupts());
  const uint64_t count = TRY(read_file(fiber_, handle_, uint64_t{block} * kTempBlockBytes, bytes));
  if (count != bytes.size())
    return raise(sqlstate::io_error, cat("could not read a temporary file: read only ", count,
                                         " of ", bytes.size(), " bytes"));
  return {};
}

Status TempStream::write(Bytes bytes) {
  while (!bytes.empty()) {
    buffer_.take();
    const size_t part = std::min<size_t>(bytes.size(), kTempBlockBytes - used_);
    std::memcpy(buffer_.get() + used_, bytes.data(), part);
    bytes = bytes.subspan(part);
    used_ += static_cast<uint32_t>(part);
    size_ += part;
    if (used_ < kTempBlockBytes) continue;
    const uint32_t block = TRY(file_.take_block());
    blocks_.push_back(block);
    TRY(file_.write(block, Bytes(buffer_.get(), kTempBlockBytes)));
    used_ = 0;
  }
  return {};
}

Status TempStream::finish() {
  if (used_ > 0) {
    const uint32_t block = TRY(file_.take_block());
    blocks_.push_back(block);
    // The whole block: what lies behind the end is never read, but is not left to chance.
    std::memset(buffer_.get() + used_, 0, kTempBlockBytes - used_);
    TRY(file_.write(block, Bytes(buffer_.get(), kTempBlockBytes)));
    used_ = 0;
  }
  buffer_.release();
  return {};
}

void TempStream::clear() {
  for (const uint32_t block : blocks_) file_.free_block(block);
  blocks_.clear();
  buffer_.release();
  used_ = 0;
  size_ = 0;
}

Status TempStream::Reader::read(MutableBytes bytes) {
  CHECK(at_ + bytes.size() <= stream_->size_);
  while (!bytes.empty()) {
    const uint64_t number = at_ / kTempBlockBytes;
    const auto offset = static_cast<uint32_t>(at_ % kTempBlockBytes);
    const size_t part = std::min<size_t>(bytes.size(), kTempBlockBytes - offset);
    if (number >= stream_->blocks_.size()) {  // not written yet
      std::memcpy(bytes.data(), stream_->buffer_.get() + offset, part);
    } else {
      if (held_ != number) {
        buffer_.take();
        held_ = UINT64_MAX;
        TRY(stream_->file_.read(stream_->blocks_[number],
                                MutableBytes(buffer_.get(), kTempBlockBytes)));
        held_ = number;
      }
      std::memcpy(bytes.data(), buffer_.get() + offset, part);
    }
    bytes = bytes.subspan(part);
    at_ += part;
  }
  return {};
}

}  // namespace orrery
