// Sizes of relations and databases on disk, and how sizes are written for people.
#include "base/text.h"
#include "catalog/columns.h"
#include "catalog/relation_info.h"
#include "catalog/relation_loader.h"
#include "func/catalog_call_internal.h"
#include "storage/file_id.h"

namespace orrery {
namespace {

using Size = Result<std::optional<int64_t>>;

// One relation's own file in one fork, or in all.
Result<int64_t> forks_size(SessionServices& services, Fiber& fiber, FileId file,
                           std::string_view fork) {
  if (file == FileId{}) return int64_t{0};
  constexpr std::pair<std::string_view, Fork> kForks[] = {{"main", Fork::main},
                                                          {"fsm", Fork::free_space},
                                                          {"vm", Fork::visibility},
                                                          {"init", Fork::init}};
  int64_t sum = 0;
  bool known = fork.empty();
  for (const auto& [name, number] : kForks) {
    if (!fork.empty() && fork != name) continue;
    known = true;
    sum += TRY(services.file_size(fiber, with_fork(file, number)));
  }
  if (!known) {
    return raise(sqlstate::invalid_parameter_value, "invalid fork name")
        .hint("Valid fork names are \"main\", \"fsm\", \"vm\", and \"init\".");
  }
  return sum;
}

enum class Part : uint8_t { fork, table, indexes, total };

Size relation_size(Call& call, Oid oid, Part part, std::string_view fork = {}) {
  SessionServices* const services = TRY(services_of(call));
  Fiber& fiber = call.context.fiber;
  CatalogReader catalog(services->builtin(), services->rows());
  const RelationInfo* const info = TRY(catalog.relation(fiber, oid));
  if (info == nullptr) return std::optional<int64_t>();
  int64_t sum = 0;
  if (part == Part::fork) {
    sum = TRY(forks_size(*services, fiber, info->storage.file, fork));
    return std::optional<int64_t>(sum);
  }
  if (part != Part::indexes) {
    sum += TRY(forks_size(*services, fiber, info->storage.file, {}));
    if (info->storage.toast) {
      sum += TRY(forks_size(*services, fiber, info->storage.toast->heap, {}));
      sum += TRY(forks_size(*services, fiber, info->storage.toast->index, {}));
    }
  }
  if (part == Part::indexes || part == Part::total) {
    for (const CatalogIndex& index : info->indexes) {
      if (info->kind == 'i') break;
      sum += TRY(forks_size(*services, fiber, index.storage.file, {}));
    }
  }
  return std::optional<int64_t>(sum);
}

// The sum over its relations; what all databases share counts for none.
Size database_size(Call& call, Oid oid) {
  SessionServices* const services = TRY(services_of(call));
  Fiber& fiber = call.context.fiber;
  CatalogReader catalog(services->builtin(), services->rows());
  const DatabaseInfo* const info = TRY(catalog.database(fiber, oid));
  if (info == nullptr) return std::optional<int64_t>();
  const std::unique_ptr<CatalogSource> rows = TRY(services->rows_of(fiber, oid));
  if (rows == nullptr) return std::optional<int64_t>(0);
  std::vector<FileId> files;
  TRY(rows->scan(
      fiber, pg_class::kRelation, kInvalidOid, {}, [&](const CatalogRow& row, Tid) -> Status {
        using namespace pg_class;
        const char kind = row.get<char>(relkind);
        const bool stored = kind == 'r' || kind == 'i' || kind == 't' || kind == 'S' || kind == 'm';
        if (!stored || row.get<bool>(relisshared)) return {};
        files.push_back(
            relation_file(oid, row.get<Oid>(pg_class::oid), row.get<Oid>(relfilenode), false));
        return {};
      }));
  int64_t sum = 0;
  for (FileId file : files) sum += TRY(forks_size(*services, fiber, file, {}));
  return std::optional<int64_t>(sum);
}

struct Unit {
  std::string_view name;
  int64_t limit;  // up to here this unit is shown
  bool round;     // half of the last bit is to be rounded
  int bits;       // of the unit
};
constexpr Unit kUnits[] = {{"bytes", 10 * 1024, false, 0},  {"kB", 20 * 1024 - 1, true, 10},
                           {"MB", 20 * 1024 - 1, true, 20}, {"GB", 20 * 1024 - 1, true, 30},
                           {"TB", 20 * 1024 - 1, true, 40}, {"PB", 20 * 1024 - 1, true, 50}};

int64_t half_rounded(int64_t value) { return (value + (value < 0 ? -1 : 1)) / 2; }
uint64_t magnitude(int64_t value) {
  return value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
}

// The largest unit in which at least 10 are left; one bit is kept for rounding.
std::string pretty(int64_t size) {
  for (size_t i = 0; i < std::size(kUnits); ++i) {
    const Unit& unit = kUnits[i];
    if (i + 1 == std::size(kUnits) || magnitude(size) < static_cast<uint64_t>(unit.limit)) {
      if (unit.round) size = half_rounded(size);
      return cat(size, " ", unit.name);
    }
    const int bits =
        kUnits[i + 1].bits - unit.bits - (kUnits[i + 1].round ? 1 : 0) + (unit.round ? 1 : 0);
    size /= int64_t{1} << bits;
  }
  UNREACHABLE();
}

constexpr auto kTable = sorted_by_name(std::to_array<FunctionBody>({
    body("pg_relation_size", lift([](Call& call, Oid oid, std::string_view fork) {
           return relation_size(call, oid, Part::fork, fork);
         })),
    body("pg_table_size",
         lift([](Call& call, Oid oid) { return relation_size(call, oid, Part::table); })),
    body("pg_indexes_size",
         lift([](Call& call, Oid oid) { return relation_size(call, oid, Part::indexes); })),
    body("pg_total_relation_size",
         lift([](Call& call, Oid oid) { return relation_size(call, oid, Part::total); })),
    body("pg_database_size_oid",
         lift([](Call& call, Oid oid) { return database_size(call, oid); })),
    body("pg_database_size_name", lift([](Call& call, Name name) -> Size {
           SessionServices* const services = TRY(services_of(call));
           CatalogReader catalog(services->builtin(), services->rows());
           const Oid oid = TRY(catalog.database_oid(call.context.fiber, name.text));
           if (!oid) {
             return raise(sqlstate::undefined_database,
                          cat("database \"", name.text, "\" does not exist"));
           }
           return database_size(call, oid);
         })),
    body("pg_size_pretty", lift([](int64_t size) { return pretty(size); })),
    body("pg_relation_filenode", lift([](Call& call, Oid oid) -> Result<std::optional<Oid>> {
           SessionServices* const services = TRY(services_of(call));
           CatalogReader catalog(services->builtin(), services->rows());
           const RelationInfo* const info = TRY(catalog.relation(call.context.fiber, oid));
           if (info == nullptr || info->storage.file == FileId{}) return std::optional<Oid>();
           return std::optional<Oid>(Oid(static_cast<uint32_t>(file_number(info->storage.file))));
         })),
}));

constexpr FunctionBody kByOid[] = {
    {.oid = Oid(2325), .kernel = lift([](Call& call, Oid oid) {
                         return relation_size(call, oid, Part::fork, "main");
                       })},
};

}  // namespace

std::span<const FunctionBody> size_functions() { return kTable; }
std::span<const FunctionBody> size_functions_by_oid() { return kByOid; }

}  // namespace orrery
