// Arrays as text, "{1,2,{...}}" with "[lower:upper]=" in front where bounds are not 1, and in
// binary.
#include <charconv>

#include "base/text.h"
#include "types/array.h"
#include "types/integer_types.h"
#include "types/text_scan.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

// Reads one array literal: bounds, then nested braces. Every sub-array of a level must have one
// size.
class ArrayParser {
 public:
  ArrayParser(IoContext& context, const TypeInfo& element, std::string_view text)
      : context_(context), element_(element), text_(text) {}

  Result<Datum> run() {
    ArrayShape given;
    TRY(bounds(given));
    const bool has_bounds = !given.sizes.empty();
    skip();
    if (!accept('{')) {
      return malformed(has_bounds ? "Array contents must start with \"{\"."
                                  : "Array value must start with \"{\" or dimension information.");
    }
    TRY(level(0));
    skip();
    if (at_ != text_.size()) return malformed("Junk after closing right brace.");
    if (values_.empty()) {
      if (has_bounds) return malformed("Specified array dimensions do not match array contents.");
      return make_array(context_.arena, element_, {}, {});
    }
    ArrayShape shape;
    for (const int32_t size : sizes_) shape.sizes.push_back(size);
    shape.lower.assign(shape.sizes.size(), 1);
    if (has_bounds) {
      if (given.sizes != shape.sizes)
        return malformed("Specified array dimensions do not match array contents.");
      shape.lower = given.lower;
    }
    TRY(check_array_size(shape));
    return make_array(context_.arena, element_, shape, values_);
  }

