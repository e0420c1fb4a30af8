#include "catalog/bootstrap.h"

#include <gtest/gtest.h>

#include "access/btree.h"
#include "catalog/catalog.h"
#include "catalog/heap_store.h"
#include "catalog/writer.h"
#include "txn/test_node.h"

namespace orrery {
namespace {

// A node with a catalog over it, as main composes it.
struct CatalogNode {
  explicit CatalogNode(TestNode& node)
      : access(node.storage, node.transactions), transactions(node.transactions) {
    node.transactions.add_listener(catalogs);
  }
  DatabaseCatalog& postgres() { return catalogs.database(kPostgresDatabase); }

  Access access;
  TransactionManager& transactions;
  NodeCatalog catalogs;
};

// A session that does one thing after the other.
struct TestSession {
  TestSession(CatalogNode& on, int32_t pid) : node(on), owner(on.access.locks(), pid) {}
  void begin() {
    transaction = node.transactions.begin(owner);
    store = std::make_unique<HeapStore>(node.postgres(), node.access, transaction.get());
  }
  Status commit(Fiber& fiber) {
    Status status = node.transactions.commit(fiber, *transaction);
    store.reset();
    transaction.reset();
    return status;
  }
  Status abort(Fiber& fiber) {
    Status status = node.transactions.abort(fiber, *transaction);
    store.reset();
    transaction.reset();
    return status;
  }
  // Outside of a transaction.
  Result<Oid> lookup(Fiber& fiber, std::string_view name) {
    HeapStore reading(node.postgres(), node.access, transaction.get());
    CatalogSource& source = store != nullptr ? *store : reading;
    CatalogReader reader(node.catalogs.builtin(), source);
    return reader.relation_oid(fiber, kPublicNamespace, name);
  }
  Result<Oid> create_table(Fiber& fiber, std::string_view name) {
    CatalogReader reader(node.catalogs.builtin(), *store);
    CatalogWriter writer(*store, reader);
    NewRelation table;
    table.oid = TRY(store->new_oid(fiber));
    table.name = name;
    table.nsp = kPublicNamespace;
    table.owner = kBootstrapSuperuser;
    TRY(node.transactions.assign_xid(fiber, *transaction));
    const FileId file = TRY(node.access.storage().create_file(fiber, transaction->xid()));
    transaction->created_file(file);
    table.file = Oid(static_cast<uint32_t>(file_number(file)));
    NewColumn column;
    column.name = "a";
    column.type = Oid(23);
    table.columns = {column};
    TRY(writer.create_relation(fiber, table));
    return table.oid;
  }

