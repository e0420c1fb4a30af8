#include "types/acl_item.h"

#include "base/text.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// A role's name at the start of `text`, which is cut: quoted or plain.
Result<std::string> take_role(std::string_view& text) {
  std::string out;
  bool quoted = false;
  size_t i = 0;
  for (; i < text.size(); ++i) {
    if (text[i] == '"') {
      if (quoted && i + 1 < text.size() && text[i + 1] == '"') {
        out += text[++i];
      } else {
        quoted = !quoted;
      }
      continue;
    }
    if (!quoted && !is_plain(text[i])) break;
    out += text[i];
  }
  if (out.size() > 63) {
    return raise(sqlstate::name_too_long, "identifier too long")
        .detail("Identifier must be less than 64 characters.");
  }
  text.remove_prefix(i);
  return out;
}

// Names inside an item are quoted by other rules than SQL's: letters, digits and _ stand bare.
void append_role(const std::string& name, std::string& out) {
  bool plain = true;
  for (char c : name) plain = plain && is_plain(c);
  if (plain) {
    out += name;
    return;
  }
  out += '"';
  for (char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

Result<Oid> role_of(IoContext& context, const std::string& name) {
  if (context.settings.names == nullptr) {
    return unsupported("names of catalog objects in this context");
  }
  std::string quoted = "\"";
  for (char c : name) quoted.append(c == '"' ? 2 : 1, c);
  quoted += '"';
  return context.settings.names->resolve(type_oid::regrole, quoted);
}

Status append_role_of(IoContext& context, Oid role, std::string& out) {
  if (context.settings.names == nullptr) {
    out += cat(role);
    return {};
  }
  std::string shown;
  TRY(context.settings.names->append_name(type_oid::regrole, role, shown));
  std::string_view rest = shown;
  const std::string name = TRY(take_role(rest));
  append_role(name, out);
  return {};
}

}  // namespace

Result<Datum> acl_item_in(IoContext& context, std::string_view text) {
  std::string_view rest = text;
  while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
  std::string name = TRY(take_role(rest));
  if (name == "group" || name == "user") {
    while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
    name = TRY(take_role(rest));
    if (name.empty()) {
      return raise(sqlstate::invalid_text_representation, "missing name")
          .hint("A name must follow the \"group\" or \"user\" key word.");
    }
  }
  if (rest.empty() || rest.front() != '=') {
    return raise(sqlstate::invalid_text_representation, "missing \"=\" sign");
  }
  rest.remove_prefix(1);
  uint32_t mode = 0;
  uint32_t last = 0;
  for (; !rest.empty() && rest.front() != '/' && rest.front() != ' '; rest.remove_prefix(1)) {
    if (rest.front() == '*') {
      mode |= last << 16;
      continue;
    }
    const size_t bit = kAclLetters.find(rest.front());
    if (bit == std::string_view::npos) {
      return raise(sqlstate::invalid_text_representation,
                   cat("invalid mode character: must be one of \"", kAclLetters, "\""));
    }
    last = uint32_t{1} << bit;
    mode |= last;
  }
  Oid grantee, grantor{10};
  if (!name.empty()) grantee = TRY(role_of(context, name));
  if (!rest.empty() && rest.front() == '/') {
    rest.remove_prefix(1);
    const std::string by = TRY(take_role(rest));
    if (by.empty()) {
      return raise(sqlstate::invalid_text_representation, "a name must follow the \"/\" sign");
    }
    grantor = TRY(role_of(context, by));
  }
  while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
  if (!rest.empty()) {
    return raise(sqlstate::invalid_text_representation,
                 "extra garbage at the end of the ACL specification");
  }
  char* const at = static_cast<char*>(context.arena.allocate(12, 4));
  store(at, grantee);
  store(at + 4, grantor);
  store(at + 8, mode);
  return Datum::of(static_cast<const void*>(at));
}

Status acl_item_out(IoContext& context, Datum value, std::string& out) {
  const char* const at = value.as<const char*>();
  const Oid grantee = load<Oid>(at), grantor = load<Oid>(at + 4);
  const auto mode = load<uint32_t>(at + 8);
  if (grantee) TRY(append_role_of(context, grantee, out));
  out += '=';
  for (size_t bit = 0; bit < kAclLetters.size(); ++bit) {
    if ((mode >> bit & 1) != 0) out += kAclLetters[bit];
    if ((mode >> (bit + 16) & 1) != 0) out += '*';
  }
  out += '/';
  return append_role_of(context, grantor, out);
}

}  // namespace orrery