 private:
  Status malformed(std::string_view detail) {
    return raise(sqlstate::invalid_text_representation,
                 cat("malformed array literal: \"", text_, "\""))
        .detail(std::string(detail));
  }
  void skip() { at_ = skip_spaces(text_, at_); }
  bool accept(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  Result<int32_t> bound() {
    int64_t value = 0;
    const size_t from = at_ < text_.size() && text_[at_] == '+' ? at_ + 1 : at_;
    const auto [end, error] =
        std::from_chars(text_.data() + from, text_.data() + text_.size(), value);
    if (error == std::errc::invalid_argument)
      return malformed("\"[\" must introduce explicitly-specified array dimensions.");
    // What no int holds wraps around, as everywhere in PostgreSQL's bounds.
    if (error != std::errc()) value = text_[at_] == '-' ? INT64_MIN : INT64_MAX;
    at_ = static_cast<size_t>(end - text_.data());
    return static_cast<int32_t>(static_cast<uint32_t>(value));
  }

  // "[1:3][0:2]="
  Status bounds(ArrayShape& shape) {
    skip();
    while (accept('[')) {
      if (shape.dimensions() == kMaxArrayDimensions)
        return too_many_dimensions(shape.dimensions() + 1);
      int32_t low = 1;
      int32_t high = TRY(bound());
      if (accept(':')) {
        low = high;
        if (!is_digit(peek()) && peek() != '-' && peek() != '+')
          return malformed("Missing array dimension value.");
        high = TRY(bound());
      }
      if (!accept(']')) return malformed("Missing \"]\" after array dimensions.");
      if (high < low)
        return raise(sqlstate::array_subscript_error,
                     "upper bound cannot be less than lower bound");
      const uint32_t size = static_cast<uint32_t>(high) - static_cast<uint32_t>(low) + 1;
      shape.sizes.push_back(static_cast<int32_t>(size));
      shape.lower.push_back(low);
      skip();
    }
    if (!shape.sizes.empty() && !accept('='))
      return malformed("Missing \"=\" after array dimensions.");
    return {};
  }

  // The inside of braces, the opening one consumed.
  Status level(size_t depth) {
    if (depth >= kMaxArrayDimensions) return too_many_dimensions(static_cast<int>(depth) + 1);
    if (depth == sizes_.size()) {
      if (leaf_depth_ >= 0)
        return malformed("Multidimensional arrays must have sub-arrays with matching dimensions.");
      sizes_.push_back(-1);
    }
    int32_t count = 0;
    skip();
    if (accept('}')) return depth == 0 ? close(depth, 0) : malformed("Unexpected \"}\" character.");
    while (true) {
      skip();
      if (at_ == text_.size()) return malformed("Unexpected end of input.");
      if (accept('{')) {
        if (leaf_depth_ >= 0 && leaf_depth_ <= static_cast<int>(depth)) {
          return leaf_depth_ == static_cast<int>(depth) && count > 0
                     ? malformed("Unexpected \"{\" character.")
                     : malformed(
                           "Multidimensional arrays must have sub-arrays with matching "
                           "dimensions.");
        }
        TRY(level(depth + 1));
      } else {
        if (depth + 1 < sizes_.size()) {
          return malformed(count > 0 ? "Unexpected array element."
                                     : "Multidimensional arrays must have sub-arrays with "
                                       "matching dimensions.");
        }
        leaf_depth_ = static_cast<int>(depth);
        TRY(check_stop(context_.settings.stop));
        TRY(element());
      }
      ++count;
      skip();
      if (accept('}')) return close(depth, count);
      if (at_ == text_.size()) return malformed("Unexpected end of input.");
      if (!accept(element_.delimiter)) {
        return malformed(peek() == '{' ? "Unexpected \"{\" character."
                                       : "Unexpected array element.");
      }
      skip();
      if (peek() == '}') return malformed("Unexpected \"}\" character.");
    }
  }

  Status close(size_t depth, int32_t count) {
    if (sizes_[depth] >= 0 && sizes_[depth] != count) {
      return malformed("Multidimensional arrays must have sub-arrays with matching dimensions.");
    }
    sizes_[depth] = count;
    return {};
  }

  Status element() {
    std::string text;
    bool quoted = false;
    bool escaped = false;
    size_t solid = 0;  // bytes of `text` that are not trailing blanks
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        if (quoted || solid > 0) return malformed("Unexpected array element.");
        quoted = true;
        ++at_;
        TRY(quoted_part(text));
        solid = text.size();
        continue;
      }
      if (c == '\\') {
        if (quoted) return malformed("Unexpected \"\\\" character.");
        if (++at_ == text_.size()) return malformed("Unexpected end of input.");
        text.push_back(text_[at_++]);
        solid = text.size();
        escaped = true;
        continue;
      }
      if (c == '{') return malformed("Unexpected \"{\" character.");
      if (c == '}' || c == element_.delimiter) break;
      ++at_;
      if (quoted && !is_space(c)) return malformed("Unexpected array element.");
      if (quoted) continue;
      text.push_back(c);
      if (!is_space(c)) solid = text.size();
    }
    if (at_ == text_.size()) return malformed("Unexpected end of input.");
    text.resize(solid);
    if (!quoted && text.empty())
      return malformed(cat("Unexpected \"", std::string(1, peek()), "\" character."));
    if (!quoted && !escaped && equals_ignoring_case(text, "null")) {
      values_.push_back({});
      return {};
    }
    IoContext inner{context_.arena, context_.settings, element_.oid, context_.typmod};
    const Datum value = TRY(element_.input(inner, text));
    values_.push_back({value, false});
    return {};
  }

  Status quoted_part(std::string& text) {
    while (at_ < text_.size()) {
      char c = text_[at_++];
      if (c == '"') return {};
      if (c == '\\') {
        if (at_ == text_.size()) break;
        c = text_[at_++];
      }
      text.push_back(c);
    }
    return malformed("Unexpected end of input.");
  }

  IoContext& context_;
  const TypeInfo& element_;
  std::string_view text_;
  size_t at_ = 0;
  std::vector<int32_t> sizes_;  // -1 until the first sub-array of the level closed
  int leaf_depth_ = -1;
  std::vector<NullableDatum> values_;
};

