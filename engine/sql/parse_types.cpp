// Type names. SQL's own spellings become names in pg_catalog: INTEGER is pg_catalog.int4.
#include "sql/parser_internal.h"

namespace orrery {
namespace {

// PostgreSQL's numbers for the fields of an interval, as bits of its typmod.
constexpr int32_t kMonth = 1 << 1;
constexpr int32_t kYear = 1 << 2;
constexpr int32_t kDay = 1 << 3;
constexpr int32_t kHour = 1 << 10;
constexpr int32_t kMinute = 1 << 11;
constexpr int32_t kSecond = 1 << 12;
constexpr int32_t kIntervalFullRange = 0x7FFF;

}  // namespace

TypeName* Parser::system_type(Name name, int location) {
  TypeName* const type = make<TypeName>(location);
  type->names = system_name(name);
  return type;
}

const TypeName* Parser::type_name() {
  Depth depth(*this);
  const bool setof = accept(kw_setof);
  TypeName* const type = arena_.make<TypeName>(*simple_type_name());
  type->setof = setof;
  if (accept(kw_array)) {
    ListBuilder<int32_t> bounds(arena_);
    if (accept('[')) {
      bounds.push(iconst());
      expect(']');
    } else {
      bounds.push(-1);
    }
    type->array_bounds = bounds.span();
  } else {
    type->array_bounds = opt_array_bounds();
  }
  return type;
}

std::span<const int32_t> Parser::opt_array_bounds() {
  ListBuilder<int32_t> bounds(arena_);
  while (accept('[')) {
    bounds.push(at(']') ? -1 : iconst());
    expect(']');
  }
  return bounds.span();
}

ListOf<TypeName> Parser::type_list() {
  return comma_list<TypeName>([this] { return type_name(); });
}

NodeList Parser::opt_type_modifiers() {
  if (!at('(')) return {};
  return paren_expr_list();
}

const TypeName* Parser::simple_type_name() {
  const int location = loc();
  switch (kind()) {
    case kw_int:
    case kw_integer:
    case kw_smallint:
    case kw_bigint:
    case kw_real:
    case kw_float:
    case kw_decimal:
    case kw_dec:
    case kw_numeric:
    case kw_boolean:  return numeric_type();
    case kw_double:
      if (peek_kind(1) == kw_precision) return numeric_type();
      return generic_type(location);
    case kw_bit:       return bit_type();
    case kw_character:
    case kw_char:
    case kw_varchar:
    case kw_national:
    case kw_nchar:     return character_type();
    case kw_timestamp:
    case kw_time:      return datetime_type();
    case kw_interval:  {
      advance();
      TypeName* const type = system_type("interval", location);
      if (accept('(')) {
        const int at_number = loc();
        const int32_t precision = iconst();
        expect(')');
        type->typmods =
            two<Node>(integer_const(kIntervalFullRange, -1), integer_const(precision, at_number));
      } else {
        type->typmods = opt_interval();
      }
      return type;
    }
    default: return generic_type(location);
  }
}

TypeName* Parser::generic_type(int location) {
  TypeName* const type = make<TypeName>(location);
  type->names = attrs(type_function_name());
  type->typmods = opt_type_modifiers();
  return type;
}

TypeName* Parser::numeric_type() {
  const int location = loc();
  const int token = kind();
  advance();
  switch (token) {
    case kw_int:
    case kw_integer:  return system_type("int4", location);
    case kw_smallint: return system_type("int2", location);
    case kw_bigint:   return system_type("int8", location);
    case kw_real:     return system_type("float4", location);
    case kw_boolean:  return system_type("bool", location);
    case kw_double:   expect(kw_precision); return system_type("float8", location);
    case kw_float:    {
      if (!accept('(')) return system_type("float8", location);
      const int at_number = loc();
      const int32_t bits = iconst();
      expect(')');
      if (bits < 1) {
        error(sqlstate::invalid_parameter_value, "precision for type float must be at least 1 bit",
              at_number);
      } else if (bits > 53) {
        error(sqlstate::invalid_parameter_value,
              "precision for type float must be less than 54 bits", at_number);
      }
      return system_type(bits <= 24 ? "float4" : "float8", location);
    }
    default: break;
  }
  TypeName* const type = system_type("numeric", location);
  type->typmods = opt_type_modifiers();
  return type;
}

TypeName* Parser::bit_type() {
  const int location = loc();
  expect(kw_bit);
  const bool varying = accept(kw_varying);
  TypeName* const type = system_type(varying ? "varbit" : "bit", location);
  if (at('(')) {
    type->typmods = paren_expr_list();
  } else if (!varying) {
    type->typmods = one<Node>(integer_const(1, -1));  // bit is bit(1); varbit has no limit
  }
  return type;
}

TypeName* Parser::character_type() {
  const int location = loc();
  bool varying = false;
  if (accept(kw_varchar)) {
    varying = true;
  } else {
    if (accept(kw_national)) {
      if (!accept(kw_character)) expect(kw_char);
    } else {
      advance();
    }
    varying = accept(kw_varying);
  }
  TypeName* const type = system_type(varying ? "varchar" : "bpchar", location);
  if (accept('(')) {
    const int at_number = loc();
    const int32_t length = iconst();
    expect(')');
    type->typmods = one<Node>(integer_const(length, at_number));
  } else if (!varying) {
    type->typmods = one<Node>(integer_const(1, -1));  // char is char(1)
  }
  return type;
}

TypeName* Parser::datetime_type() {
  const int location = loc();
  const bool timestamp = at(kw_timestamp);
  advance();
  NodeList typmods;
  if (accept('(')) {
    const int at_number = loc();
    const int32_t precision = iconst();
    expect(')');
    typmods = one<Node>(integer_const(precision, at_number));
  }
  bool zone = false;
  if (accept(tok_with_la)) {
    expect_all({kw_time, kw_zone});
    zone = true;
  } else if (accept(kw_without)) {
    expect_all({kw_time, kw_zone});
  }
  TypeName* const type = system_type(
      timestamp ? (zone ? "timestamptz" : "timestamp") : (zone ? "timetz" : "time"), location);
  type->typmods = typmods;
  return type;
}

const Node* Parser::interval_second(int location) {
  expect(kw_second);
  if (!accept('(')) return nullptr;
  const int at_number = loc();
  const int32_t precision = iconst();
  expect(')');
  static_cast<void>(location);
  return integer_const(precision, at_number);
}

NodeList Parser::opt_interval() {
  const int location = loc();
  int32_t mask = 0;
  const Node* precision = nullptr;
  const auto to = [&](std::initializer_list<std::pair<int, int32_t>> ends) {
    if (!accept(kw_to)) return;
    for (const auto& [token, bits] : ends) {
      if (!at(token)) continue;
      if (token == kw_second) {
        precision = interval_second(location);
      } else {
        advance();
      }
      mask = bits;
      return;
    }
    syntax_error();
  };
  switch (kind()) {
    case kw_year:
      advance();
      mask = kYear;
      to({{kw_month, kYear | kMonth}});
      break;
    case kw_month:
      advance();
      mask = kMonth;
      break;
    case kw_day:
      advance();
      mask = kDay;
      to({{kw_hour, kDay | kHour},
          {kw_minute, kDay | kHour | kMinute},
          {kw_second, kDay | kHour | kMinute | kSecond}});
      break;
    case kw_hour:
      advance();
      mask = kHour;
      to({{kw_minute, kHour | kMinute}, {kw_second, kHour | kMinute | kSecond}});
      break;
    case kw_minute:
      advance();
      mask = kMinute;
      to({{kw_second, kMinute | kSecond}});
      break;
    case kw_second:
      mask = kSecond;
      precision = interval_second(location);
      break;
    default: return {};
  }
  const Node* const range = integer_const(mask, location);
  return precision == nullptr ? one<Node>(range) : two<Node>(range, precision);
}

const TypeName* Parser::func_type() {
  // [SETOF] name.column%TYPE begins as a type does; only the percent sign tells.
  const TypeName* const type = type_name();
  if (!at('%') || !type->typmods.empty() || !type->array_bounds.empty() || type->names.size() < 2) {
    return type;
  }
  advance();
  expect(kw_type);
  TypeName* const reference = arena_.make<TypeName>(*type);
  reference->pct_type = true;
  return reference;
}

}  // namespace orrery
