// Overload resolution for functions and operators: PostgreSQL's rules, in its order (manual,
// chapter "Type Conversion").
#include "analyze/collations.h"
#include "analyze/transform.h"
#include "base/text.h"
#include "sql/parser.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

std::string last(Names names) { return std::string(names.back()); }

std::string dotted(Names names) { return join(names, "."); }

struct Candidate {
  const FunctionInfo* function;
  std::vector<Oid> types;  // one per actual argument
  std::vector<int>
      order;  // of actual arguments by parameter, for named notation; empty: as written
  bool variadic_expanded = false;
  int defaults_used = 0;
};

}  // namespace

// Which of `candidates` suits `actual` best; -1 when none is better than all others.
Result<int> Transform::select_candidate(std::vector<std::vector<Oid>> candidates,
                                        std::span<const Oid> actual) {
  using type_oid::unknown;
  const size_t count = actual.size();
  std::vector<Oid> base;
  size_t unknowns = 0;
  for (const Oid t : actual) {
    base.push_back(t == unknown ? t : TRY(context_.catalog.base_type(context_.fiber, t, nullptr)));
    unknowns += t == unknown;
  }
  std::vector<int> left;
  for (size_t i = 0; i < candidates.size(); ++i) left.push_back(static_cast<int>(i));
  auto keep_best = [&](auto&& score) -> Status {
    int best = -1;
    std::vector<int> kept;
    for (const int c : left) {
      const int s = TRY(score(candidates[static_cast<size_t>(c)]));
      if (s > best) kept.clear();
      if (s >= best) {
        best = s;
        kept.push_back(c);
      }
    }
    left = std::move(kept);
    return {};
  };
  TRY(keep_best([&](const std::vector<Oid>& types) -> Result<int> {
    int exact = 0;
    for (size_t i = 0; i < count; ++i) exact += base[i] != unknown && types[i] == base[i];
    return exact;
  }));
  if (left.size() == 1) return left[0];
  TRY(keep_best([&](const std::vector<Oid>& types) -> Result<int> {
    int matches = 0;
    for (size_t i = 0; i < count; ++i) {
      if (base[i] == unknown) continue;
      const CatalogType* input = TRY(type(base[i]));
      const CatalogType* wanted = TRY(type(types[i]));
      matches += types[i] == base[i] || (wanted->preferred && wanted->category == input->category);
    }
    return matches;
  }));
  if (left.size() == 1) return left[0];
  if (unknowns == 0) return -1;

  // What category the unknowns are: string if any candidate takes one there, else what all
  // candidates agree on.
  bool resolved = true;
  std::vector<char> category(count, '\0');
  std::vector<bool> preferred(count, false);
  for (size_t i = 0; i < count && resolved; ++i) {
    if (base[i] != unknown) continue;
    bool conflict = false;
    for (const int c : left) {
      const CatalogType* t = TRY(type(candidates[static_cast<size_t>(c)][i]));
      if (category[i] == '\0') {
        category[i] = t->category;
        preferred[i] = t->preferred;
      } else if (t->category == category[i]) {
        preferred[i] = preferred[i] || t->preferred;
      } else if (t->category == 'S') {
        category[i] = 'S';
        preferred[i] = t->preferred;
      } else if (category[i] != 'S') {
        conflict = true;
      }
    }
    if (conflict && category[i] != 'S') resolved = false;
  }
  if (resolved) {
    std::vector<int> kept;
    for (const int c : left) {
      bool keep = true;
      for (size_t i = 0; i < count && keep; ++i) {
        if (base[i] != unknown) continue;
        const CatalogType* t = TRY(type(candidates[static_cast<size_t>(c)][i]));
        keep = t->category == category[i] && (!preferred[i] || t->preferred);
      }
      if (keep) kept.push_back(c);
    }
    if (!kept.empty()) left = std::move(kept);
    if (left.size() == 1) return left[0];
  }
  if (unknowns == count) return -1;
  Oid known;
  for (size_t i = 0; i < count; ++i) {
    if (base[i] == unknown) continue;
    if (known && known != base[i]) return -1;
    known = base[i];
  }
  const std::vector<Oid> all_known(count, known);
  int found = -1;
  for (const int c : left) {
    const bool may = TRY(fits(all_known, candidates[static_cast<size_t>(c)]));
    if (!may) continue;
    if (found >= 0) return -1;
    found = c;
  }
  return found;
}

