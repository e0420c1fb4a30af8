// Where operators put what does not fit in memory: streams of bytes, written once from front to
// back, in a file that nobody else sees.
//
// A file is made in "temp/" and its name removed at once, so that it ends with its handle, however
// the statement or the node ends. It is cut into blocks; a stream is a list of them, and a stream
// that goes gives its blocks to the next one, so a sort needs little more space than its input.
//
// Blocks are written and read one at a time, and the fiber waits for each: others run meanwhile.
// 53100 when the disk is full.
#pragma once

#include <memory>
#include <vector>

#include "base/arena.h"
#include "fiber/fiber.h"
#include "func/session_view.h"

namespace orrery {

constexpr uint32_t kTempBlockBytes = 32 * 1024;
// The directory of temporary files; what is left in it when a node starts is of nobody.
constexpr const char* kTempDirectory = "temp";

// When a node starts: a crash between making a file and removing its name leaves one.
Status remove_temp_files(Fiber& fiber);

// Room for one block, counted by a budget (which may be null).
class BlockBuffer {
 public:
  explicit BlockBuffer(MemoryBudget* budget) : budget_(budget) {}
  BlockBuffer(const BlockBuffer&) = delete;
  ~BlockBuffer() { release(); }

  void take();  // keeps what it has
  void release();
  std::byte* get() const { return bytes_.get(); }

 private:
  MemoryBudget* budget_;
  std::unique_ptr<std::byte[]> bytes_;
};

class TempFile {
 public:
  // 53400 when it would pass what `space` allows; `budget` counts the buffers of its streams. Both
  // may be null.
  TempFile(Fiber& fiber, TempSpace* space, MemoryBudget* budget)
      : fiber_(fiber), space_(space), budget_(budget) {}
  TempFile(const TempFile&) = delete;
  ~TempFile();  // closes without waiting

  // Block numbers; the file itself is made when the first block is written.
  Result<uint32_t> take_block();
  void free_block(uint32_t block) { free_.push_back(block); }
  Status write(uint32_t block, Bytes bytes);
  Status read(uint32_t block, MutableBytes bytes);
  MemoryBudget* budget() const { return budget_; }

 private:
  Status open();

  Fiber& fiber_;
  TempSpace* space_;
  MemoryBudget* budget_;
  FileHandle handle_;
  uint32_t blocks_ = 0;
  std::vector<uint32_t> free_;
};

class TempStream {
 public:
  explicit TempStream(TempFile& file) : file_(file), buffer_(file.budget()) {}
  TempStream(const TempStream&) = delete;
  ~TempStream() { clear(); }

  Status write(Bytes bytes);
  // What lies in the writer's buffer goes to the file, and the buffer goes: no more is written.
  Status finish();
  uint64_t size() const { return size_; }
  void clear();

  // Reads from a position on. Several may read one stream, while it grows.
  class Reader {
   public:
    explicit Reader(TempStream& stream) : stream_(&stream), buffer_(stream.file_.budget()) {}
    // REQUIRES: so many bytes are left.
    Status read(MutableBytes bytes);
    void seek(uint64_t position) { at_ = position; }
    uint64_t position() const { return at_; }
    bool at_end() const { return at_ >= stream_->size_; }

   private:
    TempStream* stream_;
    uint64_t at_ = 0;
    BlockBuffer buffer_;
    uint64_t held_ = UINT64_MAX;  // number within the stream of the block in buffer_
  };

 private:
  TempFile& file_;
  std::vector<uint32_t> blocks_;  // full ones, in the file
  BlockBuffer buffer_;
  uint32_t used_ = 0;  // of buffer_
  uint64_t size_ = 0;
};

}  // namespace orrery
