// Tables of facts for tests: what PostgreSQL 15 answered, one case per line, tab-separated, escaped
// as in COPY. Made by testdata/make_facts.py; see there for the columns.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/status.h"

namespace orrery {

struct Fact {
  int line = 0;
  std::vector<std::string> fields;
  const std::string& operator[](size_t i) const { return fields.at(i); }
  const std::string& result() const { return fields.back(); }
};

// The lines of a file, unescaped. Tests run in their folder.
inline std::vector<Fact> read_facts(const char* path) {
  // tidy: allow(call) a program talks to its terminal, a test reads its table
  std::FILE* const file = std::fopen(path, "rb");
  CHECK(file != nullptr);
  std::string all;
  char buffer[65536];
  for (size_t n; (n = std::fread(buffer, 1, sizeof buffer, file)) > 0;) all.append(buffer, n);
  std::fclose(file);
  std::vector<Fact> facts;
  Fact fact;
  std::string field;
  int line = 1;
  for (size_t i = 0; i < all.size(); ++i) {
    const char c = all[i];
    if (c == '\\' && i + 1 < all.size()) {
      const char next = all[++i];
      field.push_back(next == 't' ? '\t' : next == 'n' ? '\n' : next == 'r' ? '\r' : next);
    } else if (c == '\t' || c == '\n') {
      fact.fields.push_back(std::move(field));
      field.clear();
      if (c == '\n') {
        fact.line = line++;
        facts.push_back(std::move(fact));
        fact = {};
      }
    } else {
      field.push_back(c);
    }
  }
  return facts;
}

// An error as the tables write it.
inline std::string error_fact(const Status& status) {
  const Error& error = status.error();
  std::string out = "!" + std::string(error.code.text()) + " " + error.message;
  if (!error.detail.empty()) out += " | " + error.detail;
  return out;
}

}  // namespace orrery