namespace {

// Lines actual arguments up with a function's parameters; nothing when they cannot fit.
std::optional<Candidate> line_up(const FunctionInfo& f, size_t count,
                                 std::span<const std::string_view> names, bool variadic_written) {
  Candidate c{&f, {}, {}, false, 0};
  const size_t positional = count - names.size();
  const size_t parameters = f.args.size();
  if (names.empty()) {
    if (f.variadic && !variadic_written && count >= parameters) {
      c.variadic_expanded = true;
      for (size_t i = 0; i < count; ++i)
        c.types.push_back(i + 1 < parameters ? f.args[i] : f.variadic);
      return c;
    }
    if (count > parameters || count + static_cast<size_t>(f.defaults) < parameters)
      return std::nullopt;
    c.types.assign(f.args.begin(), f.args.begin() + static_cast<ptrdiff_t>(count));
    c.defaults_used = static_cast<int>(parameters - count);
    return c;
  }
  if (f.names.empty() || count > parameters || f.variadic) return std::nullopt;
  c.order.assign(parameters, -1);
  for (size_t i = 0; i < positional; ++i) c.order[i] = static_cast<int>(i);
  for (size_t n = 0; n < names.size(); ++n) {
    size_t input = 0;
    bool placed = false;
    for (size_t i = 0; i < f.names.size() && !placed; ++i) {
      const char mode = f.modes.empty() ? 'i' : f.modes[i];
      if (mode == 'o' || mode == 't') continue;
      if (f.names[i] == names[n] && input < parameters && c.order[input] < 0) {
        c.order[input] = static_cast<int>(positional + n);
        placed = true;
      }
      ++input;
    }
    if (!placed) return std::nullopt;
  }
  for (size_t i = 0; i < parameters; ++i) {
    if (c.order[i] >= 0) continue;
    if (i + static_cast<size_t>(f.defaults) < parameters) return std::nullopt;
    ++c.defaults_used;
  }
  c.types.resize(count);
  for (size_t i = 0; i < parameters; ++i) {
    if (c.order[i] >= 0) c.types[static_cast<size_t>(c.order[i])] = f.args[i];
  }
  return c;
}

// All that fit. Of two with the same arguments the one that had to be spread out of VARIADIC gives
// way.
std::vector<Candidate> line_up_all(const FunctionCandidates& found, size_t count,
                                   std::span<const std::string_view> names, bool variadic_written) {
  std::vector<Candidate> all;
  for (const FunctionInfo* f : found.functions) {
    if (auto c = line_up(*f, count, names, variadic_written)) all.push_back(std::move(*c));
  }
  std::vector<Candidate> kept;
  for (const Candidate& c : all) {
    const bool shadowed = c.variadic_expanded && std::ranges::any_of(all, [&](const auto& other) {
                            return !other.variadic_expanded && other.types == c.types;
                          });
    if (!shadowed) kept.push_back(c);
  }
  return kept;
}

}  // namespace

namespace {

Status check_argument_count(Transform& t, const FuncCall& call) {
  constexpr size_t kMost = 100;
  if (call.args.size() <= kMost) return {};
  return t.error(sqlstate::too_many_arguments,
                 cat("cannot pass more than ", kMost, " arguments to a function"), call.location);
}

// The clause, its parts taken together.
std::string_view place_name(Clause clause) {
  const bool frame = clause == Clause::window_rows || clause == Clause::window_range ||
                     clause == Clause::window_groups;
  return frame ? "window definitions" : clause_name(clause);
}

}  // namespace

