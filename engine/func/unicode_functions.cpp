// Unicode's normal forms (UAX #15), and text in other encodings than the database's, which is
// UTF-8.
#include <cstdlib>
#include <utf8proc.h>

#include "base/text.h"
#include "func/lift.h"

namespace orrery {
namespace {

Result<utf8proc_option_t> normal_form(std::string_view name) {
  const auto composed = UTF8PROC_COMPOSE;
  const auto decomposed = UTF8PROC_DECOMPOSE;
  const auto with = [](utf8proc_option_t form, int more) {
    return static_cast<utf8proc_option_t>(form | UTF8PROC_STABLE | more);
  };
  if (equals_ignoring_case(name, "NFC")) return with(composed, 0);
  if (equals_ignoring_case(name, "NFD")) return with(decomposed, 0);
  if (equals_ignoring_case(name, "NFKC")) return with(composed, UTF8PROC_COMPAT);
  if (equals_ignoring_case(name, "NFKD")) return with(decomposed, UTF8PROC_COMPAT);
  return raise(sqlstate::invalid_parameter_value, cat("invalid normalization form: ", name));
}

Result<std::string> normalize(std::string_view text, std::string_view form_name) {
  const utf8proc_option_t form = TRY(normal_form(form_name));
  utf8proc_uint8_t* made = nullptr;
  const auto count = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                  static_cast<utf8proc_ssize_t>(text.size()), &made, form);
  // The text is UTF-8: only memory or the length of the result can be at fault.
  if (count < 0) return raise(sqlstate::program_limit_exceeded, "Unicode string too long");
  std::string out(reinterpret_cast<const char*>(made), static_cast<size_t>(count));
  std::free(made);
  return out;
}

constexpr auto kTable = sorted_by_name(std::to_array<FunctionBody>({
    body("unicode_normalize_func",
         lift([](std::string_view text, std::string_view form) { return normalize(text, form); })),
    body("unicode_is_normalized",
         lift([](std::string_view text, std::string_view form) -> Result<bool> {
           const std::string normal = TRY(normalize(text, form));
           return normal == text;
         })),
}));

}  // namespace

std::span<const FunctionBody> unicode_functions() { return kTable; }

}  // namespace orrery
