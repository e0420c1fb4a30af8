// Golden scripts with sessions that take turns: for tests only.
//
//   # why
//   s1 begin              a command of session s1; it runs until done or until it waits
//   sleep 1200            milliseconds pass
//   ---
//   s1: ok                what was said, in order; "s2: ..." marks a command that waits
//
// ORRERY_REWRITE=1 in the environment writes what was said into the file instead of comparing.
#pragma once

#include <cstdlib>
#include <deque>
// tidy: allow(header) test support reads its scripts
#include <fstream>
#include <gtest/gtest.h>
#include <map>
// tidy: allow(header) test support reads its scripts
// tidy: allow(header) test support reads its scripts
#include <sstream>

#include "fiber/scheduler.h"
#include "fiber/sync.h"

namespace orrery {

using Words = std::vector<std::string>;

// What a script drives. Commands run on their session's fiber; the answer is printed behind the
// session's name.
class ScriptWorld {
 public:
  virtual ~ScriptWorld() = default;
  virtual std::string run(Fiber& fiber, const std::string& session, const Words& words) = 0;
  // The session is over.
  virtual void end(Fiber& fiber, const std::string& session) = 0;
};

inline Words split_words(const std::string& line) {
  std::istringstream in(line);
  Words words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

class Script {
 public:
  explicit Script(const std::string& path) : path_(path) {
    std::ifstream in(path);
    EXPECT_TRUE(in.good()) << path;
    bool output = false;
    for (std::string line; std::getline(in, line);) {
      if (output) {
        expected_ += line + "\n";
      } else {
        head_ += line + "\n";
        if (line == "---")
          output = true;
        else if (!line.empty() && line[0] != '#')
          commands_.push_back(line);
      }
    }
  }

  // On the driver's fiber. Compares or rewrites.
  Status play(Fiber& fiber, ScriptWorld& world) {
    for (const std::string& line : commands_) {
      Words words = split_words(line);
      if (words[0] == "sleep") {
        TRY(fiber.sleep(milliseconds(std::atoll(words[1].c_str()))));
        continue;
      }
      Session& session = sessions_[words[0]];
      if (!session.started) start(fiber, world, words[0], session);
      EXPECT_FALSE(session.busy) << path_ << ": " << line;
      session.busy = true;
      session.commands.emplace_back(words.begin() + 1, words.end());
      session.wake.notify_all();
      TRY(fiber.sleep(milliseconds(1)));
      if (session.busy) said_ += words[0] + ": ...\n";
    }
    for (auto& [name, session] : sessions_) {
      session.stop = true;
      session.wake.notify_all();
    }
    while (running_ > 0) TRY(fiber.sleep(milliseconds(1)));
    // tidy: allow(call) a program talks to its terminal, a test reads its table
    if (std::getenv("ORRERY_REWRITE") != nullptr) {
      std::ofstream(path_) << head_ << said_;
    } else {
      EXPECT_EQ(said_, expected_) << path_;
    }
    return {};
  }

 private:
  struct Session {
    bool started = false, busy = false, stop = false;
    std::deque<Words> commands;
    WaitQueue wake;
  };

  void start(Fiber& fiber, ScriptWorld& world, const std::string& name, Session& session) {
    session.started = true;
    ++running_;
    fiber.scheduler().spawn(name, [this, &world, name, &session](Fiber& own) {
      for (;;) {
        while (session.commands.empty() && !session.stop) {
          if (!session.wake.wait(own).ok()) return;
        }
        if (session.commands.empty()) break;
        const Words words = session.commands.front();
        session.commands.pop_front();
        said_ += name + ": " + world.run(own, name, words) + "\n";
        session.busy = false;
      }
      world.end(own, name);
      --running_;
    });
  }

  std::string path_, head_, expected_, said_;
  std::vector<std::string> commands_;
  std::map<std::string, Session> sessions_;
  int running_ = 0;
};

inline std::string said(const Status& status) {
  if (status.ok()) return "ok";
  std::string text = std::string(status.error().code.text()) + " " + status.error().message;
  std::string detail = status.error().detail;
  for (size_t at = 0; (at = detail.find('\n', at)) != std::string::npos; at += 3)
    detail.replace(at, 1, " | ");
  if (!detail.empty()) text += " [" + detail + "]";
  if (!status.error().context.empty()) text += " (" + status.error().context + ")";
  return text;
}

}  // namespace orrery