Result<Expr*> Transform::function_call(Scope& scope, const FuncCall& call) {
  using type_oid::unknown;
  // Arguments first: overloads are chosen by their types.
  TRY(check_argument_count(*this, call));
  std::vector<Expr*> args;
  std::vector<std::string_view> names;
  const bool was_inside = scope.inside_aggregate;
  for (const Node* arg : call.args) {
    if (const auto* named = as_if<NamedArgExpr>(arg)) {
      names.push_back(named->name);
      args.push_back(TRY(expr(scope, named->arg)));
    } else {
      if (!names.empty())
        return error(sqlstate::syntax_error, "positional argument cannot follow named argument",
                     arg->location);
      args.push_back(TRY(expr(scope, arg)));
    }
  }
  if (call.agg_within_group) {
    for (const SortBy* by : call.agg_order) args.push_back(TRY(expr(scope, by->node)));
  }
  scope.inside_aggregate = was_inside;

  SearchPath one;
  const SearchPath* path = &context_.path;
  if (call.funcname.size() > 1) {
    const std::string_view schema = call.funcname[call.funcname.size() - 2];
    const Oid nsp = TRY(context_.catalog.nsp_oid(context_.fiber, schema));
    if (!nsp)
      return error(sqlstate::invalid_schema_name, cat("schema \"", schema, "\" does not exist"),
                   call.location);
    one.namespaces = {nsp};
    path = &one;
  }
  const std::string_view name = call.funcname.back();
  const FunctionCandidates found = TRY(context_.catalog.functions(context_.fiber, *path, name));
  std::vector<Oid> actual;
  for (const Expr* arg : args) actual.push_back(arg->type);

  std::vector<Candidate> candidates = line_up_all(found, args.size(), names, call.func_variadic);
  int chosen = -1;
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (candidates[i].types == actual && (chosen < 0 || !candidates[i].variadic_expanded))
      chosen = static_cast<int>(i);
  }
  // f(x) where f names a type is a cast when nothing matches better.
  if (chosen < 0 && args.size() == 1 && names.empty() && call.agg_order.empty() && !call.agg_star &&
      !call.agg_distinct && call.over == nullptr && call.agg_filter == nullptr) {
    const Oid target = TRY(context_.catalog.find_type(context_.fiber, *path, name));
    if (target) {
      const CatalogType* info = TRY(type(target));
      const CatalogType* source = TRY(type(actual[0]));
      bool cast = actual[0] == unknown;
      if (!cast) {
        const CastInfo* way = TRY(context_.catalog.cast(context_.fiber, actual[0], target));
        cast = (way != nullptr && way->method != CastMethod::function) ||
               (way == nullptr && (info->category == 'S' || source->category == 'S') &&
                info->type != 'c');
      }
      if (cast) {
        Expr* made = TRY(coerce(&scope, args[0], target, -1, CoercionContext::explicit_,
                                CallForm::explicit_cast, call.location));
        if (made != nullptr) return made;
      }
    }
  }
  if (chosen < 0) {
    std::vector<Candidate> fitting;
    for (Candidate& c : candidates) {
      const bool suits = TRY(fits(actual, c.types));
      if (suits) fitting.push_back(std::move(c));
    }
    candidates = std::move(fitting);
    if (candidates.size() == 1) {
      chosen = 0;
    } else if (candidates.size() > 1) {
      std::vector<std::vector<Oid>> types;
      for (const Candidate& c : candidates) types.push_back(c.types);
      chosen = TRY(select_candidate(std::move(types), actual));
      if (chosen < 0) {
        std::string list;
        for (size_t i = 0; i < actual.size(); ++i)
          list += cat(i == 0 ? "" : ", ", name_of(actual[i]));
        return error(sqlstate::ambiguous_function,
                     cat("function ", dotted(call.funcname), "(", list, ") is not unique"),
                     call.location)
            .hint(
                "Could not choose a best candidate function. You might need to add explicit type "
                "casts.");
      }
    }
  }
  if (chosen < 0) {
    std::string list;
    for (size_t i = 0; i < actual.size(); ++i) {
      const size_t first_named = actual.size() - names.size();
      list += cat(i == 0 ? "" : ", ", i >= first_named ? cat(names[i - first_named], " => ") : "",
                  name_of(actual[i]));
    }
    return error(sqlstate::undefined_function,
                 cat("function ", dotted(call.funcname), "(", list, ") does not exist"),
                 call.location)
        .hint(
            "No function matches the given name and argument types. You might need to add explicit "
            "type casts.");
  }
  Candidate& best = candidates[static_cast<size_t>(chosen)];
  const FunctionInfo& f = *best.function;

  // Fill in defaults, in parameter order.
  if (!best.order.empty() || best.defaults_used > 0) {
    std::vector<Expr*> ordered;
    std::vector<Oid> types;
    std::vector<Expr*> defaults;
    if (best.defaults_used > 0) {
      const std::string_view sql = arena_.copy(cat("SELECT ", f.default_exprs));
      const auto parsed = TRY(parse(arena_, sql));
      const auto& select_stmt = as<SelectStmt>(*parsed[0]->stmt);
      Scope empty;
      for (const ResTarget* target : select_stmt.target_list)
        defaults.push_back(TRY(expression(empty, target->val, Clause::default_)));
    }
    for (size_t i = 0; i < f.args.size(); ++i) {
      const int at =
          best.order.empty() ? (i < args.size() ? static_cast<int>(i) : -1) : best.order[i];
      if (at >= 0) {
        ordered.push_back(args[static_cast<size_t>(at)]);
      } else {
        const size_t from_end = f.args.size() - i;
        if (from_end > defaults.size())
          return raise(sqlstate::internal_error, cat("function ", f.name, " lacks a default"));
        ordered.push_back(defaults[defaults.size() - from_end]);
      }
      types.push_back(f.args[i]);
    }
    args = std::move(ordered);
    best.types = std::move(types);
    actual.clear();
    for (const Expr* arg : args) actual.push_back(arg->type);
  }

  ResolvedCall resolved{&f, best.types, f.result, best.variadic_expanded, best.defaults_used};
  resolved.result_type =
      TRY(resolve_polymorphic(actual, resolved.parameter_types, f.result, call.location));
  for (size_t i = 0; i < args.size(); ++i) {
    if (resolved.parameter_types[i] == type_oid::any) continue;
    Expr* made = TRY(coerce(&scope, args[i], resolved.parameter_types[i], -1,
                            CoercionContext::implicit, CallForm::implicit_cast, -1));
    if (made == nullptr)
      return error(sqlstate::cannot_coerce,
                   cat("cannot cast type ", name_of(args[i]->type), " to ",
                       name_of(resolved.parameter_types[i])),
                   args[i]->location);
    args[i] = made;
  }
  if (best.variadic_expanded && f.variadic != type_oid::any) {
    const size_t fixed = f.args.size() - 1;
    auto* array = node<ArrayExpr>(
        ExprTag::array,
        TRY(context_.catalog.array_type(context_.fiber, resolved.parameter_types.back())), -1);
    array->element_type = resolved.parameter_types.back();
    array->multidims = false;
    array->elements = arena_.copy_array(std::span<Expr* const>(args).subspan(fixed));
    array->collation = args.empty() ? kInvalidOid : args.back()->collation;
    args.resize(fixed);
    args.push_back(array);
  }
  if (call.over != nullptr) return window_call(scope, call, resolved, args);
  if (f.kind == 'a') return aggregate_call(scope, call, resolved, args);
  if (f.kind == 'w') {
    return error(sqlstate::wrong_object_type,
                 cat("window function ", f.name, " requires an OVER clause"), call.location);
  }
  if (f.kind == 'p') {
    return error(sqlstate::wrong_object_type, cat(dotted(call.funcname), " is a procedure"),
                 call.location)
        .hint("To call a procedure, use CALL.");
  }
  const auto not_aggregate = [&](std::string_view what) {
    return error(
        sqlstate::wrong_object_type,
        cat(what, " specified, but ", last(call.funcname), " is not an aggregate function"),
        call.location);
  };
  if (call.agg_star)
    return error(sqlstate::wrong_object_type,
                 cat(last(call.funcname), "(*) specified, but ", last(call.funcname),
                     " is not an aggregate function"),
                 call.location);
  if (call.agg_distinct) return not_aggregate("DISTINCT");
  if (call.agg_within_group) return not_aggregate("WITHIN GROUP");
  if (!call.agg_order.empty()) return not_aggregate("ORDER BY");
  if (call.agg_filter != nullptr) return not_aggregate("FILTER");

  auto* made = node<CallExpr>(ExprTag::call, resolved.result_type, call.location);
  made->function = f.oid;
  made->form =
      call.funcformat == CoercionForm::sql_syntax ? CallForm::sql_syntax : CallForm::function;
  made->returns_set = f.returns_set;
  made->variadic = TRY(is_variadic(call, f, args));
  made->args = arena_.copy_array(args);
  made->collation = TRY(type(resolved.result_type))->collation;
  made->input_collation = TRY(input_collation(*this, args));
  if (f.returns_set) {
    const bool allowed = scope.clause == Clause::select_list ||
                         scope.clause == Clause::from_function ||
                         scope.clause == Clause::returning || scope.clause == Clause::order_by ||
                         scope.clause == Clause::group_by || scope.clause == Clause::values ||
                         scope.clause == Clause::distinct_on;
    if (!allowed) {
      return error(sqlstate::feature_not_supported,
                   cat("set-returning functions are not allowed in ", place_name(scope.clause)),
                   call.location);
    }
    if (scope.clause != Clause::from_function) scope.has_set_functions = true;
  }
  return made;
}

