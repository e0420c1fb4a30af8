#include "catalog/catalog.h"

#include <gtest/gtest.h>

#include "catalog/columns.h"
#include "catalog/expression_list.h"
#include "catalog/invalidation.h"
#include "catalog/memory_store.h"
#include "catalog/row_builder.h"
#include "fiber/test_host.h"

namespace orrery {
namespace {

// Runs `body` on a fiber with a catalog in memory.
class CatalogReading : public testing::Test {
 protected:
  template <class Body>
  void run(Body body) {
    TestHost host;
    Scheduler scheduler(host);
    bool done = false;
    scheduler.spawn("test", [&](Fiber& fiber) {
      const Status status = body(fiber);
      EXPECT_TRUE(status.ok()) << (status.ok() ? "" : status.error().message);
      done = true;
    });
    host.run(scheduler);
    EXPECT_TRUE(done);
  }

  // A table of int4 columns without storage, enough for readers.
  Status add_table(Fiber& fiber, Oid oid, Oid nsp, std::string_view name,
                   std::vector<std::string> columns) {
    const FactTable& classes = fact_table(pg_class::kRelation);
    const FactRow pattern = classes.row(classes.find(pg_namespace::kRelation).value());
    RowBuilder row(arena, pg_class::kRelation, pattern.view());
    row.set(pg_class::oid, oid).set(pg_class::relnamespace, nsp).set_name(pg_class::relname, name);
    row.set(pg_class::relhasindex, false).set(pg_class::reltoastrelid, kInvalidOid);
    row.set(pg_class::relfilenode, oid);
    TRY(store.insert(fiber, pg_class::kRelation, row.values()));
    const FactTable& attributes = fact_table(pg_attribute::kRelation);
    for (size_t i = 0; i < columns.size(); ++i) {
      RowBuilder column(arena, pg_attribute::kRelation, attributes.row(0).view());
      column.set(pg_attribute::attrelid, oid).set_name(pg_attribute::attname, columns[i]);
      column.set(pg_attribute::attnum, static_cast<int16_t>(i + 1))
          .set(pg_attribute::atttypid, Oid(23));
      TRY(store.insert(fiber, pg_attribute::kRelation, column.values()));
    }
    return {};
  }

