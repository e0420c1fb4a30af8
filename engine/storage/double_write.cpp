#include "storage/double_write.h"

#include "base/crc32c.h"
#include "base/plant.h"
#include "base/probe.h"
#include "base/text.h"
#include "fiber/io.h"

namespace orrery {
namespace {

constexpr char kName[] = "double_write";
constexpr uint64_t kMagic = 0x776479726572726f;  // "orrerydw"
constexpr size_t kSummedFrom = 12;

struct BatchHeader {
  uint64_t magic;
  uint32_t crc;
  uint32_t count;
  uint64_t sequence;
  uint64_t min_recovery;
  uint64_t durable;
};
struct BatchEntry {
  uint64_t file;
  uint32_t block;
  uint32_t checksum;
  uint64_t lsn;
};
static_assert(sizeof(BatchHeader) == 40 && sizeof(BatchEntry) == 24);
static_assert(sizeof(BatchHeader) + DoubleWrite::kMaxPages * sizeof(BatchEntry) <= kPageBytes);

}  // namespace

struct DoubleWrite::Batch {
  uint64_t at;  // of the header in the file
  BatchHeader header;
  std::vector<Page> pages;
};

DoubleWrite::DoubleWrite(Host& host, const StorageOptions& options, DataFiles& files)
    : host_(host),
      options_(options),
      files_(files),
      buffer_(std::make_unique<std::byte[]>((options.double_write_pages + 1) * kPageBytes)),
      places_(options.double_write_batches) {}

Status DoubleWrite::create(Fiber& fiber) {
  handle_ = TRY(open_file(fiber, kName, true));
  TRY(allocate_file(fiber, handle_, 0, batch_bytes() * options_.double_write_batches));
  TRY(sync_file(fiber, handle_));
  return sync_directory(fiber, "");
}

// True when a whole header lies there.
Result<bool> DoubleWrite::read_batch(Fiber& fiber, uint64_t at, Batch& batch) {
  std::vector<std::byte> page(kPageBytes);
  const uint64_t count = TRY(read_file(fiber, handle_, at, page));
  if (count < kPageBytes) return false;
  batch.at = at;
  batch.header = load<BatchHeader>(page.data());
  if (batch.header.magic != kMagic || batch.header.count > kMaxPages) return false;
  if (crc32c(Bytes(page).subspan(kSummedFrom)) != batch.header.crc) return false;
  batch.pages.clear();
  for (uint32_t i = 0; i < batch.header.count; ++i) {
    const auto entry = load<BatchEntry>(page.data() + sizeof(BatchHeader) + i * sizeof(BatchEntry));
    batch.pages.push_back(
        {FileId(entry.file), BlockNo(entry.block), Lsn(entry.lsn), entry.checksum});
  }
  return true;
}

Result<DoubleWrite::Found> DoubleWrite::recover(Fiber& fiber, uint64_t retired) {
  TRY(create(fiber));
  Found found{.sequence = retired};
  // The sizes may have been others when the area was written, so a header is looked for at every
  // page.
  std::vector<Batch> batches;
  const uint64_t bytes = TRY(file_size(fiber, handle_));
  for (uint64_t at = 0; at + kPageBytes <= bytes; at += kPageBytes) {
    Batch batch;
    const bool is_whole = TRY(read_batch(fiber, at, batch));
    if (!is_whole || batch.header.sequence <= retired) continue;
    found.sequence = std::max(found.sequence, batch.header.sequence);
    found.min_recovery = std::max(found.min_recovery, Lsn(batch.header.min_recovery));
    found.durable = std::max(found.durable, Lsn(batch.header.durable));
    batches.push_back(std::move(batch));
  }
  // Youngest first: the first whole copy of a page is the one.
  std::ranges::sort(batches, [](const Batch& a, const Batch& b) {
    return a.header.sequence > b.header.sequence;
  });
  std::map<std::pair<FileId, BlockNo>, bool> tried;
  std::vector<std::byte> copy(kPageBytes);
  for (const Batch& batch : batches) {
    for (size_t i = 0; i < batch.pages.size(); ++i) {
      const Page& page = batch.pages[i];
      if (tried.contains({page.file, page.block})) continue;
      const uint64_t count = TRY(read_file(fiber, handle_, batch.at + (i + 1) * kPageBytes, copy));
      if (count < kPageBytes) continue;
      const ConstPageBytes bytes_of_copy(copy.data(), kPageBytes);
      if (!accept_after_read(bytes_of_copy, page.file, page.block).ok())
        continue;  // torn: never went home
      const PageHeader& header = page_header(copy.data());
      if (header.checksum != page.checksum || Lsn(header.lsn) != page.lsn)
        continue;  // of an older batch
      tried[{page.file, page.block}] = true;
      TRY(mend(fiber, page, bytes_of_copy, found));
    }
  }
  TRY(files_.sync_all(fiber));
  start_from(found.sequence, found.min_recovery);
  return found;
}

Status DoubleWrite::mend(Fiber& fiber, const Page& page, ConstPageBytes copy, Found& found) {
  Result<DataFiles::Use> file = files_.use(fiber, page.file);
  if (file.status().is(sqlstate::undefined_file))
    return {};  // dropped since, or its name was lost: redo knows
  if (!file.ok()) return std::move(file).status();
  DataFile& home = *file.value();
  if (page.block >= home.room) return {};  // cut off since, or the length was lost
  std::vector<std::byte> there(kPageBytes);
  const uint64_t count = TRY(read_file(fiber, home.handle, page.block.v * kPageBytes, there));
  const bool is_whole =
      count == kPageBytes &&
      accept_after_read(ConstPageBytes(there.data(), kPageBytes), page.file, page.block).ok();
  const bool is_newer = is_whole && Lsn(page_header(there.data()).lsn) > page.lsn;
  if (is_newer || (is_whole && PLANTED(b42_whole_home_trusted))) return {};
  // A whole one is written again too: a killed process may have left it in a page cache that takes
  // it for clean after a failed sync, and the sync that follows here would not bring it to disk.
  if (!is_whole) {
    PROBE("double-write: a torn page was mended");
    ++found.mended;
  }
  TRY(files_.write(fiber, home, page.block, copy));
  home.size = std::max(home.size, page.block.next());
  return {};
}

Status DoubleWrite::begin(Fiber& fiber) {
  std::vector<Written>& place = places_[(last_done_ + 1) % options_.double_write_batches];
  for (const Written& written : place) {
    DataFile* known = files_.find(written.file);
    if (known == nullptr || known->ended || known->synced_changes >= written.changes) continue;
    Result<DataFiles::Use> used = files_.use(fiber, written.file);
    if (used.status().is(sqlstate::undefined_file)) continue;  // removed: its pages need no home
    DataFiles::Use file = TRY(std::move(used));
    if (file->synced_changes >= written.changes) continue;
    PROBE("double-write: a file was synced to reuse the area");
    TRY(files_.sync(fiber, *file));
  }
  place.clear();
  return {};
}

Status DoubleWrite::write(Fiber& fiber, std::span<const Page> pages, Lsn durable) {
  CHECK(!pages.empty());
  CHECK(pages.size() <= options_.double_write_pages);
  for (const Page& page : pages) min_recovery_ = std::max(min_recovery_, page.lsn + 1);
  std::byte* header_page = buffer_.get();
  std::memset(header_page, 0, kPageBytes);
  BatchHeader header{.magic = kMagic,
                     .crc = 0,
                     .count = static_cast<uint32_t>(pages.size()),
                     .sequence = last_done_ + 1,
                     .min_recovery = min_recovery_.v,
                     .durable = durable.v};
  for (size_t i = 0; i < pages.size(); ++i) {
    store(header_page + sizeof header + i * sizeof(BatchEntry),
          BatchEntry{pages[i].file.v, pages[i].block.v, pages[i].checksum, pages[i].lsn.v});
  }
  store(header_page, header);
  header.crc = crc32c(Bytes(header_page, kPageBytes).subspan(kSummedFrom));
  store(header_page, header);
  const uint64_t at = header.sequence % options_.double_write_batches * batch_bytes();
  TRY(write_file(fiber, handle_, at, Bytes(header_page, (pages.size() + 1) * kPageBytes)));
  Status synced = sync_file(fiber, handle_);
  if (synced.ok() || synced.is_halted()) return synced;
  return host_.fatal(cat("could not fsync the double-write area: ", synced.error().message));
}

void DoubleWrite::done(std::span<const Page> pages) {
  ++last_done_;
  std::vector<Written>& place = places_[last_done_ % options_.double_write_batches];
  CHECK(place.empty());
  for (const Page& page : pages) {
    if (!place.empty() && place.back().file == page.file) continue;  // pages come sorted by file
    DataFile* file = files_.find(page.file);
    if (file != nullptr) place.push_back({page.file, file->changes});
  }
}

Status DoubleWrite::close(Fiber& fiber) {
  return handle_ ? close_file(fiber, std::exchange(handle_, FileHandle())) : Status();
}

}  // namespace orrery
