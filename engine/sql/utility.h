// Parse nodes of statements that run the database: transactions, settings, roles and rights,
// cursors, COPY, maintenance.
#pragma once

#include "sql/definitions.h"

namespace orrery {

enum class TransactionStmtKind : uint8_t {
  begin,
  start,
  commit,
  rollback,
  savepoint,
  release,
  rollback_to,
  prepare,
  commit_prepared,
  rollback_prepared,
};
struct TransactionStmt : NodeOf<NodeTag::TransactionStmt> {
  TransactionStmtKind kind = TransactionStmtKind::begin;
  ListOf<DefElem>
      options;  // transaction_isolation (A_Const), transaction_read_only, transaction_deferrable
  Name savepoint_name;
  Name gid;  // of the prepared ones
  bool chain = false;
};

enum class VariableSetKind : uint8_t {
  set_value,
  set_default,
  set_current,
  set_multi,
  reset,
  reset_all
};
// SET TRANSACTION and SET SESSION CHARACTERISTICS are set_multi with names TRANSACTION, SESSION
// CHARACTERISTICS (args are DefElems), and TRANSACTION SNAPSHOT. SET TIME ZONE, ROLE, NAMES, ...
// are the setting they stand for.
struct VariableSetStmt : NodeOf<NodeTag::VariableSetStmt> {
  VariableSetKind kind = VariableSetKind::set_value;
  Name name;      // may contain dots
  NodeList args;  // A_Const, TypeCast (an interval), DefElem
  bool is_local = false;
};
struct VariableShowStmt : NodeOf<NodeTag::VariableShowStmt> {
  Name name;
};  // "all" for SHOW ALL
struct AlterSystemStmt : NodeOf<NodeTag::AlterSystemStmt> {
  const VariableSetStmt* setstmt = nullptr;
};
enum class DiscardMode : uint8_t { all, plans, sequences, temp };
struct DiscardStmt : NodeOf<NodeTag::DiscardStmt> {
  DiscardMode target = DiscardMode::all;
};
struct ConstraintsSetStmt : NodeOf<NodeTag::ConstraintsSetStmt> {
  ListOf<RangeVar> constraints;  // empty: ALL
  bool deferred = false;
};

struct PrepareStmt : NodeOf<NodeTag::PrepareStmt> {
  Name name;
  ListOf<TypeName> argtypes;
  const Node* query = nullptr;
};
struct ExecuteStmt : NodeOf<NodeTag::ExecuteStmt> {
  Name name;
  NodeList params;
};
struct DeallocateStmt : NodeOf<NodeTag::DeallocateStmt> {
  Name name;
};  // empty: ALL

constexpr uint32_t kCursorBinary = 0x0001;  // PostgreSQL's bits
constexpr uint32_t kCursorScroll = 0x0002;
constexpr uint32_t kCursorNoScroll = 0x0004;
constexpr uint32_t kCursorInsensitive = 0x0008;
constexpr uint32_t kCursorAsensitive = 0x0010;
constexpr uint32_t kCursorHold = 0x0020;
struct DeclareCursorStmt : NodeOf<NodeTag::DeclareCursorStmt> {
  Name portalname;
  uint32_t options = 0;
  const SelectStmt* query = nullptr;
};
enum class FetchDirection : uint8_t { forward, backward, absolute, relative };
constexpr int64_t kFetchAll = INT64_MAX;
struct FetchStmt : NodeOf<NodeTag::FetchStmt> {
  FetchDirection direction = FetchDirection::forward;
  int64_t how_many = 1;  // kFetchAll for ALL
  Name portalname;
  bool ismove = false;
};
struct ClosePortalStmt : NodeOf<NodeTag::ClosePortalStmt> {
  Name portalname;
};  // empty: ALL

struct CopyStmt : NodeOf<NodeTag::CopyStmt> {
  const RangeVar* relation = nullptr;  // null: query
  const Node* query = nullptr;         // null: relation
  Names attlist;
  bool is_from = false;
  bool is_program = false;
  bool has_filename = false;  // false: STDIN or STDOUT
  Name filename;
  ListOf<DefElem> options;
  const Node* where_clause = nullptr;  // may be null
};
struct ExplainStmt : NodeOf<NodeTag::ExplainStmt> {
  const Node* query = nullptr;
  ListOf<DefElem> options;
};
struct TruncateStmt : NodeOf<NodeTag::TruncateStmt> {
  ListOf<RangeVar> relations;
  bool restart_seqs = false;
  DropBehavior behavior = DropBehavior::restrict_;
};
// `object`: as in DropStmt; for a column, constraint, rule, ... the relation's name with the
// object's at the end.
struct CommentStmt : NodeOf<NodeTag::CommentStmt> {
  ObjectType objtype = ObjectType::table;
  const Node* object = nullptr;
  bool has_comment = false;  // false: IS NULL
  std::string_view comment;
};
struct SecLabelStmt : NodeOf<NodeTag::SecLabelStmt> {
  ObjectType objtype = ObjectType::table;
  const Node* object = nullptr;
  bool has_provider = false;
  Name provider;
  bool has_label = false;
  std::string_view label;
};
// PostgreSQL's lock modes, 1 ACCESS SHARE to 8 ACCESS EXCLUSIVE.
struct LockStmt : NodeOf<NodeTag::LockStmt> {
  ListOf<RangeVar> relations;
  int32_t mode = 8;
  bool nowait = false;
};

struct VacuumRelation : NodeOf<NodeTag::VacuumRelation> {
  const RangeVar* relation = nullptr;
  Names va_cols;
};
struct VacuumStmt : NodeOf<NodeTag::VacuumStmt> {
  ListOf<DefElem> options;
  ListOf<VacuumRelation> rels;
  bool is_vacuumcmd = true;  // false: ANALYZE
};
struct ClusterStmt : NodeOf<NodeTag::ClusterStmt> {
  const RangeVar* relation = nullptr;  // null: all
  Name indexname;
  ListOf<DefElem> params;
};
enum class ReindexObjectType : uint8_t { index, table, schema, system, database };
struct ReindexStmt : NodeOf<NodeTag::ReindexStmt> {
  ReindexObjectType kind = ReindexObjectType::index;
  const RangeVar* relation = nullptr;
  Name name;
  ListOf<DefElem> params;
};
struct CheckPointStmt : NodeOf<NodeTag::CheckPointStmt> {};
struct RefreshMatViewStmt : NodeOf<NodeTag::RefreshMatViewStmt> {
  bool concurrent = false;
  bool skip_data = false;
  const RangeVar* relation = nullptr;
};
struct NotifyStmt : NodeOf<NodeTag::NotifyStmt> {
  Name conditionname;
  bool has_payload = false;
  std::string_view payload;
};
struct ListenStmt : NodeOf<NodeTag::ListenStmt> {
  Name conditionname;
};
struct UnlistenStmt : NodeOf<NodeTag::UnlistenStmt> {
  Name conditionname;
};  // empty: *
struct LoadStmt : NodeOf<NodeTag::LoadStmt> {
  std::string_view filename;
};
struct DoStmt : NodeOf<NodeTag::DoStmt> {
  ListOf<DefElem> args;
};  // as, language
struct CallStmt : NodeOf<NodeTag::CallStmt> {
  const FuncCall* funccall = nullptr;
};

enum class RoleStmtType : uint8_t { role, user, group };
struct CreateRoleStmt : NodeOf<NodeTag::CreateRoleStmt> {
  RoleStmtType stmt_type = RoleStmtType::role;
  Name role;
  ListOf<DefElem> options;
};
struct AlterRoleStmt : NodeOf<NodeTag::AlterRoleStmt> {
  const RoleSpec* role = nullptr;
  ListOf<DefElem> options;
  int32_t action = 1;  // 1 add, -1 drop members
};
struct AlterRoleSetStmt : NodeOf<NodeTag::AlterRoleSetStmt> {
  const RoleSpec* role = nullptr;  // null: ALL
  Name database;
  const VariableSetStmt* setstmt = nullptr;
};
struct DropRoleStmt : NodeOf<NodeTag::DropRoleStmt> {
  ListOf<RoleSpec> roles;
  bool missing_ok = false;
};
struct DropOwnedStmt : NodeOf<NodeTag::DropOwnedStmt> {
  ListOf<RoleSpec> roles;
  DropBehavior behavior = DropBehavior::restrict_;
};
struct ReassignOwnedStmt : NodeOf<NodeTag::ReassignOwnedStmt> {
  ListOf<RoleSpec> roles;
  const RoleSpec* newrole = nullptr;
};

enum class GrantTargetType : uint8_t { object, all_in_schema, defaults };
struct AccessPriv : NodeOf<NodeTag::AccessPriv> {
  Name priv_name;  // empty: ALL PRIVILEGES of the columns
  Names cols;
};
struct GrantStmt : NodeOf<NodeTag::GrantStmt> {
  bool is_grant = true;
  GrantTargetType targtype = GrantTargetType::object;
  ObjectType objtype = ObjectType::table;
  NodeList objects;  // RangeVar, ObjectWithArgs, String, Float/Integer (large object), List (type)
  ListOf<AccessPriv> privileges;  // empty: ALL
  ListOf<RoleSpec> grantees;
  bool grant_option = false;
  const RoleSpec* grantor = nullptr;  // may be null
  DropBehavior behavior = DropBehavior::restrict_;
};
struct GrantRoleStmt : NodeOf<NodeTag::GrantRoleStmt> {
  ListOf<AccessPriv> granted_roles;
  ListOf<RoleSpec> grantee_roles;
  bool is_grant = true;
  bool admin_opt = false;
  const RoleSpec* grantor = nullptr;  // may be null
  DropBehavior behavior = DropBehavior::restrict_;
};
struct AlterDefaultPrivilegesStmt : NodeOf<NodeTag::AlterDefaultPrivilegesStmt> {
  ListOf<DefElem> options;  // schemas, roles
  const GrantStmt* action = nullptr;
};

struct CreatedbStmt : NodeOf<NodeTag::CreatedbStmt> {
  Name dbname;
  ListOf<DefElem> options;
};
struct AlterDatabaseStmt : NodeOf<NodeTag::AlterDatabaseStmt> {
  Name dbname;
  ListOf<DefElem> options;
};
struct AlterDatabaseRefreshCollStmt : NodeOf<NodeTag::AlterDatabaseRefreshCollStmt> {
  Name dbname;
};
struct AlterDatabaseSetStmt : NodeOf<NodeTag::AlterDatabaseSetStmt> {
  Name dbname;
  const VariableSetStmt* setstmt = nullptr;
};
struct DropdbStmt : NodeOf<NodeTag::DropdbStmt> {
  Name dbname;
  bool missing_ok = false;
  ListOf<DefElem> options;
};

struct CreateTableSpaceStmt : NodeOf<NodeTag::CreateTableSpaceStmt> {
  Name tablespacename;
  const RoleSpec* owner = nullptr;  // may be null
  std::string_view location_path;
  ListOf<DefElem> options;
};
struct DropTableSpaceStmt : NodeOf<NodeTag::DropTableSpaceStmt> {
  Name tablespacename;
  bool missing_ok = false;
};
struct AlterTableSpaceOptionsStmt : NodeOf<NodeTag::AlterTableSpaceOptionsStmt> {
  Name tablespacename;
  ListOf<DefElem> options;
  bool is_reset = false;
};

struct CreateExtensionStmt : NodeOf<NodeTag::CreateExtensionStmt> {
  Name extname;
  bool if_not_exists = false;
  ListOf<DefElem> options;
};
struct AlterExtensionStmt : NodeOf<NodeTag::AlterExtensionStmt> {
  Name extname;
  ListOf<DefElem> options;
};
struct AlterExtensionContentsStmt : NodeOf<NodeTag::AlterExtensionContentsStmt> {
  Name extname;
  int32_t action = 1;  // 1 add, -1 drop
  ObjectType objtype = ObjectType::table;
  const Node* object = nullptr;
};

struct CreateFdwStmt : NodeOf<NodeTag::CreateFdwStmt> {
  Name fdwname;
  ListOf<DefElem> func_options;
  ListOf<DefElem> options;
};
struct AlterFdwStmt : NodeOf<NodeTag::AlterFdwStmt> {
  Name fdwname;
  ListOf<DefElem> func_options;
  ListOf<DefElem> options;
};
struct CreateForeignServerStmt : NodeOf<NodeTag::CreateForeignServerStmt> {
  Name servername;
  Name servertype;
  Name version;
  bool has_type = false;
  bool has_version = false;
  Name fdwname;
  bool if_not_exists = false;
  ListOf<DefElem> options;
};
struct AlterForeignServerStmt : NodeOf<NodeTag::AlterForeignServerStmt> {
  Name servername;
  Name version;  // empty with has_version: VERSION NULL
  bool version_is_null = false;
  ListOf<DefElem> options;
  bool has_version = false;
};
struct CreateUserMappingStmt : NodeOf<NodeTag::CreateUserMappingStmt> {
  const RoleSpec* user = nullptr;
  Name servername;
  bool if_not_exists = false;
  ListOf<DefElem> options;
};
struct AlterUserMappingStmt : NodeOf<NodeTag::AlterUserMappingStmt> {
  const RoleSpec* user = nullptr;
  Name servername;
  ListOf<DefElem> options;
};
struct DropUserMappingStmt : NodeOf<NodeTag::DropUserMappingStmt> {
  const RoleSpec* user = nullptr;
  Name servername;
  bool missing_ok = false;
};
enum class ImportForeignSchemaType : uint8_t { all, limit_to, except };
struct ImportForeignSchemaStmt : NodeOf<NodeTag::ImportForeignSchemaStmt> {
  Name server_name;
  Name remote_schema;
  Name local_schema;
  ImportForeignSchemaType list_type = ImportForeignSchemaType::all;
  ListOf<RangeVar> table_list;
  ListOf<DefElem> options;
};

enum class PublicationObjSpecType : uint8_t { table, tables_in_schema, tables_in_cur_schema };
struct PublicationObjSpec : NodeOf<NodeTag::PublicationObjSpec> {
  PublicationObjSpecType pubobjtype = PublicationObjSpecType::table;
  Name name;                           // of tables_in_schema
  const RangeVar* relation = nullptr;  // of table
  const Node* where_clause = nullptr;  // may be null
  Names columns;
};
struct CreatePublicationStmt : NodeOf<NodeTag::CreatePublicationStmt> {
  Name pubname;
  ListOf<DefElem> options;
  ListOf<PublicationObjSpec> pubobjects;
  bool for_all_tables = false;
};
enum class AlterPublicationAction : uint8_t { add, drop, set };
struct AlterPublicationStmt : NodeOf<NodeTag::AlterPublicationStmt> {
  Name pubname;
  ListOf<DefElem> options;  // of SET (...)
  ListOf<PublicationObjSpec> pubobjects;
  AlterPublicationAction action = AlterPublicationAction::set;
};
struct CreateSubscriptionStmt : NodeOf<NodeTag::CreateSubscriptionStmt> {
  Name subname;
  std::string_view conninfo;
  Names publication;
  ListOf<DefElem> options;
};
enum class AlterSubscriptionType : uint8_t {
  options,
  connection,
  set_publication,
  add_publication,
  drop_publication,
  refresh,
  enabled,
  skip,
};
struct AlterSubscriptionStmt : NodeOf<NodeTag::AlterSubscriptionStmt> {
  AlterSubscriptionType kind = AlterSubscriptionType::options;
  Name subname;
  std::string_view conninfo;
  Names publication;
  ListOf<DefElem> options;
};
struct DropSubscriptionStmt : NodeOf<NodeTag::DropSubscriptionStmt> {
  Name subname;
  bool missing_ok = false;
  DropBehavior behavior = DropBehavior::restrict_;
};

}  // namespace orrery
