#include "catalog/facts.h"

#include <gtest/gtest.h>
#include <set>

#include "base/text.h"

namespace orrery {
namespace {

template <class F>
void for_each_row(Oid relation, F use) {
  const FactTable& table = fact_table(relation);
  for (size_t i = 0; i < table.size(); ++i) {
    const FactRow row = table.row(i);
    use(row.view());
  }
}

// Every non-zero OID in `column` of `from` is a row of `to`.
void expect_references(Oid from, int16_t column, Oid to) {
  const FactTable& target = fact_table(to);
  for_each_row(from, [&](const CatalogRow& row) {
    const Oid oid = row.get<Oid>(column);
    EXPECT_TRUE(!oid || target.find(oid))
        << fact_table(from).name << " column " << column << " names " << oid.v;
  });
}

TEST(Facts, EveryRowTakesApartToItsLastByte) {
  size_t rows = 0;
  for (const FactTable& table : all_fact_tables()) {
    for (size_t i = 0; i < table.size(); ++i) {
      const FactRow row = table.row(i);
      for (size_t c = 0; c < table.columns.size(); ++c)
        EXPECT_FALSE(table.columns[c].not_null && row.nulls[c]) << table.name;
      ++rows;
    }
  }
  EXPECT_GT(rows, 9000u);
}

TEST(Facts, ColumnsOfEveryCatalogAreThoseInItsAttributeRows) {
  size_t columns = 0;
  for_each_row(pg_attribute::kRelation, [&](const CatalogRow& row) {
    const int16_t number = row.get<int16_t>(pg_attribute::attnum);
    const FactTable& classes = fact_table(pg_class::kRelation);
    const FactRow relation = classes.row(*classes.find(row.get<Oid>(pg_attribute::attrelid)));
    if (number < 1 || relation.view().get<char>(pg_class::relkind) != 'r') return;
    const FactTable& table = fact_table(row.get<Oid>(pg_attribute::attrelid));
    const FactColumn& column = table.columns[static_cast<size_t>(number - 1)];
    EXPECT_EQ(column.name, row.name(pg_attribute::attname));
    EXPECT_EQ(column.type, row.get<Oid>(pg_attribute::atttypid));
    EXPECT_EQ(column.by_value, row.get<bool>(pg_attribute::attbyval));
    ++columns;
  });
  size_t expected = 0;
  for (const FactTable& table : all_fact_tables()) expected += table.columns.size();
  EXPECT_EQ(columns, expected);
}

TEST(Facts, WhatAnyRowRefersToExists) {
  expect_references(pg_proc::kRelation, pg_proc::prorettype, pg_type::kRelation);
  expect_references(pg_proc::kRelation, pg_proc::provariadic, pg_type::kRelation);
  expect_references(pg_proc::kRelation, pg_proc::prolang, pg_language::kRelation);
  expect_references(pg_operator::kRelation, pg_operator::oprcode, pg_proc::kRelation);
  expect_references(pg_operator::kRelation, pg_operator::oprleft, pg_type::kRelation);
  expect_references(pg_operator::kRelation, pg_operator::oprright, pg_type::kRelation);
  expect_references(pg_operator::kRelation, pg_operator::oprresult, pg_type::kRelation);
  expect_references(pg_operator::kRelation, pg_operator::oprcom, pg_operator::kRelation);
  expect_references(pg_operator::kRelation, pg_operator::oprnegate, pg_operator::kRelation);
  expect_references(pg_cast::kRelation, pg_cast::castfunc, pg_proc::kRelation);
  expect_references(pg_cast::kRelation, pg_cast::castsource, pg_type::kRelation);
  expect_references(pg_cast::kRelation, pg_cast::casttarget, pg_type::kRelation);
  expect_references(pg_aggregate::kRelation, pg_aggregate::aggfnoid, pg_proc::kRelation);
  expect_references(pg_aggregate::kRelation, pg_aggregate::aggtransfn, pg_proc::kRelation);
  expect_references(pg_aggregate::kRelation, pg_aggregate::aggfinalfn, pg_proc::kRelation);
  expect_references(pg_aggregate::kRelation, pg_aggregate::aggtranstype, pg_type::kRelation);
  expect_references(pg_amop::kRelation, pg_amop::amopopr, pg_operator::kRelation);
  expect_references(pg_amop::kRelation, pg_amop::amopfamily, pg_opfamily::kRelation);
  expect_references(pg_amproc::kRelation, pg_amproc::amproc, pg_proc::kRelation);
  expect_references(pg_opclass::kRelation, pg_opclass::opcfamily, pg_opfamily::kRelation);
  expect_references(pg_opclass::kRelation, pg_opclass::opcintype, pg_type::kRelation);
  expect_references(pg_type::kRelation, pg_type::typinput, pg_proc::kRelation);
  expect_references(pg_type::kRelation, pg_type::typoutput, pg_proc::kRelation);
  expect_references(pg_type::kRelation, pg_type::typelem, pg_type::kRelation);
  expect_references(pg_type::kRelation, pg_type::typarray, pg_type::kRelation);
  expect_references(pg_type::kRelation, pg_type::typrelid, pg_class::kRelation);
  expect_references(pg_class::kRelation, pg_class::reltype, pg_type::kRelation);
  expect_references(pg_class::kRelation, pg_class::reltoastrelid, pg_class::kRelation);
  expect_references(pg_class::kRelation, pg_class::relnamespace, pg_namespace::kRelation);
  expect_references(pg_index::kRelation, pg_index::indrelid, pg_class::kRelation);
  expect_references(pg_constraint::kRelation, pg_constraint::conindid, pg_class::kRelation);
  for_each_row(pg_proc::kRelation, [](const CatalogRow& row) {
    const std::vector<Oid> types = row.oids(pg_proc::proargtypes);
    EXPECT_EQ(types.size(), static_cast<size_t>(row.get<int16_t>(pg_proc::pronargs)));
    for (Oid type : types) EXPECT_TRUE(fact_table(pg_type::kRelation).find(type));
    const size_t all = row.oids(pg_proc::proallargtypes).size();
    if (all != 0) EXPECT_EQ(all, row.chars(pg_proc::proargmodes).size());
  });
}

TEST(Facts, ArraysAndTextsReadBack) {
  const FactTable& functions = fact_table(pg_proc::kRelation);
  const FactRow parse_ident = functions.row(*functions.find(Oid(1268)));
  EXPECT_EQ(parse_ident.view().name(pg_proc::proname), "parse_ident");
  EXPECT_EQ(parse_ident.view().oids(pg_proc::proargtypes), (std::vector<Oid>{Oid(25), Oid(16)}));
  EXPECT_EQ(parse_ident.view().texts(pg_proc::proargnames),
            (std::vector<std::string_view>{"str", "strict"}));
  EXPECT_EQ(parse_ident.view().text(pg_proc::proargdefaults), "true");
  EXPECT_TRUE(parse_ident.view().is_null(pg_proc::proacl));
  const FactRow random = functions.row(*functions.find(Oid(1598)));
  EXPECT_EQ(random.view().oids(pg_proc::proargtypes), std::vector<Oid>());
  const FactTable& indexes = fact_table(pg_index::kRelation);
  const FactRow index = indexes.row(*indexes.find(kPgProcPronameArgsNspIndex));
  EXPECT_EQ(index.view().int2s(pg_index::indkey), (std::vector<int16_t>{2, 20, 3}));
}

TEST(Facts, LookupOrdersAreSorted) {
  const FactTable& functions = fact_table(pg_proc::kRelation);
  ASSERT_EQ(functions.order.size(), functions.size());
  std::set<uint16_t> seen(functions.order.begin(), functions.order.end());
  EXPECT_EQ(seen.size(), functions.size());
  for (size_t i = 1; i < functions.order.size(); ++i) {
    EXPECT_LE(functions.fixed_name(functions.order[i - 1], pg_proc::proname),
              functions.fixed_name(functions.order[i], pg_proc::proname));
  }
  for (const FactTable& table : all_fact_tables()) {
    for (size_t i = 1; i < table.size(); ++i)
      EXPECT_LE(table.fixed<uint32_t>(i - 1, 1), table.fixed<uint32_t>(i, 1)) << table.name;
  }
}

TEST(Facts, AccessListsNameRoles) {
  // pg_proc's own access list: the owner with everything, then everyone (role 0) with SELECT, 12
  // bytes each.
  const FactTable& classes = fact_table(pg_class::kRelation);
  const FactRow row = classes.row(*classes.find(pg_proc::kRelation));
  const std::string_view acl = row.view().value(pg_class::relacl).text();
  ASSERT_EQ(acl.size(), 20u + 2 * 12u);
  EXPECT_EQ(load<uint32_t>(acl.data() + 20), 10u);
  EXPECT_EQ(load<uint32_t>(acl.data() + 28), 0x7fu);
  EXPECT_EQ(load<uint32_t>(acl.data() + 32), 0u);
  EXPECT_EQ(load<uint32_t>(acl.data() + 40), 2u);
}

}  // namespace
}  // namespace orrery