// What VARIADIC "any" takes must be an array; other arrays were matched by their type.
Result<bool> Transform::is_variadic(const FuncCall& call, const FunctionInfo& function,
                                    std::span<Expr* const> args) {
  if (!call.func_variadic || function.variadic != type_oid::any) return call.func_variadic;
  const Expr& last = *args.back();
  const Oid base = TRY(context_.catalog.base_type(context_.fiber, last.type, nullptr));
  const CatalogType* info = TRY(type(base));
  if (info->is_true_array()) return true;
  return raise(sqlstate::datatype_mismatch, "VARIADIC argument must be an array")
      .at(error_position(context_.text, last.location));
}

Result<Expr*> Transform::make_call(Scope& scope, std::string_view name, std::span<Expr*> args,
                                   int location) {
  std::vector<Oid> actual;
  for (const Expr* arg : args) actual.push_back(arg->type);
  for (const FunctionInfo* f : context_.catalog.builtin().functions(name)) {
    if (f->args.size() != args.size()) continue;
    bool fits = true;
    for (size_t i = 0; i < actual.size() && fits; ++i)
      fits = actual[i] == f->args[i] || actual[i] == type_oid::unknown;
    if (!fits) continue;
    auto* made = node<CallExpr>(ExprTag::call, f->result, location);
    made->function = f->oid;
    made->form = CallForm::sql_syntax;
    made->args = arena_.copy_array(args);
    for (size_t i = 0; i < args.size(); ++i) {
      made->args[i] = TRY(coerce(&scope, args[i], f->args[i], -1, CoercionContext::implicit,
                                 CallForm::implicit_cast, -1));
    }
    made->collation = TRY(type(f->result))->collation;
    return made;
  }
  return raise(sqlstate::undefined_function, cat("function ", name, " does not exist"));
}