bool needs_quotes(std::string_view text, char delimiter) {
  if (text.empty() || equals_ignoring_case(text, "null")) return true;
  for (const char c : text) {
    if (c == '"' || c == '\\' || c == '{' || c == '}' || c == delimiter || is_space(c)) return true;
  }
  return false;
}

Status append_element(IoContext& context, const TypeInfo& type, NullableDatum value,
                      std::string& out) {
  if (value.is_null) {
    out += "NULL";
    return {};
  }
  std::string text;
  IoContext inner{context.arena, context.settings, type.oid};
  TRY(type.output(inner, value.value, text));
  if (!needs_quotes(text, type.delimiter)) {
    out += text;
    return {};
  }
  out.push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  out.push_back('"');
  return {};
}

Result<const TypeInfo*> element_of(IoContext& context) {
  const TypeInfo* const array = TRY(find_type(context.settings, context.type));
  return find_type(context.settings, array->element);
}

Status append_level(IoContext& context, const TypeInfo& type, ArrayView& view, size_t depth,
                    std::string& out) {
  out.push_back('{');
  const int32_t size = view.shape().sizes[depth];
  for (int32_t i = 0; i < size; ++i) {
    TRY(check_stop(context.settings.stop));
    if (i > 0) out.push_back(type.delimiter);
    if (depth + 1 < view.shape().sizes.size()) {
      TRY(append_level(context, type, view, depth + 1, out));
    } else {
      TRY(append_element(context, type, view.next(), out));
    }
  }
  out.push_back('}');
  return {};
}

}  // namespace

Result<Datum> array_in(IoContext& context, std::string_view text) {
  const TypeInfo* const element = TRY(element_of(context));
  if (element->input == nullptr)
    return unsupported(cat("text input of values of type ", element->name));
  return ArrayParser(context, *element, text).run();
}

Status array_out(IoContext& context, Datum value, std::string& out) {
  const TypeInfo* const element = TRY(find_type(context.settings, ArrayView::element_type(value)));
  if (element->output == nullptr)
    return unsupported(cat("text output of values of type ", element->name));
  ArrayView view(value, *element);
  if (view.count() == 0) {
    out += "{}";
    return {};
  }
  const ArrayShape& shape = view.shape();
  bool plain = true;
  for (const int32_t low : shape.lower) plain &= low == 1;
  if (!plain) {
    for (size_t d = 0; d < shape.sizes.size(); ++d)
      out += cat("[", shape.lower[d], ":", shape.lower[d] + shape.sizes[d] - 1, "]");
    out.push_back('=');
  }
  return append_level(context, *element, view, 0, out);
}

Result<Datum> array_receive(IoContext& context, Bytes bytes) {
  ByteReader reader(bytes);
  const auto bad = [] {
    return raise(sqlstate::invalid_binary_representation, "incorrect binary data format");
  };
  const auto dimensions = reader.read_be<int32_t>();
  const auto flags = reader.read_be<int32_t>();
  const Oid type(reader.read_be<uint32_t>());
  if (dimensions < 0)
    return raise(sqlstate::invalid_binary_representation,
                 cat("invalid number of dimensions: ", dimensions));
  if (dimensions > kMaxArrayDimensions) return too_many_dimensions(dimensions);
  if (flags != 0 && flags != 1)
    return raise(sqlstate::invalid_binary_representation, "invalid array flags");
  const TypeInfo* const element = TRY(element_of(context));
  if (type != element->oid) {
    return raise(sqlstate::datatype_mismatch, cat("binary data has array element type ", type,
                                                  " instead of expected ", element->oid));
  }
  if (element->receive == nullptr)
    return unsupported(cat("binary input of values of type ", element->name));
  ArrayShape shape;
  for (int32_t d = 0; d < dimensions; ++d) {
    shape.sizes.push_back(reader.read_be<int32_t>());
    shape.lower.push_back(reader.read_be<int32_t>());
    int32_t end = 0;
    if (shape.sizes.back() < 0 ||
        __builtin_add_overflow(shape.lower.back(), shape.sizes.back() - 1, &end))
      return bad();
  }
  TRY(check_array_size(shape));
  if (!reader.ok() || shape.count() > static_cast<int64_t>(reader.remaining() / 4))
    return bad_binary_length(bytes, bytes.size() + 1);
  std::vector<NullableDatum> values;
  IoContext inner{context.arena, context.settings, element->oid, context.typmod};
  for (int64_t i = 0; i < shape.count(); ++i) {
    const auto size = reader.read_be<int32_t>();
    if (size == -1) {
      values.push_back({});
      continue;
    }
    const Bytes piece = reader.take(size < 0 ? SIZE_MAX : static_cast<size_t>(size));
    if (!reader.ok())
      return raise(sqlstate::protocol_violation, "insufficient data left in message");
    const Datum value = TRY(element->receive(inner, piece));
    values.push_back({value, false});
  }
  if (!reader.ok() || reader.remaining() != 0) return bad();
  if (values.empty()) shape = {};
  return make_array(context.arena, *element, shape, values);
}

