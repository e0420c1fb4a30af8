// Threads that do what may block (disk) or compute (worker tasks), and the way back: what they
// finish is queued and an eventfd wakes the engine thread, which completes it there. Threads start
// when there is work for them.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "host/host.h"

namespace orrery {

// Finished work on its way to the engine thread.
class FinishedQueue {
 public:
  FinishedQueue();
  FinishedQueue(const FinishedQueue&) = delete;
  ~FinishedQueue();

  void push(Completion* completion);  // from any thread
  // Engine thread: completes all that is queued, in order.
  void drain();
  void forget_all();
  int event_fd() const { return event_fd_; }

 private:
  int event_fd_;
  std::mutex mutex_;
  std::vector<Completion*> finished_;
  std::vector<Completion*> taken_;  // the engine thread's, kept for its capacity
};

class ThreadPool {
 public:
  struct Job {
    void (*run)(void* object);
    void* object;
    Completion* completion;
  };

  ThreadPool(uint32_t threads, FinishedQueue& finished)
      : most_threads_(threads), finished_(finished) {}
  ThreadPool(const ThreadPool&) = delete;
  ~ThreadPool();  // finishes what is queued

  void submit(Job job);
  // Blocks until nothing is queued or running.
  void wait_until_idle();
  uint32_t most_threads() const { return most_threads_; }

 private:
  void work();

  const uint32_t most_threads_;
  FinishedQueue& finished_;
  std::mutex mutex_;
  std::condition_variable work_ready_;
  std::condition_variable all_done_;
  std::deque<Job> queue_;
  uint32_t idle_ = 0;
  uint32_t running_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace orrery