Result<const OperatorInfo*> Transform::find_operator(Names name, Oid left, Oid right, int location,
                                                     bool required) {
  using type_oid::unknown;
  SearchPath one;
  const SearchPath* path = &context_.path;
  if (name.size() > 1) {
    const Oid nsp = TRY(context_.catalog.nsp_oid(context_.fiber, name[name.size() - 2]));
    if (!nsp)
      return error(sqlstate::invalid_schema_name,
                   cat("schema \"", name[name.size() - 2], "\" does not exist"), location);
    one.namespaces = {nsp};
    path = &one;
  }
  const bool prefix = !left;
  const OperatorCandidates found =
      TRY(context_.catalog.operators(context_.fiber, *path, name.back()));
  auto exact = [&](Oid l, Oid r) -> const OperatorInfo* {
    for (const OperatorInfo* op : found.operators) {
      if (op->left == l && op->right == r && (op->kind == 'l') == prefix) return op;
    }
    return nullptr;
  };
  // One unknown side is taken to be the other's type first.
  Oid l = left;
  Oid r = right;
  if (!prefix && l == unknown && r != unknown) l = r;
  if (!prefix && r == unknown && l != unknown) r = l;
  if (const OperatorInfo* op = exact(l, r); op != nullptr && (prefix ? right != unknown : true))
    return op;
  if (!prefix && (left == unknown) != (right == unknown)) {
    const Oid base = TRY(context_.catalog.base_type(context_.fiber, l, nullptr));
    if (base != l) {
      if (const OperatorInfo* op = exact(base, base)) return op;
    }
  }
  std::vector<const OperatorInfo*> fitting;
  std::vector<std::vector<Oid>> types;
  std::vector<Oid> actual;
  if (!prefix) actual.push_back(left);
  actual.push_back(right);
  for (const OperatorInfo* op : found.operators) {
    if ((op->kind == 'l') != prefix) continue;
    const std::vector<Oid> declared =
        prefix ? std::vector<Oid>{op->right} : std::vector<Oid>{op->left, op->right};
    const bool suits = TRY(fits(actual, declared));
    if (!suits) continue;
    fitting.push_back(op);
    types.push_back(prefix ? std::vector<Oid>{op->right} : std::vector<Oid>{op->left, op->right});
  }
  if (fitting.size() == 1) return fitting[0];
  if (fitting.size() > 1) {
    const int chosen = TRY(select_candidate(std::move(types), actual));
    if (chosen >= 0) return fitting[static_cast<size_t>(chosen)];
  }
  if (!required) return nullptr;
  std::string shown = dotted(name);
  shown = prefix ? cat(shown, " ", name_of(right))
                 : cat(name_of(left), " ", shown, " ", name_of(right));
  if (!fitting.empty()) {
    return error(sqlstate::ambiguous_function, cat("operator is not unique: ", shown), location)
        .hint(
            "Could not choose a best candidate operator. You might need to add explicit type "
            "casts.");
  }
  return error(sqlstate::undefined_function, cat("operator does not exist: ", shown), location)
      .hint(prefix ? "No operator matches the given name and argument type. You might need to add "
                     "an explicit type cast."
                   : "No operator matches the given name and argument types. You might need to add "
                     "explicit type casts.");
}