  CatalogNode& node;
  LockOwner owner;
  std::unique_ptr<Transaction> transaction;
  std::unique_ptr<HeapStore> store;
};

NodeDisk big_disk() {
  NodeDisk disk;
  disk.options.pool_pages = 4096;
  disk.options.log.segment_bytes = 16 << 20;
  return disk;
}

// Every row of the facts is found in the heap, and every index of the catalogs is sound.
Status check_catalogs(Fiber& fiber, CatalogNode& node) {
  HeapStore store(node.postgres(), node.access, nullptr);
  for (const FactTable& facts : all_fact_tables()) {
    size_t rows = 0;
    TRY(store.scan(fiber, facts.relation, kInvalidOid, {},
                   [&](const CatalogRow& row, Tid) -> Status {
                     EXPECT_EQ(row.values.size(), facts.columns.size());
                     ++rows;
                     return {};
                   }));
    EXPECT_GE(rows, facts.size()) << facts.name;
    for (const CatalogTable::Index& index : node.postgres().tables.table(facts.relation).indexes) {
      BTree tree(node.access, index.info);
      TRY(tree.check(fiber));
      const BTree::Shape shape = TRY(tree.shape(fiber));
      EXPECT_GE(shape.entries, facts.size()) << index.info.name;
    }
  }
  return {};
}

TEST(Bootstrap, FillsANewNodeAndIsThereAfterARestart) {
  NodeDisk disk = big_disk();
  live_ok(disk, [](Fiber& fiber, TestNode& test) -> Status {
    CatalogNode node(test);
    TRY(bootstrap_node(fiber, node.catalogs, node.access));
    return check_catalogs(fiber, node);
  });
  live_ok(disk, [](Fiber& fiber, TestNode& test) -> Status {
    CatalogNode node(test);
    TRY(bootstrap_node(fiber, node.catalogs, node.access));
    return check_catalogs(fiber, node);
  });
}

TEST(Bootstrap, StartsAgainAfterACrashOnTheWay) {
  NodeDisk disk = big_disk();
  {
    TestNode test(disk);
    const Status status = test.live([](Fiber& fiber, TestNode& alive) -> Status {
      CatalogNode node(alive);
      LockOwner owner(node.access.locks(), 0);
      const auto transaction = node.transactions.begin(owner);
      TRY(node.transactions.assign_xid(fiber, *transaction));
      TRY(fill_database(fiber, node.postgres(), node.access, *transaction));
      TRY(node.access.storage().checkpoint(fiber));
      TRY(node.transactions.abort(fiber, *transaction));
      return raise_halted();
    });
    EXPECT_TRUE(status.is_halted());
  }
  live_ok(disk, [](Fiber& fiber, TestNode& test) -> Status {
    CatalogNode node(test);
    TRY(bootstrap_node(fiber, node.catalogs, node.access));
    return check_catalogs(fiber, node);
  });
}

TEST(CatalogTransactions, ATableIsItsMakersUntilTheCommitAndNobodysAfterARollback) {
  NodeDisk disk = big_disk();
  live_ok(disk, [](Fiber& fiber, TestNode& test) -> Status {
    CatalogNode node(test);
    TRY(bootstrap_node(fiber, node.catalogs, node.access));
    TestSession maker(node, 1), other(node, 2);
    // The other one asks first: that the name means nothing is remembered.
    const Oid nothing = TRY(other.lookup(fiber, "t"));
    EXPECT_FALSE(nothing);
    maker.begin();
    const Oid table = TRY(maker.create_table(fiber, "t"));
    const Oid seen_by_maker = TRY(maker.lookup(fiber, "t"));
    EXPECT_EQ(seen_by_maker, table);
    const Oid seen_by_other = TRY(other.lookup(fiber, "t"));
    EXPECT_FALSE(seen_by_other);
    TRY(maker.commit(fiber));
    const Oid seen_after = TRY(other.lookup(fiber, "t"));
    EXPECT_EQ(seen_after, table);

    maker.begin();
    TRY(maker.create_table(fiber, "u"));
    TRY(maker.abort(fiber));
    const Oid rolled_back = TRY(maker.lookup(fiber, "u"));
    EXPECT_FALSE(rolled_back);
    return {};
  });
}

TEST(CatalogTransactions, ACommitRetiresWhatOthersRead) {
  NodeDisk disk = big_disk();
  live_ok(disk, [](Fiber& fiber, TestNode& test) -> Status {
    CatalogNode node(test);
    TRY(bootstrap_node(fiber, node.catalogs, node.access));
    TestSession maker(node, 1);
    maker.begin();
    const Oid table = TRY(maker.create_table(fiber, "t"));
    TRY(maker.commit(fiber));

    HeapStore reading(node.postgres(), node.access, nullptr);
    CatalogReader reader(node.catalogs.builtin(), reading);
    const RelationInfo* before = TRY(reader.relation(fiber, table));
    EXPECT_EQ(before->columns.size(), 1u);
    maker.begin();
    {
      CatalogReader own(node.catalogs.builtin(), *maker.store);
      CatalogWriter writer(*maker.store, own);
      NewColumn column;
      column.name = "b";
      column.type = Oid(25);
      column.collation = kDefaultCollation;
      const RelationInfo* relation = TRY(own.relation(fiber, table));
      TRY(writer.add_column(fiber, *relation, column));
      EXPECT_TRUE(reader.is_current());
      const RelationInfo* with_own = TRY(own.relation(fiber, table));
      EXPECT_EQ(with_own->columns.size(), 2u);
    }
    TRY(maker.commit(fiber));
    EXPECT_FALSE(reader.is_current());
    EXPECT_EQ(before->columns.size(), 1u);
    const RelationInfo* after = TRY(reader.relation(fiber, table));
    EXPECT_EQ(after->columns.size(), 2u);
    EXPECT_EQ(after->columns[1].name, "b");
    return {};
  });
}

TEST(CatalogTransactions, ASecondRowOfOneNameIsRefused) {
  NodeDisk disk = big_disk();
  live_ok(disk, [](Fiber& fiber, TestNode& test) -> Status {
    CatalogNode node(test);
    TRY(bootstrap_node(fiber, node.catalogs, node.access));
    TestSession session(node, 1);
    session.begin();
    TRY(session.create_table(fiber, "t"));
    const Result<Oid> second = session.create_table(fiber, "t");
    EXPECT_TRUE(second.status().is(sqlstate::unique_violation));
    EXPECT_EQ(second.status().error().message,
              "duplicate key value violates unique constraint \"pg_class_relname_nsp_index\"");
    EXPECT_EQ(second.status().error().detail,
              "Key (relname, relnamespace)=(t, 2200) already exists.");
    return session.abort(fiber);
  });
}

}  // namespace
}  // namespace orrery
