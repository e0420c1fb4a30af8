#include "exec/index_bounds.h"

#include "base/text.h"
#include "exec/arrays.h"
#include "exec/detoast.h"
#include "exec/functions.h"
#include "exec/projection.h"
#include "exec/table_columns.h"
#include "func/cross_search.h"

namespace orrery {

Status IndexBounds::compile() {
  for (const IndexCondition& condition : plan_.conditions) {
    Condition c{&condition, std::nullopt, {}, kInvalidOid, {}, 0};
    if (condition.strategy == IndexStrategy::any_eq) {
      const CatalogType* array = TRY(context_.catalog.type(context_.fiber, condition.value->type));
      c.element_type = array->element;
    }
    if (condition.value != nullptr) {
      c.value = TRY(Evaluator::compile(context_, *condition.value, outer_column));
      c.desc = TRY(type_desc(context_, condition.value->type));
    }
    conditions_.push_back(std::move(c));
  }
  compares_.assign(static_cast<size_t>(plan_.index->keys), nullptr);
  crosses_.assign(compares_.size(), nullptr);
  for (size_t k = 0; k < compares_.size(); ++k) compares_[k] = plan_.index->storage.keys[k].compare;
  for (const IndexCondition& condition : plan_.conditions) {
    if (condition.cross == nullptr) continue;
    const auto k = static_cast<size_t>(condition.column);
    any_cross_ = true;
    crosses_[k] = condition.cross;
    if (condition.cross->compare != nullptr) compares_[k] = condition.cross->compare;
  }
  return {};
}

Result<bool> IndexBounds::evaluate(Arena& arena) {
  for (Condition& c : conditions_) {
    if (!c.value) continue;
    c.now = TRY(c.value->single(arena));
    if (c.now.is_null) return false;
    if (c.desc.length == -1) c.now.value = TRY(detoast(context_, arena, c.now.value));
    if (c.condition->strategy != IndexStrategy::any_eq) continue;
    TRY(take_elements(arena, c));
    if (c.elements.empty()) return false;
  }
  if (any_cross_) widen_all(arena);
  make_range();
  return true;
}

bool IndexBounds::advance() {
  for (size_t i = conditions_.size(); i > 0; --i) {
    Condition& c = conditions_[i - 1];
    if (c.condition->strategy != IndexStrategy::any_eq) continue;
    if (++c.at < c.elements.size()) {
      make_range();
      return true;
    }
    c.at = 0;
  }
  return false;
}

Status IndexBounds::take_elements(Arena& arena, Condition& c) {
  const IndexColumn& key = plan_.index->storage.keys[static_cast<size_t>(c.condition->column)];
  const auto all = TRY(deconstruct(context_, arena, c.element_type, c.now.value));
  c.elements.clear();
  c.at = 0;
  for (const NullableDatum& element : all) {
    if (!element.is_null) c.elements.push_back(element.value);
  }
  const bool reversed = key.descending != plan_.backward;
  std::sort(c.elements.begin(), c.elements.end(), [&](Datum a, Datum b) {
    const int order = key.compare(a, b);
    return reversed ? order > 0 : order < 0;
  });
  const auto equal = [&](Datum a, Datum b) { return key.compare(a, b) == 0; };
  c.elements.erase(std::unique(c.elements.begin(), c.elements.end(), equal), c.elements.end());
  return context_.fiber.charge(all.size() * 4);
}

void IndexBounds::widen_all(Arena& arena) {
  for (Condition& c : conditions_) {
    const CrossSearch* const cross = crosses_[static_cast<size_t>(c.condition->column)];
    if (cross == nullptr || !c.value) continue;
    const Oid from = c.condition->cross != nullptr ? c.condition->cross->given : cross->stored;
    const TypeSettings& settings = context_.session.types;
    if (c.condition->strategy == IndexStrategy::any_eq) {
      for (Datum& element : c.elements)
        element = widen(arena, settings, element, cross->stored, cross->wide);
    } else {
      c.now.value = widen(arena, settings, c.now.value, from, cross->wide);
    }
  }
}

void IndexBounds::make_range() {
  lower_.clear();
  upper_.clear();
  range_ = IndexRange{};
  for (const Condition& c : conditions_) {
    const auto column = static_cast<size_t>(c.condition->column);
    const IndexColumn& key = plan_.index->storage.keys[column];
    switch (c.condition->strategy) {
      case IndexStrategy::eq:
        add(lower_, column, c.now);
        add(upper_, column, c.now);
        break;
      case IndexStrategy::any_eq:
        add(lower_, column, {c.elements[c.at], false});
        add(upper_, column, {c.elements[c.at], false});
        break;
      case IndexStrategy::is_null:
        add(lower_, column, {});
        add(upper_, column, {});
        break;
      case IndexStrategy::is_not_null: bound_not_null(column, key); break;
      case IndexStrategy::lt:          bound(column, key, c.now, false, false); break;
      case IndexStrategy::le:          bound(column, key, c.now, false, true); break;
      case IndexStrategy::gt:          bound(column, key, c.now, true, false); break;
      case IndexStrategy::ge:          bound(column, key, c.now, true, true); break;
    }
  }
  range_.lower = lower_;
  range_.upper = upper_;
  if (any_cross_) range_.compare = compares_;
}

void IndexBounds::bound(size_t column, const IndexColumn& key, NullableDatum value, bool is_lower,
                        bool inclusive) {
  const bool low_side = is_lower != key.descending;
  std::vector<NullableDatum>& side = low_side ? lower_ : upper_;
  if (side.size() > column) {  // replaces the fence against NULLs
    side.resize(column);
  }
  add(side, column, value);
  (low_side ? range_.lower_inclusive : range_.upper_inclusive) = inclusive;
  fence(column, key, !low_side);
}

void IndexBounds::fence(size_t column, const IndexColumn& key, bool low_side) {
  if (key.nulls_first != low_side) return;  // NULLs lie at the other end
  std::vector<NullableDatum>& side = low_side ? lower_ : upper_;
  if (side.size() != column) return;  // bounded already
  side.push_back({});
  (low_side ? range_.lower_inclusive : range_.upper_inclusive) = false;
}

}  // namespace orrery
