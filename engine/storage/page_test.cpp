#include "storage/page.h"

#include <gtest/gtest.h>

namespace orrery {
namespace {

struct AlignedPage {
  alignas(8) std::array<std::byte, kPageBytes> bytes{};
  PageBytes span() { return PageBytes(bytes); }
};

AlignedPage written(FileId file, BlockNo block) {
  AlignedPage page;
  init_page(page.span(), file, block, PageKind::test, 16);
  page_header(page.bytes.data()).lsn = 500;
  page.bytes[5000] = std::byte{7};
  stamp_for_write(page.span(), file, block, Lsn(501));
  return page;
}

TEST(Page, IsAcceptedOnlyAtItsOwnAddress) {
  const FileId file = make_file_id(16384);
  AlignedPage page = written(file, BlockNo(3));
  EXPECT_TRUE(accept_after_read(page.span(), file, BlockNo(3)).ok());
  EXPECT_EQ(accept_after_read(page.span(), file, BlockNo(4)).error().message,
            "invalid page in block 4 of relation data/16384");
  EXPECT_FALSE(accept_after_read(page.span(), with_fork(file, Fork::visibility), BlockNo(3)).ok());
}

TEST(Page, AnyFlippedBitIsNoticed) {
  const FileId file = make_file_id(16384);
  AlignedPage page = written(file, BlockNo(3));
  for (size_t bit = 0; bit < kPageBytes * 8; bit += 37) {
    page.bytes[bit / 8] ^= std::byte(1 << bit % 8);
    EXPECT_FALSE(accept_after_read(page.span(), file, BlockNo(3)).ok()) << bit;
    page.bytes[bit / 8] ^= std::byte(1 << bit % 8);
  }
}

TEST(Page, ZerosAreAPageThatWasNeverUsed) {
  AlignedPage page;
  EXPECT_TRUE(is_zero_page(page.span()));
  EXPECT_TRUE(accept_after_read(page.span(), make_file_id(1), BlockNo(0)).ok());
  page.bytes[8191] = std::byte{1};
  EXPECT_FALSE(is_zero_page(page.span()));
  EXPECT_TRUE(
      accept_after_read(page.span(), make_file_id(1), BlockNo(0)).is(sqlstate::data_corrupted));
}

TEST(FileId, NamesAndNumbersAgree) {
  for (const Fork fork : {Fork::main, Fork::free_space, Fork::visibility, Fork::init}) {
    const FileId file = make_file_id(1259, fork);
    EXPECT_EQ(file_id_of_name(file_path(file).substr(5)), file);
  }
  EXPECT_EQ(file_path(make_file_id(1259, Fork::visibility)), "data/1259_vm");
  for (const std::string_view bad : {"", "0", "01", "12x", "12_", "_vm", "1234567890123456789"}) {
    EXPECT_EQ(file_id_of_name(bad), FileId()) << bad;
  }
}

}  // namespace
}  // namespace orrery
