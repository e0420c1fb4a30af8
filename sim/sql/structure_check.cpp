#include "sim/sql/structure_check.h"

#include <map>

#include "access/btree.h"
#include "access/table_scan.h"
#include "access/visibility_map.h"
#include "base/text.h"
#include "catalog/catalog.h"
#include "catalog/facts.h"
#include "catalog/heap_store.h"

namespace orrery {
namespace {

constexpr Oid kPgClass{1259};

class StructureCheck {
 public:
  StructureCheck(NodeParts& node, Oid database)
      : node_(node),
        access_(node.access),
        store_(node.catalog.database(database), node.access, nullptr),
        reader_(node.catalog.builtin(), store_),
        now_(node.transactions, node.transactions.take_snapshot(nullptr)) {}

  Status run(Fiber& fiber) {
    std::vector<Oid> relations;
    TRY(store_.scan(fiber, kPgClass, Oid(), {}, [&](const CatalogRow& row, Tid) -> Status {
      relations.push_back(row.get<Oid>(1));
      return {};
    }));
    std::ranges::sort(relations);
    for (const Oid oid : relations) {
      if (!findings_.first.empty()) break;
      const RelationInfo* relation = TRY(reader_.relation(fiber, oid));
      if (relation == nullptr) {
        wrong(cat("relation ", oid, " is in pg_class and cannot be loaded"));
        break;
      }
      if (relation->kind == 'r' || relation->kind == 't' || relation->kind == 'm') {
        TRY(check_table(fiber, *relation));
      }
    }
    return {};
  }
  StructureFindings take() { return std::move(findings_); }

 private:
  struct Seen {
    uint32_t row = 0;  // in the order of the scan
    uint32_t found = 0;
  };
  // The rows that the snapshot sees.
  struct Rows {
    explicit Rows(size_t columns) : values(columns) {}
    std::map<Tid, Seen> by_tid;
    std::map<BlockNo, uint32_t> visible, versions;   // how many on each block
    std::vector<std::vector<NullableDatum>> values;  // by column, then row
    Arena arena;
  };

  void wrong(std::string what) {
    if (findings_.first.empty()) findings_.first = std::move(what);
  }

  Status check_table(Fiber& fiber, const RelationInfo& relation) {
    const TableInfo& table = relation.storage;
    const bool has_file = TRY(node_.access.storage().file_exists(fiber, table.file));
    if (!has_file) {
      wrong(cat("table ", relation.name, " has no file"));
      return {};
    }
    counts_ = relation.oid >= kFirstUserOid && relation.kind != 't';
    findings_.tables += counts_ ? 1 : 0;
    Rows rows(table.desc.columns.size());
    TRY(read_rows(fiber, table, rows));
    if (counts_) findings_.rows += rows.by_tid.size();
    TRY(check_map(fiber, table, rows));
    for (const CatalogIndex& index : relation.indexes) {
      if (!index.valid || !index.ready || !findings_.first.empty()) continue;
      TRY(check_index(fiber, relation, index, rows));
    }
    return {};
  }

  Status read_rows(Fiber& fiber, const TableInfo& table, Rows& rows) {
    std::vector<int16_t> wanted;
    for (size_t i = 0; i < table.desc.columns.size(); ++i) {
      if (!table.desc.columns[i].dropped) wanted.push_back(static_cast<int16_t>(i));
    }
    std::vector<Tid> tids(kBatchRows);
    {
      TableScan scan(access_, table, now_, wanted);
      std::vector<Vector> columns = vectors(wanted.size(), rows.arena);
      while (true) {
        const uint32_t count = TRY(scan.next(fiber, columns, rows.arena, tids.data()));
        if (count == 0) break;
        for (uint32_t i = 0; i < count; ++i) take_row(rows, wanted, columns, i, tids[i]);
      }
    }
    Arena scratch;
    std::vector<Vector> none = vectors(0, scratch);
    TableScan all(access_, table, now_, {}, {.kind = SnapshotKind::any});
    while (true) {
      const uint32_t count = TRY(all.next(fiber, none, scratch, tids.data()));
      if (count == 0) return {};
      for (uint32_t i = 0; i < count; ++i) ++rows.versions[tids[i].block];
      scratch.reset();
    }
  }

  static std::vector<Vector> vectors(size_t count, Arena& arena) {
    std::vector<Vector> made;
    for (size_t i = 0; i < count; ++i) made.push_back(Vector::make(arena));
    return made;
  }

