#include "storage/page.h"

#include "base/crc32c.h"
#include "base/plant.h"
#include "base/text.h"

namespace orrery {
namespace {

constexpr size_t kChecksumAt = offsetof(PageHeader, checksum);

std::string what_is_invalid(FileId file, BlockNo block) {
  return cat("invalid page in block ", block, " of relation ", file_path(file));
}

}  // namespace

bool is_zero_page(ConstPageBytes page) {
  // A page's first word is its LSN, so pages in use are told apart at once.
  for (size_t at = 0; at < kPageBytes; at += 8) {
    if (load<uint64_t>(page.data() + at) != 0) return false;
  }
  return true;
}

void init_page(PageBytes page, FileId file, BlockNo block, PageKind kind, uint16_t special_bytes) {
  CHECK(special_bytes <= kPageBytes - kPageHeaderBytes);
  std::memset(page.data(), 0, kPageBytes);
  PageHeader& header = page_header(page.data());
  header.format = kPageFormat;
  header.file = file.v;
  header.block = block.v;
  header.kind = static_cast<uint8_t>(kind);
  header.lower = kPageHeaderBytes;
  header.upper = static_cast<uint16_t>(kPageBytes - special_bytes);
  header.special = header.upper;
}

uint32_t page_checksum(ConstPageBytes page, FileId file, BlockNo block) {
  struct {
    uint64_t file;
    uint32_t block, zero;
  } const address{PLANTED(b10_checksum_without_address) ? 0 : file.v,
                  PLANTED(b10_checksum_without_address) ? 0 : block.v, 0};
  uint32_t crc = crc32c(std::as_bytes(std::span(&address, 1)));
  crc = crc32c(page.first(kChecksumAt), crc);
  constexpr std::array<std::byte, 4> kZero{};
  crc = crc32c(kZero, crc);
  return crc32c(page.subspan(kChecksumAt + 4), crc);
}

void stamp_for_write(PageBytes copy, FileId file, BlockNo block, Lsn committed) {
  if (is_zero_page(copy)) return;
  PageHeader& header = page_header(copy.data());
  CHECK(header.format == kPageFormat);
  CHECK(header.file == file.v);
  CHECK(header.block == block.v);
  CHECK(Lsn(header.lsn) < committed);
  header.checksum = page_checksum(copy, file, block);
}

Status accept_after_read(ConstPageBytes page, FileId file, BlockNo block) {
  const PageHeader& header = page_header(page.data());
  const uint32_t sum = page_checksum(page, file, block);
  if (header.checksum != sum) {
    if (is_zero_page(page)) return {};
    return raise(sqlstate::data_corrupted, what_is_invalid(file, block))
        .detail(cat("Stored checksum is ", header.checksum, " but the page sums to ", sum, "."));
  }
  const bool is_here = header.file == file.v && header.block == block.v;
  if (!is_here && !PLANTED(b10_checksum_without_address)) {
    return raise(sqlstate::data_corrupted, what_is_invalid(file, block))
        .detail(cat("The page says it is block ", header.block, " of ",
                    file_path(FileId(header.file)), "."));
  }
  if (header.format != kPageFormat || header.key_id != 0) {
    return raise(sqlstate::data_corrupted, what_is_invalid(file, block))
        .detail(cat("Its format ", header.format, ", key ", header.key_id,
                    " is not one this build reads."));
  }
  return {};
}

}  // namespace orrery
