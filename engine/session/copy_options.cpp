#include "session/copy_options.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "command/helpers.h"
#include "session/setting.h"
#include "sql/parser.h"

namespace orrery {
namespace {

Status not_supported(std::string message) {
  return raise(sqlstate::feature_not_supported, std::move(message));
}
Status invalid(std::string message) {
  return raise(sqlstate::invalid_parameter_value, std::move(message));
}

class OptionReader {
 public:
  OptionReader(const CopyStmt& statement, std::string_view text)
      : statement_(statement), text_(text) {}

  Result<CopyOptions> read() {
    for (const DefElem* option : statement_.options) TRY(read_one(*option));
    TRY(check());
    return std::move(options_);
  }

 private:
  int position(const Node& node) const { return character_position(text_, node.location); }

  static Result<std::string> string_of(const DefElem& option) { return option_text(option); }

  Result<bool> bool_of(const DefElem& option) {
    if (option.arg == nullptr) return true;
    const std::string word = TRY(string_of(option));
    const std::optional<bool> value = parse_bool_word(word);
    if (value) return *value;
    return raise(sqlstate::syntax_error, cat(option.defname, " requires a Boolean value"));
  }

  Result<std::vector<std::string>> names_of(const DefElem& option) {
    std::vector<std::string> names;
    const auto* list = as_if<List>(option.arg);
    if (list == nullptr) {
      return invalid(
                 cat("argument to option \"", option.defname, "\" must be a list of column names"))
          .at(position(option));
    }
    for (const Node* item : list->items) names.emplace_back(as<String>(*item).sval);
    return names;
  }

  // An option may be given once.
  Status once(const DefElem& option, bool& seen) {
    if (std::exchange(seen, true)) {
      return raise(sqlstate::syntax_error, "conflicting or redundant options").at(position(option));
    }
    return {};
  }

  Result<char> one_byte(const DefElem& option, std::string_view what, bool& seen) {
    TRY(once(option, seen));
    const std::string value = TRY(string_of(option));
    if (value.size() != 1)
      return not_supported(cat("COPY ", what, " must be a single one-byte character"));
    return value[0];
  }

  Status read_one(const DefElem& option) {
    const Name name = option.defname;
    if (name == "format") return read_format(option);
    if (name == "header") return read_header(option);
    if (name == "delimiter") {
      options_.delimiter = TRY(one_byte(option, "delimiter", has_delimiter_));
    } else if (name == "quote") {
      options_.quote = TRY(one_byte(option, "quote", has_quote_));
    } else if (name == "escape") {
      options_.escape = TRY(one_byte(option, "escape", has_escape_));
    } else if (name == "null") {
      TRY(once(option, has_null_));
      options_.null_text = TRY(string_of(option));
    } else if (name == "freeze") {
      TRY(once(option, has_freeze_));
      options_.freeze = TRY(bool_of(option));
    } else if (name == "force_quote") {
      TRY(once(option, has_force_quote_));
      options_.force_quote_all = option.arg != nullptr && option.arg->tag == NodeTag::A_Star;
      if (!options_.force_quote_all) options_.force_quote = TRY(names_of(option));
    } else if (name == "force_not_null") {
      TRY(once(option, has_force_not_null_));
      options_.force_not_null = TRY(names_of(option));
    } else if (name == "force_null") {
      TRY(once(option, has_force_null_));
      options_.force_null = TRY(names_of(option));
    } else if (name == "encoding") {
      return read_encoding(option);
    } else {
      return raise(sqlstate::syntax_error, cat("option \"", name, "\" not recognized"))
          .at(position(option));
    }
    return {};
  }

  Status read_format(const DefElem& option) {
    TRY(once(option, has_format_));
    const std::string format = TRY(string_of(option));
    if (format == "text")
      options_.format = CopyOptions::Format::text;
    else if (format == "csv")
      options_.format = CopyOptions::Format::csv;
    else if (format == "binary")
      options_.format = CopyOptions::Format::binary;
    else
      return invalid(cat("COPY format \"", format, "\" not recognized")).at(position(option));
    return {};
  }

