#include "sql/parser.h"

#include "sql/parser_internal.h"

namespace orrery {

Result<std::span<const RawStmt* const>> parse(Arena& arena, std::string_view text,
                                              const ParseOptions& options) {
  if (text.size() >= INT32_MAX) {
    return raise(sqlstate::program_limit_exceeded, "the statement is longer than 2 GB");
  }
  Parser parser(arena, text, options);
  return parser.run();
}

Parser::Parser(Arena& arena, std::string_view text, const ParseOptions& options)
    : arena_(arena), text_(text), options_(options), lexer_(arena, text, options) {}

Result<std::span<const RawStmt* const>> Parser::run() {
  NodeListBuilder<RawStmt> statements(arena_);
  count_ = 0;
  head_ = kLookahead - 1;
  advance();
  uint32_t after_semicolon = 0;
  while (!failed_) {
    if (!at(';') && !at(tok_end)) {
      const Node* const stmt = statement();
      if (!failed_ && !at(';') && !at(tok_end)) syntax_error();
      if (failed_) break;
      if (arena_.budget() != nullptr) TRY(arena_.budget()->check());
      RawStmt* const raw = make<RawStmt>();
      raw->stmt = stmt;
      raw->stmt_location = static_cast<int32_t>(after_semicolon);
      raw->stmt_len = at(';') ? static_cast<int32_t>(cur().start - after_semicolon) : 0;
      statements.push(raw);
    }
    if (at(tok_end)) break;
    after_semicolon = cur().end;
    advance();
  }
  if (failed_) return std::move(error_);
  return statements.span();
}

const Token& Parser::peek(int n) {
  CHECK(n < kLookahead);
  while (count_ <= n) {
    tokens_[(head_ + count_) % kLookahead] = lexer_.next();
    ++count_;
  }
  return tokens_[(head_ + n) % kLookahead];
}

void Parser::advance() {
  if (failed_) return;
  if (count_ > 0) {
    previous_start_ = cur().start;
    previous_end_ = cur().end;
    --count_;
  }
  head_ = (head_ + 1) % kLookahead;
  if (count_ == 0) {
    tokens_[head_] = lexer_.next();
    count_ = 1;
  }
  Token& token = tokens_[head_];
  // Three keywords mean something else before certain words, as PostgreSQL's one-token filter has
  // it.
  if (token.kind == kw_not) {
    const int next = peek_kind(1);
    if (next == kw_between || next == kw_in || next == kw_like || next == kw_ilike ||
        next == kw_similar) {
      token.kind = tok_not_la;
    }
  } else if (token.kind == kw_with) {
    const int next = peek_kind(1);
    if (next == kw_time || next == kw_ordinality) token.kind = tok_with_la;
  } else if (token.kind == kw_nulls) {
    const int next = peek_kind(1);
    if (next == kw_first || next == kw_last) token.kind = tok_nulls_la;
  } else if (token.kind == tok_error) {
    fail(lexer_.take_error());
  }
}

void Parser::fail(Status status) {
  if (failed_) return;
  failed_ = true;
  error_ = std::move(status);
  for (Token& token : tokens_) token.kind = tok_error;
  count_ = kLookahead;
}

void Parser::syntax_error(std::string_view message) {
  if (failed_) return;
  fail(lexer_.syntax_error(message, cur().start, cur().end));
}

void Parser::error(const SqlState& code, std::string message, int location, const char* hint) {
  if (failed_) return;
  Status status = raise(code, std::move(message)).at(character_position(text_, location));
  fail(hint == nullptr ? std::move(status) : std::move(status).hint(hint));
}

void Parser::not_implemented(std::string message, int location) {
  error(sqlstate::feature_not_supported, std::move(message), location);
}

const String* Parser::string_node(std::string_view text) {
  String* const node = make<String>();
  node->sval = text;
  return node;
}
const Integer* Parser::integer_node(int32_t value) {
  Integer* const node = make<Integer>();
  node->ival = value;
  return node;
}
const Boolean* Parser::boolean_node(bool value) {
  Boolean* const node = make<Boolean>();
  node->boolval = value;
  return node;
}
const List* Parser::list_node(NodeList items) {
  List* const node = make<List>();
  node->items = items;
  return node;
}
const List* Parser::name_list_node(Names names) {
  NodeListBuilder<Node> list(arena_);
  for (const Name name : names) list.push(string_node(name));
  return list_node(list.span());
}
const DefElem* Parser::def(Name name, const Node* arg, int location) {
  DefElem* const node = make<DefElem>(location);
  node->defname = name;
  node->arg = arg;
  return node;
}
const A_Const* Parser::string_const(std::string_view text, int location) {
  A_Const* const node = make<A_Const>(location);
  node->kind = ConstKind::string;
  node->text = text;
  return node;
}
const A_Const* Parser::integer_const(int32_t value, int location) {
  A_Const* const node = make<A_Const>(location);
  node->kind = ConstKind::integer;
  node->ival = value;
  return node;
}
const A_Const* Parser::null_const(int location) { return make<A_Const>(location); }

}  // namespace orrery