Result<Expr*> Transform::operator_call(Scope* scope, Names name, Expr* left, Expr* right,
                                       int location) {
  const OperatorInfo* op = TRY(
      find_operator(name, left == nullptr ? kInvalidOid : left->type, right->type, location, true));
  if (!op->function) {
    return error(sqlstate::undefined_function, cat("operator is only a shell: ", op->name),
                 location);
  }
  std::vector<Expr*> args;
  std::vector<Oid> actual;
  std::vector<Oid> declared;
  if (left != nullptr) {
    args.push_back(left);
    actual.push_back(left->type);
    declared.push_back(op->left);
  }
  args.push_back(right);
  actual.push_back(right->type);
  declared.push_back(op->right);
  const Oid result = TRY(resolve_polymorphic(actual, declared, op->result, location));
  auto* made = node<CallExpr>(ExprTag::call, result, location);
  for (size_t i = 0; i < args.size(); ++i) {
    Expr* coerced = TRY(coerce(scope, args[i], declared[i], -1, CoercionContext::implicit,
                               CallForm::implicit_cast, -1));
    if (coerced == nullptr)
      return error(sqlstate::cannot_coerce,
                   cat("cannot cast type ", name_of(actual[i]), " to ", name_of(declared[i])),
                   args[i]->location);
    args[i] = coerced;
  }
  made->input_collation = TRY(input_collation(*this, args));
  made->function = op->function;
  made->op = op->oid;
  made->form = CallForm::operator_;
  made->args = arena_.copy_array(args);
  made->collation = TRY(type(result))->collation;
  const FunctionInfo* function = TRY(context_.catalog.function(context_.fiber, op->function));
  made->returns_set = function != nullptr && function->returns_set;
  return made;
}

Result<Expr*> Transform::scalar_array(Scope& scope, Names name, bool use_or, Expr* left,
                                      Expr* array, int location) {
  using type_oid::unknown;
  Oid element = unknown;
  if (array->type != unknown) {
    const Oid base = TRY(context_.catalog.base_type(context_.fiber, array->type, nullptr));
    const CatalogType* info = TRY(type(base));
    element = info->element;
    if (!element || !info->is_true_array()) {
      return error(sqlstate::wrong_object_type,
                   cat("op ANY/ALL (array) requires array on right side"), location);
    }
  }
  const OperatorInfo* op = TRY(find_operator(name, left->type, element, location, true));
  if (op->result != type_oid::bool_) {
    return error(sqlstate::wrong_object_type,
                 "op ANY/ALL (array) requires operator to yield boolean", location);
  }
  std::vector<Oid> actual{left->type, element};
  std::vector<Oid> declared{op->left, op->right};
  TRY(resolve_polymorphic(actual, declared, op->result, location));
  const Oid array_type = TRY(context_.catalog.array_type(context_.fiber, declared[1]));
  if (!array_type) {
    return error(sqlstate::undefined_object,
                 cat("could not find array type for data type ", name_of(declared[1])), location);
  }
  auto* made = node<ScalarArrayExpr>(ExprTag::scalar_array, type_oid::bool_, location);
  made->op = op->oid;
  made->function = op->function;
  made->use_or = use_or;
  made->left = TRY(coerce(&scope, left, declared[0], -1, CoercionContext::implicit,
                          CallForm::implicit_cast, -1));
  made->array = TRY(coerce(&scope, array, array_type, -1, CoercionContext::implicit,
                           CallForm::implicit_cast, -1));
  if (made->left == nullptr || made->array == nullptr) {
    return error(sqlstate::cannot_coerce, "op ANY/ALL (array) operands cannot be coerced",
                 location);
  }
  made->input_collation = made->left->collation;
  return made;
}

}  // namespace orrery