  Status read_header(const DefElem& option) {
    TRY(once(option, has_header_));
    std::string word = "true";
    if (option.arg != nullptr) word = TRY(string_of(option));
    if (equals_ignoring_case(word, "match")) {
      if (!statement_.is_from) return not_supported("cannot use \"match\" with HEADER in COPY TO");
      options_.header = CopyOptions::Header::match;
      return {};
    }
    const std::optional<bool> value = parse_bool_word(word);
    if (!value)
      return raise(sqlstate::syntax_error, "header requires a Boolean value or \"match\"");
    options_.header = *value ? CopyOptions::Header::present : CopyOptions::Header::none;
    return {};
  }

  Status read_encoding(const DefElem& option) {
    TRY(once(option, has_encoding_));
    const std::string given = TRY(string_of(option));
    const std::string name = to_lower(given);
    if (name == "utf8" || name == "utf-8" || name == "unicode" || name == "sql_ascii") return {};
    return invalid("argument to option \"encoding\" must be a valid encoding name")
        .at(position(option));
  }

  Status check() {
    const bool binary = options_.format == CopyOptions::Format::binary;
    const bool csv = options_.format == CopyOptions::Format::csv;
    if (binary && has_delimiter_)
      return raise(sqlstate::syntax_error, "cannot specify DELIMITER in BINARY mode");
    if (binary && has_null_)
      return raise(sqlstate::syntax_error, "cannot specify NULL in BINARY mode");
    if (csv && !has_delimiter_) options_.delimiter = ',';
    if (csv && !has_null_) options_.null_text.clear();
    if (csv && !has_escape_) options_.escape = options_.quote;
    const std::string_view null = options_.null_text;
    const char delimiter = options_.delimiter;
    if (delimiter == '\n' || delimiter == '\r')
      return invalid("COPY delimiter cannot be newline or carriage return");
    if (null.find_first_of("\r\n") != std::string_view::npos) {
      return invalid("COPY null representation cannot use newline or carriage return");
    }
    if (!csv && std::string_view("\\.abcdefghijklmnopqrstuvwxyz0123456789").find(delimiter) !=
                    std::string_view::npos) {
      return invalid(cat("COPY delimiter cannot be \"", delimiter, "\""));
    }
    if (binary && options_.header != CopyOptions::Header::none)
      return not_supported("cannot specify HEADER in BINARY mode");
    if (!csv && has_quote_) return not_supported("COPY quote available only in CSV mode");
    if (csv && delimiter == options_.quote)
      return invalid("COPY delimiter and quote must be different");
    if (!csv && has_escape_) return not_supported("COPY escape available only in CSV mode");
    if (!csv && has_force_quote_)
      return not_supported("COPY force quote available only in CSV mode");
    if (has_force_quote_ && statement_.is_from)
      return not_supported("COPY force quote only available using COPY TO");
    if (!csv && has_force_not_null_)
      return not_supported("COPY force not null available only in CSV mode");
    if (has_force_not_null_ && !statement_.is_from)
      return not_supported("COPY force not null only available using COPY FROM");
    if (!csv && has_force_null_) return not_supported("COPY force null available only in CSV mode");
    if (has_force_null_ && !statement_.is_from)
      return not_supported("COPY force null only available using COPY FROM");
    if (null.find(delimiter) != std::string_view::npos) {
      return not_supported("COPY delimiter must not appear in the NULL specification");
    }
    if (csv && null.find(options_.quote) != std::string_view::npos) {
      return not_supported("CSV quote character must not appear in the NULL specification");
    }
    return {};
  }

  const CopyStmt& statement_;
  const std::string_view text_;
  CopyOptions options_;
  bool has_format_ = false, has_header_ = false, has_delimiter_ = false, has_quote_ = false,
       has_escape_ = false, has_null_ = false, has_freeze_ = false, has_force_quote_ = false,
       has_force_not_null_ = false, has_force_null_ = false, has_encoding_ = false;
};

}  // namespace

Result<CopyOptions> read_copy_options(const CopyStmt& statement, std::string_view text) {
  return OptionReader(statement, text).read();
}

}  // namespace orrery