  Arena arena;
  BuiltinCatalog builtin;
  CatalogCache cache{Oid(5)};
  MemoryStore store{cache};
};

TEST_F(CatalogReading, CatalogsDescribeThemselves) {
  run([&](Fiber& fiber) -> Status {
    CatalogReader reader(builtin, store);
    const SearchPath path{{kPgCatalogNamespace}, {}};
    const Oid oid = TRY(reader.find_relation(fiber, path, "pg_class"));
    EXPECT_EQ(oid, pg_class::kRelation);
    const RelationInfo* relation = TRY(reader.relation(fiber, oid));
    EXPECT_EQ(relation->columns.size(), static_cast<size_t>(pg_class::kColumns));
    EXPECT_EQ(relation->column_number("relname"), pg_class::relname);
    EXPECT_EQ(relation->column_number("ctid"), -1);
    EXPECT_EQ(relation->column_number("no_such"), 0);
    EXPECT_EQ(relation->nsp_name, "pg_catalog");
    EXPECT_EQ(relation->indexes.size(), 3u);
    EXPECT_EQ(relation->primary_key()->oid, kPgClassOidIndex);
    EXPECT_EQ(relation->index(kPgClassRelnameNspIndex)->column_names,
              (std::vector<std::string>{"relname", "relnamespace"}));
    EXPECT_NE(relation->index(kPgClassRelnameNspIndex)->storage.keys[0].compare, nullptr);
    EXPECT_EQ(relation->constraints.size(), 2u);
    return {};
  });
}

TEST_F(CatalogReading, ResolvesOverloadsAlongThePath) {
  run([&](Fiber& fiber) -> Status {
    CatalogReader reader(builtin, store);
    const std::string names[] = {"$user", "public"};
    const SearchPath path =
        TRY(reader.resolve_path(fiber, names, kBootstrapSuperuser, kInvalidOid));
    EXPECT_EQ(path.namespaces, (std::vector<Oid>{kPgCatalogNamespace, kPublicNamespace}));
    EXPECT_EQ(path.creation, kPublicNamespace);
    const FunctionCandidates absolutes = TRY(reader.functions(fiber, path, "abs"));
    EXPECT_EQ(absolutes.functions.size(), 6u);
    const OperatorCandidates pluses = TRY(reader.operators(fiber, path, "+"));
    EXPECT_GT(pluses.operators.size(), 30u);
    const CastInfo* cast = TRY(reader.cast(fiber, Oid(23), Oid(20)));
    EXPECT_EQ(cast->context, CastContext::implicit);
    const CastInfo* none = TRY(reader.cast(fiber, Oid(16), Oid(1082)));
    EXPECT_EQ(none, nullptr);
    return {};
  });
}

TEST_F(CatalogReading, FindsTheOperatorsOfAType) {
  run([&](Fiber& fiber) -> Status {
    CatalogReader reader(builtin, store);
    const TypeOperators int4 = TRY(reader.type_operators(fiber, Oid(23)));
    EXPECT_EQ(int4.lt, Oid(97));
    EXPECT_EQ(int4.eq, Oid(96));
    EXPECT_EQ(int4.gt, Oid(521));
    EXPECT_EQ(int4.compare, Oid(351));
    EXPECT_EQ(int4.hash_function, Oid(450));
    const TypeOperators varchar = TRY(reader.type_operators(fiber, Oid(1043)));
    EXPECT_EQ(varchar.eq, Oid(98));
    EXPECT_EQ(varchar.btree_input, Oid(25));
    const TypeOperators array = TRY(reader.type_operators(fiber, Oid(1007)));
    EXPECT_EQ(array.eq, Oid(1070));
    const TypeOperators point = TRY(reader.type_operators(fiber, Oid(600)));
    EXPECT_EQ(point.eq, kInvalidOid);
    const TypeOperators regclass = TRY(reader.type_operators(fiber, Oid(2205)));
    EXPECT_EQ(regclass.eq, Oid(607));
    return {};
  });
}

TEST_F(CatalogReading, PointersOutliveTheChangeAndTheReaderKnows) {
  run([&](Fiber& fiber) -> Status {
    TRY(add_table(fiber, Oid(20000), kPublicNamespace, "t", {"a", "b"}));
    auto reader = std::make_unique<CatalogReader>(builtin, store);
    const RelationInfo* before = TRY(reader->relation(fiber, Oid(20000)));
    EXPECT_EQ(before->columns.size(), 2u);
    EXPECT_EQ(before->storage.file, FileId(20000 * 4));
    EXPECT_TRUE(reader->is_current());

    RowBuilder column(arena, pg_attribute::kRelation,
                      fact_table(pg_attribute::kRelation).row(0).view());
    column.set(pg_attribute::attrelid, Oid(20000)).set_name(pg_attribute::attname, "c");
    column.set(pg_attribute::attnum, int16_t{3});
    TRY(store.insert(fiber, pg_attribute::kRelation, column.values()));
    EXPECT_FALSE(reader->is_current());
    EXPECT_EQ(before->columns.size(), 2u);

    CatalogReader later(builtin, store);
    const RelationInfo* after = TRY(later.relation(fiber, Oid(20000)));
    EXPECT_EQ(after->columns.size(), 3u);
    EXPECT_NE(before, after);
    EXPECT_TRUE(later.is_current());
    reader.reset();
    EXPECT_TRUE(later.is_current());
    return {};
  });
}

TEST_F(CatalogReading, ANameThatMeantNothingIsRememberedUntilItDoes) {
  run([&](Fiber& fiber) -> Status {
    CatalogReader reader(builtin, store);
    const Oid none = TRY(reader.relation_oid(fiber, kPublicNamespace, "later"));
    EXPECT_FALSE(none);
    EXPECT_TRUE(reader.is_current());
    TRY(add_table(fiber, Oid(20001), kPublicNamespace, "other", {"a"}));
    EXPECT_TRUE(reader.is_current());
    TRY(add_table(fiber, Oid(20002), kPublicNamespace, "later", {"a"}));
    EXPECT_FALSE(reader.is_current());
    const Oid found = TRY(reader.relation_oid(fiber, kPublicNamespace, "later"));
    EXPECT_EQ(found, Oid(20002));
    return {};
  });
}

TEST_F(CatalogReading, MembershipReachesThroughRoles) {
  run([&](Fiber& fiber) -> Status {
    CatalogReader reader(builtin, store);
    const Oid monitor = TRY(reader.role_oid(fiber, "pg_monitor"));
    const Oid stats = TRY(reader.role_oid(fiber, "pg_read_all_stats"));
    const bool down = TRY(reader.is_member(fiber, monitor, stats));
    const bool up = TRY(reader.is_member(fiber, stats, monitor));
    const bool superuser = TRY(reader.is_member(fiber, kBootstrapSuperuser, stats));
    EXPECT_TRUE(down);
    EXPECT_FALSE(up);
    EXPECT_TRUE(superuser);
    return {};
  });
}

TEST(Invalidations, SurviveTheCommitRecord) {
  const Invalidation sent[] = {{CacheKind::relation, Oid(5), 20000},
                               {CacheKind::role_name, kInvalidOid, name_key(kInvalidOid, "joe")}};
  std::string bytes;
  for (const Invalidation& what : sent) encode_invalidation(what, bytes);
  std::vector<Invalidation> received;
  auto receive = [&](const Invalidation& what) { received.push_back(what); };
  EXPECT_TRUE(decode_invalidations(as_bytes(bytes), receive).ok());
  EXPECT_EQ(received, std::vector<Invalidation>(std::begin(sent), std::end(sent)));
  EXPECT_TRUE(decode_invalidations(as_bytes("short"), receive).is(sqlstate::data_corrupted));
  EXPECT_TRUE(
      decode_invalidations(as_bytes("wrong kind..."), receive).is(sqlstate::data_corrupted));
}

TEST(ExpressionList, IsCutAtItsOwnCommasOnly) {
  EXPECT_EQ(split_expressions("lower(a), (b + f(c, 1))"),
            (std::vector<std::string>{"lower(a)", "(b + f(c, 1))"}));
  EXPECT_EQ(split_expressions("'a,b'::text, \"x,y\", E'\\',', ARRAY[1, 2]"),
            (std::vector<std::string>{"'a,b'::text", "\"x,y\"", "E'\\','", "ARRAY[1, 2]"}));
  EXPECT_TRUE(split_expressions("").empty());
}

}  // namespace
}  // namespace orrery
