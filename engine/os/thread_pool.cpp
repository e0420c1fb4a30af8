#include "os/thread_pool.h"

#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

namespace orrery {

FinishedQueue::FinishedQueue() : event_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  CHECK(event_fd_ >= 0);
}

FinishedQueue::~FinishedQueue() { close(event_fd_); }

void FinishedQueue::push(Completion* completion) {
  bool first;
  {
    std::lock_guard lock(mutex_);
    first = finished_.empty();
    finished_.push_back(completion);
  }
  if (!first) return;  // the engine thread has been told already
  const uint64_t one = 1;
  CHECK(write(event_fd_, &one, sizeof one) == sizeof one);
}

void FinishedQueue::drain() {
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t ignored = read(event_fd_, &count, sizeof count);
  {
    std::lock_guard lock(mutex_);
    std::swap(finished_, taken_);
  }
  for (Completion* completion : taken_) completion->complete();
  taken_.clear();
}

void FinishedQueue::forget_all() {
  std::lock_guard lock(mutex_);
  finished_.clear();
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_ready_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::submit(Job job) {
  {
    std::lock_guard lock(mutex_);
    queue_.push_back(job);
    if (idle_ < queue_.size() && threads_.size() < most_threads_)
      threads_.emplace_back([this] { work(); });
  }
  work_ready_.notify_one();
}

void ThreadPool::wait_until_idle() {
  std::unique_lock lock(mutex_);
  all_done_.wait(lock, [this] { return queue_.empty() && running_ == 0; });
}

void ThreadPool::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    work_ready_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    --idle_;
    if (queue_.empty()) return;
    const Job job = queue_.front();
    queue_.pop_front();
    ++running_;
    lock.unlock();
    job.run(job.object);
    finished_.push(job.completion);
    lock.lock();
    --running_;
    if (running_ == 0 && queue_.empty()) all_done_.notify_all();
  }
}

}  // namespace orrery