  void take_row(Rows& rows, const std::vector<int16_t>& wanted, const std::vector<Vector>& columns,
                uint32_t i, Tid tid) {
    const auto row = static_cast<uint32_t>(rows.by_tid.size());
    if (!rows.by_tid.emplace(tid, Seen{row, 0}).second) wrong("a scan returned a row twice");
    ++rows.visible[tid.block];
    for (size_t c = 0; c < wanted.size(); ++c) {
      rows.values[static_cast<size_t>(wanted[c])].push_back(columns[c].at(i));
    }
  }

  Status check_map(Fiber& fiber, const TableInfo& table, const Rows& rows) {
    for (const auto& [block, versions] : rows.versions) {
      const bool all_visible = TRY(test_all_visible(fiber, access_, table.file, block));
      const auto seen = rows.visible.find(block);
      const uint32_t visible = seen == rows.visible.end() ? 0 : seen->second;
      if (all_visible && visible != versions) {
        wrong(cat("block ", block, " of ", table.name, " counts as all-visible, but of ", versions,
                  " row versions ", visible, " are seen"));
      }
    }
    return {};
  }

  Status check_index(Fiber& fiber, const RelationInfo& relation, const CatalogIndex& index,
                     Rows& rows) {
    findings_.indexes += counts_ ? 1 : 0;
    const Status tree = BTree(access_, index.storage).check(fiber);
    if (tree.is(sqlstate::index_corrupted)) {
      wrong(cat(tree.error().message, ": ", tree.error().detail));
      return {};
    }
    TRY(tree.clone());
    for (auto& [tid, seen] : rows.by_tid) seen.found = 0;
    std::vector<int16_t> keys;
    for (int16_t i = 0; i < index.keys; ++i) keys.push_back(i);
    IndexScan scan(access_, index.storage, ScanDirection::forward, keys);
    scan.start({});
    TableFetch fetch(access_, relation.storage, {});
    Arena arena;
    std::vector<Vector> columns = vectors(keys.size(), arena);
    std::vector<Tid> tids(kBatchRows);
    while (true) {
      const uint32_t count = TRY(scan.next(fiber, kBatchRows, tids.data(), columns, &arena));
      if (count == 0) break;
      for (uint32_t i = 0; i < count && findings_.first.empty(); ++i) {
        TRY(check_entry(fiber, index, fetch, tids[i], columns, i, rows));
      }
    }
    if (!index.predicate.empty()) return {};
    for (const auto& [tid, seen] : rows.by_tid) {
      if (seen.found == 1) continue;
      wrong(cat("row (", tid.block, ",", tid.slot, ") of ", relation.name, " has ", seen.found,
                " entries in index ", index.name));
    }
    return {};
  }

  Status check_entry(Fiber& fiber, const CatalogIndex& index, TableFetch& fetch, Tid tid,
                     const std::vector<Vector>& keys, uint32_t entry, Rows& rows) {
    Arena arena;
    std::vector<Vector> none;
    Tid found;
    const TableFetch::Fetched fetched =
        TRY(fetch.fetch(fiber, now_, SnapshotKind::mvcc, FetchMode::index_entry, {&tid, 1}, none, 0,
                        arena, &found, nullptr, nullptr));
    if (fetched.rows == 0) return {};  // an entry of dead versions
    const auto row = rows.by_tid.find(found);
    if (row == rows.by_tid.end()) {
      wrong(cat("index ", index.name, " finds a row that a scan does not"));
      return {};
    }
    ++row->second.found;
    for (size_t k = 0; k < keys.size(); ++k) {
      const int16_t column = index.columns[k];
      if (column <= 0) continue;  // an expression
      const NullableDatum stored = rows.values[static_cast<size_t>(column - 1)][row->second.row];
      if (!is_equal(index, k, keys[k].at(entry), stored)) {
        wrong(cat("an entry of index ", index.name, " for (", tid.block, ",", tid.slot,
                  ") leads to row (", found.block, ",", found.slot, "), which has another key"));
      }
    }
    return {};
  }

  static bool is_equal(const CatalogIndex& index, size_t k, NullableDatum a, NullableDatum b) {
    if (a.is_null || b.is_null) return a.is_null == b.is_null;
    const ColumnDesc& column = index.storage.desc.columns[k];
    const bool is_varlena = column.length == -1;
    if (is_varlena && !varlena_is_plain(b.value.as<const void*>())) return true;  // not looked into
    return index.storage.keys[k].compare(a.value, b.value) == 0;
  }

  NodeParts& node_;
  Access& access_;
  HeapStore store_;
  CatalogReader reader_;
  const RegisteredSnapshot now_;
  bool counts_ = false;  // the table at hand is a user's
  StructureFindings findings_;
};

}  // namespace

Result<StructureFindings> check_structure(Fiber& fiber, NodeParts& node, Oid database) {
  StructureCheck check(node, database);
  TRY(check.run(fiber));
  return check.take();
}

}  // namespace orrery
