// Parse nodes of statements that define what a database holds: tables, indexes, views, sequences,
// types, functions, ...
#pragma once

#include "sql/queries.h"

namespace orrery {

// What COMMENT, DROP, RENAME, GRANT and so on are about.
enum class ObjectType : uint8_t {
  access_method,
  aggregate,
  attribute,
  cast,
  column,
  collation,
  conversion,
  database,
  default_,
  domain,
  domconstraint,
  event_trigger,
  extension,
  fdw,
  foreign_server,
  foreign_table,
  function,
  index,
  language,
  largeobject,
  matview,
  opclass,
  operator_,
  opfamily,
  parameter_acl,
  policy,
  procedure,
  publication,
  role,
  routine,
  rule,
  schema,
  sequence,
  subscription,
  statistic_ext,
  tabconstraint,
  table,
  tablespace,
  transform,
  trigger,
  tsconfiguration,
  tsdictionary,
  tsparser,
  tstemplate,
  type,
  user_mapping,
  view,
};
enum class DropBehavior : uint8_t { restrict_, cascade };

enum class RoleSpecType : uint8_t { cstring, current_role, current_user, session_user, public_ };
struct RoleSpec : NodeOf<NodeTag::RoleSpec> {
  RoleSpecType roletype = RoleSpecType::cstring;
  Name rolename;  // of cstring
};

// An option: name = value in lists of WITH (...), and what a clause of a utility statement was
// reduced to.
enum class DefElemAction : uint8_t { unspec, set, add, drop };
struct DefElem : NodeOf<NodeTag::DefElem> {
  Name defnamespace;  // toast.x
  Name defname;
  const Node* arg =
      nullptr;  // String, Integer, Float, Boolean, TypeName, List, A_Star, ...; null: no value
  DefElemAction defaction = DefElemAction::unspec;
};

enum class FunctionParameterMode : uint8_t { in, out, inout, variadic, table, default_ };
struct FunctionParameter : NodeOf<NodeTag::FunctionParameter> {
  Name name;
  const TypeName* arg_type = nullptr;
  FunctionParameterMode mode = FunctionParameterMode::default_;
  const Node* defexpr = nullptr;  // may be null
};
// A function, aggregate or operator named with its argument types; for a prefix operator the first
// is null.
struct ObjectWithArgs : NodeOf<NodeTag::ObjectWithArgs> {
  Names objname;
  ListOf<TypeName> objargs;  // entries may be null (NONE)
  ListOf<FunctionParameter> objfuncargs;
  bool args_unspecified = false;  // no argument list was given
};

enum class ConstrType : uint8_t {
  null,
  notnull,
  default_,
  identity,
  generated,
  check,
  primary,
  unique,
  exclusion,
  foreign,
  attr_deferrable,
  attr_not_deferrable,
  attr_deferred,
  attr_immediate,  // stand after the constraint they modify
};
enum class FkMatchType : uint8_t { simple, partial, full };
enum class FkAction : uint8_t { no_action, restrict_, cascade, set_null, set_default };
struct ExclusionElem : NodeOf<NodeTag::ExclusionElem> {
  const IndexElem* element = nullptr;
  Names operator_name;
};
struct Constraint : NodeOf<NodeTag::Constraint> {
  ConstrType contype = ConstrType::null;
  Name conname;
  bool deferrable = false;
  bool initdeferred = false;
  bool skip_validation = false;  // NOT VALID
  bool initially_valid = true;
  bool is_no_inherit = false;
  const Node* raw_expr = nullptr;   // of check, default_, generated; else null
  bool generated_always = false;    // of identity and generated
  bool nulls_not_distinct = false;  // of unique
  Names keys;                       // of primary, unique
  Names including;
  ListOf<ExclusionElem> exclusions;
  ListOf<DefElem> options;             // WITH (...), or the sequence options of identity
  Name indexname;                      // USING INDEX
  Name indexspace;                     // USING INDEX TABLESPACE
  Name access_method;                  // of exclusion
  const Node* where_clause = nullptr;  // of exclusion; may be null
  const RangeVar* pktable = nullptr;   // of foreign
  Names fk_attrs;                      // of foreign, as a table constraint
  Names pk_attrs;
  FkMatchType fk_matchtype = FkMatchType::simple;
  FkAction fk_upd_action = FkAction::no_action;
  FkAction fk_del_action = FkAction::no_action;
  Names fk_del_set_cols;  // ON DELETE SET NULL (columns)
};

struct ColumnDef : NodeOf<NodeTag::ColumnDef> {
  Name colname;
  const TypeName* type_name =
      nullptr;  // null in OF type and PARTITION OF lists, and in CREATE VIEW's
  Name compression;
  const Node* raw_default = nullptr;           // of ALTER COLUMN TYPE ... USING; may be null
  const CollateClause* coll_clause = nullptr;  // may be null
  ListOf<Constraint> constraints;
  ListOf<DefElem> fdwoptions;
};

constexpr uint32_t kLikeComments = 1u << 0;
constexpr uint32_t kLikeCompression = 1u << 1;
constexpr uint32_t kLikeConstraints = 1u << 2;
constexpr uint32_t kLikeDefaults = 1u << 3;
constexpr uint32_t kLikeGenerated = 1u << 4;
constexpr uint32_t kLikeIdentity = 1u << 5;
constexpr uint32_t kLikeIndexes = 1u << 6;
constexpr uint32_t kLikeStatistics = 1u << 7;
constexpr uint32_t kLikeStorage = 1u << 8;
constexpr uint32_t kLikeAll = 0x7fffffff;
struct TableLikeClause : NodeOf<NodeTag::TableLikeClause> {
  const RangeVar* relation = nullptr;
  uint32_t options = 0;
};

struct PartitionElem : NodeOf<NodeTag::PartitionElem> {
  Name name;                   // a column, or
  const Node* expr = nullptr;  // an expression
  Names collation;
  Names opclass;
};
enum class PartitionStrategy : uint8_t { list, range, hash };
struct PartitionSpec : NodeOf<NodeTag::PartitionSpec> {
  Name strategy;  // as written; "list", "range" or "hash" when valid
  ListOf<PartitionElem> part_params;
};
struct PartitionBoundSpec : NodeOf<NodeTag::PartitionBoundSpec> {
  PartitionStrategy strategy = PartitionStrategy::list;
  bool is_default = false;
  int32_t modulus = -1;
  int32_t remainder = -1;
  NodeList listdatums;
  NodeList lowerdatums;  // MINVALUE and MAXVALUE are ColumnRefs
  NodeList upperdatums;
};
struct PartitionCmd : NodeOf<NodeTag::PartitionCmd> {
  const RangeVar* name = nullptr;
  const PartitionBoundSpec* bound = nullptr;  // null on DETACH
  bool concurrent = false;
};

struct CreateStmt : NodeOf<NodeTag::CreateStmt> {
  const RangeVar* relation = nullptr;
  NodeList table_elts;                            // ColumnDef, Constraint, TableLikeClause
  ListOf<RangeVar> inh_relations;                 // INHERITS, or the parent of PARTITION OF
  const PartitionBoundSpec* partbound = nullptr;  // may be null
  const PartitionSpec* partspec = nullptr;        // may be null
  const TypeName* of_typename = nullptr;          // may be null
  ListOf<DefElem> options;
  OnCommitAction oncommit = OnCommitAction::noop;
  Name tablespacename;
  Name access_method;
  bool if_not_exists = false;
};
struct CreateForeignTableStmt : NodeOf<NodeTag::CreateForeignTableStmt> {
  const CreateStmt* base = nullptr;
  Name servername;
  ListOf<DefElem> options;
};
struct CreateTableAsStmt : NodeOf<NodeTag::CreateTableAsStmt> {
  const Node* query = nullptr;  // SelectStmt or ExecuteStmt
  const IntoClause* into = nullptr;
  ObjectType objtype = ObjectType::table;  // or matview
  bool if_not_exists = false;
};

struct IndexElem : NodeOf<NodeTag::IndexElem> {
  Name name;                   // a column, or
  const Node* expr = nullptr;  // an expression
  Names collation;
  Names opclass;
  ListOf<DefElem> opclassopts;
  SortByDir ordering = SortByDir::default_;
  SortByNulls nulls_ordering = SortByNulls::default_;
};
struct IndexStmt : NodeOf<NodeTag::IndexStmt> {
  Name idxname;
  const RangeVar* relation = nullptr;
  Name access_method;  // "btree" unless USING says else
  Name table_space;
  ListOf<IndexElem> index_params;
  ListOf<IndexElem> index_including_params;
  ListOf<DefElem> options;
  const Node* where_clause = nullptr;  // may be null
  bool unique = false;
  bool nulls_not_distinct = false;
  bool concurrent = false;
  bool if_not_exists = false;
};

enum class ViewCheckOption : uint8_t { none, local, cascaded };
struct ViewStmt : NodeOf<NodeTag::ViewStmt> {
  const RangeVar* view = nullptr;
  Names aliases;
  const SelectStmt* query = nullptr;
  bool replace = false;
  ListOf<DefElem> options;
  ViewCheckOption with_check_option = ViewCheckOption::none;
};
struct CreateSeqStmt : NodeOf<NodeTag::CreateSeqStmt> {
  const RangeVar* sequence = nullptr;
  ListOf<DefElem> options;
  bool if_not_exists = false;
};
struct AlterSeqStmt : NodeOf<NodeTag::AlterSeqStmt> {
  const RangeVar* sequence = nullptr;
  ListOf<DefElem> options;
  bool missing_ok = false;
};

enum class AlterTableType : uint8_t {
  add_column,
  column_default,
  drop_not_null,
  set_not_null,
  drop_expression,
  set_statistics,
  set_options,
  reset_options,
  set_storage,
  set_compression,
  drop_column,
  add_constraint,
  alter_constraint,
  validate_constraint,
  drop_constraint,
  alter_column_type,
  alter_column_generic_options,
  change_owner,
  cluster_on,
  drop_cluster,
  set_logged,
  set_unlogged,
  drop_oids,
  set_access_method,
  set_tablespace,
  set_rel_options,
  reset_rel_options,
  enable_trig,
  enable_always_trig,
  enable_replica_trig,
  disable_trig,
  enable_trig_all,
  disable_trig_all,
  enable_trig_user,
  disable_trig_user,
  enable_rule,
  enable_always_rule,
  enable_replica_rule,
  disable_rule,
  add_inherit,
  drop_inherit,
  add_of,
  drop_of,
  replica_identity,
  enable_row_security,
  disable_row_security,
  force_row_security,
  no_force_row_security,
  generic_options,
  attach_partition,
  detach_partition,
  detach_partition_finalize,
  add_identity,
  set_identity,
  drop_identity,
};
struct ReplicaIdentityStmt : NodeOf<NodeTag::ReplicaIdentityStmt> {
  char identity_type = 'd';  // n nothing, f full, d default, i using index
  Name name;
};
struct AlterTableCmd : NodeOf<NodeTag::AlterTableCmd> {
  AlterTableType subtype = AlterTableType::add_column;
  Name name;        // column, constraint, trigger, tablespace, ...
  int32_t num = 0;  // ALTER COLUMN n SET STATISTICS
  const RoleSpec* newowner = nullptr;
  const Node* def =
      nullptr;  // ColumnDef, Constraint, expression, List of DefElems, RangeVar, ...; may be null
  DropBehavior behavior = DropBehavior::restrict_;
  bool missing_ok = false;
};
struct AlterTableStmt : NodeOf<NodeTag::AlterTableStmt> {
  const RangeVar* relation = nullptr;
  ListOf<AlterTableCmd> cmds;
  ObjectType objtype =
      ObjectType::table;  // table, index, view, sequence, matview, foreign_table, type
  bool missing_ok = false;
};
struct AlterTableMoveAllStmt : NodeOf<NodeTag::AlterTableMoveAllStmt> {
  Name orig_tablespacename;
  ObjectType objtype = ObjectType::table;
  ListOf<RoleSpec> roles;
  Name new_tablespacename;
  bool nowait = false;
};
enum class AlterDomainType : uint8_t {
  set_default,
  drop_default,
  drop_not_null,
  set_not_null,
  add_constraint,
  drop_constraint,
  validate_constraint,
};
struct AlterDomainStmt : NodeOf<NodeTag::AlterDomainStmt> {
  AlterDomainType subtype = AlterDomainType::set_default;
  Names type_name;
  Name name;
  const Node* def = nullptr;  // may be null
  DropBehavior behavior = DropBehavior::restrict_;
  bool missing_ok = false;
};

// `objects` by kind: relations, types' and others' qualified names are List of String; functions
// and operators ObjectWithArgs; types and domains TypeName; casts List of two TypeNames; simple
// names String.
struct DropStmt : NodeOf<NodeTag::DropStmt> {
  NodeList objects;
  ObjectType remove_type = ObjectType::table;
  DropBehavior behavior = DropBehavior::restrict_;
  bool missing_ok = false;
  bool concurrent = false;
};
struct RenameStmt : NodeOf<NodeTag::RenameStmt> {
  ObjectType rename_type = ObjectType::table;
  ObjectType relation_type =
      ObjectType::table;               // of the relation when a column, attribute, ... is renamed
  const RangeVar* relation = nullptr;  // when it is in a relation, or is one
  const Node* object = nullptr;        // otherwise: as in DropStmt
  Name subname;  // column, constraint, rule, ...; or the old name of a database, role, ...
  Name newname;
  DropBehavior behavior = DropBehavior::restrict_;
  bool missing_ok = false;
};
struct AlterObjectSchemaStmt : NodeOf<NodeTag::AlterObjectSchemaStmt> {
  ObjectType object_type = ObjectType::table;
  const RangeVar* relation = nullptr;
  const Node* object = nullptr;
  Name newschema;
  bool missing_ok = false;
};
struct AlterObjectDependsStmt : NodeOf<NodeTag::AlterObjectDependsStmt> {
  ObjectType object_type = ObjectType::function;
  const RangeVar* relation = nullptr;
  const Node* object = nullptr;
  Name extname;
  bool remove = false;
};
struct AlterOwnerStmt : NodeOf<NodeTag::AlterOwnerStmt> {
  ObjectType object_type = ObjectType::table;
  const Node* object = nullptr;
  const RoleSpec* newowner = nullptr;
};
struct AlterOperatorStmt : NodeOf<NodeTag::AlterOperatorStmt> {
  const ObjectWithArgs* opername = nullptr;
  ListOf<DefElem> options;
};
struct AlterTypeStmt : NodeOf<NodeTag::AlterTypeStmt> {
  Names type_name;
  ListOf<DefElem> options;
};

struct CreateSchemaStmt : NodeOf<NodeTag::CreateSchemaStmt> {
  Name schemaname;                     // empty: the role's name
  const RoleSpec* authrole = nullptr;  // may be null
  NodeList schema_elts;
  bool if_not_exists = false;
};
// CREATE AGGREGATE, OPERATOR, TYPE, TEXT SEARCH ..., COLLATION.
struct DefineStmt : NodeOf<NodeTag::DefineStmt> {
  ObjectType kind = ObjectType::aggregate;
  bool oldstyle = false;
  Names defnames;
  ListOf<FunctionParameter> args;  // of an aggregate
  int32_t ordered_args = -1;       // of an aggregate: direct arguments before ORDER BY, -1 for none
  bool args_star = false;          // of an aggregate: (*)
  ListOf<DefElem> definition;
  bool if_not_exists = false;
  bool replace = false;
};
struct CompositeTypeStmt : NodeOf<NodeTag::CompositeTypeStmt> {
  const RangeVar* typevar = nullptr;
  ListOf<ColumnDef> coldeflist;
};
struct CreateEnumStmt : NodeOf<NodeTag::CreateEnumStmt> {
  Names type_name;
  Names vals;
};
struct AlterEnumStmt : NodeOf<NodeTag::AlterEnumStmt> {
  Names type_name;
  Name old_val;  // RENAME VALUE; empty with has_old_val false
  bool has_old_val = false;
  Name new_val;
  Name new_val_neighbor;
  bool has_neighbor = false;
  bool new_val_is_after = true;
  bool skip_if_new_val_exists = false;
};
struct CreateRangeStmt : NodeOf<NodeTag::CreateRangeStmt> {
  Names type_name;
  ListOf<DefElem> params;
};
struct CreateDomainStmt : NodeOf<NodeTag::CreateDomainStmt> {
  Names domainname;
  const TypeName* type_name = nullptr;
  const CollateClause* coll_clause = nullptr;  // may be null
  ListOf<Constraint> constraints;
};

struct CreateFunctionStmt : NodeOf<NodeTag::CreateFunctionStmt> {
  bool is_procedure = false;
  bool replace = false;
  Names funcname;
  ListOf<FunctionParameter> parameters;
  const TypeName* return_type = nullptr;  // null: procedure, or OUT parameters only; of TABLE too
  ListOf<DefElem>
      options;  // language, as, window, volatility, strict, security, leakproof, set, cost, ...
  const Node* sql_body =
      nullptr;  // ReturnStmt, or List of one List of statements (BEGIN ATOMIC); may be null
};
struct AlterFunctionStmt : NodeOf<NodeTag::AlterFunctionStmt> {
  ObjectType objtype = ObjectType::function;
  const ObjectWithArgs* func = nullptr;
  ListOf<DefElem> actions;
};
struct TriggerTransition : NodeOf<NodeTag::TriggerTransition> {
  Name name;
  bool is_new = false;
  bool is_table = false;
};
enum class TriggerTiming : uint8_t { before, after, instead };
constexpr uint32_t kTriggerInsert = 1u << 2;  // PostgreSQL's bits of pg_trigger.tgtype
constexpr uint32_t kTriggerDelete = 1u << 3;
constexpr uint32_t kTriggerUpdate = 1u << 4;
constexpr uint32_t kTriggerTruncate = 1u << 5;
struct CreateTrigStmt : NodeOf<NodeTag::CreateTrigStmt> {
  bool replace = false;
  bool isconstraint = false;
  Name trigname;
  const RangeVar* relation = nullptr;
  Names funcname;
  Names args;
  bool row = false;  // FOR EACH ROW
  TriggerTiming timing = TriggerTiming::after;
  uint32_t events = 0;
  Names columns;                      // UPDATE OF
  const Node* when_clause = nullptr;  // may be null
  ListOf<TriggerTransition> transition_rels;
  bool deferrable = false;
  bool initdeferred = false;
  const RangeVar* constrrel = nullptr;  // FROM; may be null
};
struct CreateEventTrigStmt : NodeOf<NodeTag::CreateEventTrigStmt> {
  Name trigname;
  Name eventname;
  ListOf<DefElem> whenclause;
  Names funcname;
};
struct AlterEventTrigStmt : NodeOf<NodeTag::AlterEventTrigStmt> {
  Name trigname;
  char tgenabled = 'O';  // O, A always, R replica, D disabled
};
struct RuleStmt : NodeOf<NodeTag::RuleStmt> {
  const RangeVar* relation = nullptr;
  Name rulename;
  const Node* where_clause = nullptr;  // may be null
  CmdType event = CmdType::select;
  bool instead = false;
  NodeList actions;  // empty: NOTHING
  bool replace = false;
};
struct CreatePolicyStmt : NodeOf<NodeTag::CreatePolicyStmt> {
  Name policy_name;
  const RangeVar* table = nullptr;
  Name cmd_name;  // all, select, insert, update, delete
  bool permissive = true;
  ListOf<RoleSpec> roles;
  const Node* qual = nullptr;        // may be null
  const Node* with_check = nullptr;  // may be null
};
struct AlterPolicyStmt : NodeOf<NodeTag::AlterPolicyStmt> {
  Name policy_name;
  const RangeVar* table = nullptr;
  ListOf<RoleSpec> roles;            // empty: unchanged
  const Node* qual = nullptr;        // may be null
  const Node* with_check = nullptr;  // may be null
};

struct CreateCastStmt : NodeOf<NodeTag::CreateCastStmt> {
  const TypeName* sourcetype = nullptr;
  const TypeName* targettype = nullptr;
  const ObjectWithArgs* func = nullptr;  // null: WITHOUT FUNCTION or WITH INOUT
  char context = 'e';                    // e explicit, a assignment, i implicit
  bool inout = false;
};
struct CreateTransformStmt : NodeOf<NodeTag::CreateTransformStmt> {
  bool replace = false;
  const TypeName* type_name = nullptr;
  Name lang;
  const ObjectWithArgs* fromsql = nullptr;  // may be null
  const ObjectWithArgs* tosql = nullptr;    // may be null
};
struct CreateConversionStmt : NodeOf<NodeTag::CreateConversionStmt> {
  Names conversion_name;
  Name for_encoding_name;
  Name to_encoding_name;
  Names func_name;
  bool def = false;
};
struct CreateOpClassItem : NodeOf<NodeTag::CreateOpClassItem> {
  char itemtype = 'o';  // o operator, f function, s storage type
  const ObjectWithArgs* name = nullptr;
  int32_t number = 0;
  Names order_family;  // FOR ORDER BY
  ListOf<TypeName> class_args;
  const TypeName* storedtype = nullptr;
};
struct CreateOpClassStmt : NodeOf<NodeTag::CreateOpClassStmt> {
  Names opclassname;
  Names opfamilyname;
  Name amname;
  const TypeName* datatype = nullptr;
  ListOf<CreateOpClassItem> items;
  bool is_default = false;
};
struct CreateOpFamilyStmt : NodeOf<NodeTag::CreateOpFamilyStmt> {
  Names opfamilyname;
  Name amname;
};
struct AlterOpFamilyStmt : NodeOf<NodeTag::AlterOpFamilyStmt> {
  Names opfamilyname;
  Name amname;
  bool is_drop = false;
  ListOf<CreateOpClassItem> items;
};
struct CreatePLangStmt : NodeOf<NodeTag::CreatePLangStmt> {
  bool replace = false;
  Name plname;
  Names plhandler;
  Names plinline;
  Names plvalidator;
  bool pltrusted = false;
};
struct CreateAmStmt : NodeOf<NodeTag::CreateAmStmt> {
  Name amname;
  Names handler_name;
  char amtype = 'i';  // i index, t table
};
struct StatsElem : NodeOf<NodeTag::StatsElem> {
  Name name;                   // a column, or
  const Node* expr = nullptr;  // an expression
};
struct CreateStatsStmt : NodeOf<NodeTag::CreateStatsStmt> {
  Names defnames;
  Names stat_types;
  ListOf<StatsElem> exprs;
  NodeList relations;
  bool if_not_exists = false;
};
struct AlterStatsStmt : NodeOf<NodeTag::AlterStatsStmt> {
  Names defnames;
  int32_t stxstattarget = 0;
  bool missing_ok = false;
};
struct AlterCollationStmt : NodeOf<NodeTag::AlterCollationStmt> {
  Names collname;
};
struct AlterTSDictionaryStmt : NodeOf<NodeTag::AlterTSDictionaryStmt> {
  Names dictname;
  ListOf<DefElem> options;
};
enum class AlterTSConfigType : uint8_t {
  add_mapping,
  alter_mapping_for_token,
  replace_dict,
  replace_dict_for_token,
  drop_mapping,
};
struct AlterTSConfigurationStmt : NodeOf<NodeTag::AlterTSConfigurationStmt> {
  AlterTSConfigType kind = AlterTSConfigType::add_mapping;
  Names cfgname;
  Names tokentype;
  ListOf<List> dicts;  // of Strings: qualified names
  bool override = false;
  bool replace = false;
  bool missing_ok = false;
};

}  // namespace orrery