Status array_send(IoContext& context, Datum value, std::string& out) {
  const TypeInfo* const element = TRY(find_type(context.settings, ArrayView::element_type(value)));
  if (element->send == nullptr)
    return unsupported(cat("binary output of values of type ", element->name));
  ArrayView view(value, *element);
  ByteWriter writer(out);
  writer.write_be(view.shape().dimensions());
  writer.write_be(view.has_nulls() ? 1 : 0);
  writer.write_be(element->oid.v);
  for (size_t d = 0; d < view.shape().sizes.size(); ++d) {
    writer.write_be(view.shape().sizes[d]);
    writer.write_be(view.shape().lower[d]);
  }
  IoContext inner{context.arena, context.settings, element->oid};
  for (int64_t i = 0; i < view.count(); ++i) {
    const NullableDatum item = view.next();
    if (item.is_null) {
      writer.write_be(int32_t{-1});
      continue;
    }
    const size_t length_at = out.size();
    writer.write_be(int32_t{0});
    TRY(element->send(inner, item.value, out));
    store_be(out.data() + length_at, static_cast<int32_t>(out.size() - length_at - 4));
  }
  return {};
}

Result<Datum> vector_in(IoContext& context, std::string_view text) {
  const bool is_oid = context.type == type_oid::oidvector;
  const TypeInfo& element = *find_builtin_type(is_oid ? type_oid::oid : type_oid::int2);
  std::vector<NullableDatum> values;
  for (size_t at = skip_spaces(text, 0); at < text.size(); at = skip_spaces(text, at)) {
    size_t end = at;
    while (end < text.size() && !is_space(text[end])) ++end;
    const std::string_view word = text.substr(at, end - at);
    at = end;
    if (is_oid) {
      const auto number = TRY(parse_oid(word));
      values.push_back({Datum::of(number), false});
    } else {
      const auto number = TRY(parse_int2(word));
      values.push_back({Datum::of(number), false});
    }
  }
  // One dimension even when empty, as PostgreSQL stores it.
  return make_array(context.arena, element, {{static_cast<int32_t>(values.size())}, {0}}, values);
}

Status vector_out(IoContext& context, Datum value, std::string& out) {
  const TypeInfo* const element = TRY(find_type(context.settings, ArrayView::element_type(value)));
  ArrayView view(value, *element);
  IoContext inner{context.arena, context.settings, element->oid};
  for (int64_t i = 0; i < view.count(); ++i) {
    if (i > 0) out.push_back(' ');
    TRY(element->output(inner, view.next().value, out));
  }
  return {};
}

Result<Datum> vector_receive(IoContext& context, Bytes bytes) {
  const bool is_oid = context.type == type_oid::oidvector;
  IoContext inner{context.arena, context.settings,
                  is_oid ? type_oid::oid_array : type_oid::int2_array};
  return array_receive(inner, bytes);
}

}  // namespace orrery
