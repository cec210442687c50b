// Threads that wait for work between the kernels of a pass.
#pragma once

#include <immintrin.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

namespace levin {

class Pool {
 public:
  explicit Pool(int threads) {
    for (int i = 1; i < threads; i++) std::thread([this] { Work(); }).detach();
    workers_ = threads - 1;
  }

  // Calls task(i) for i in 0..count-1, in any order, on all threads.
  void Run(int count, const std::function<void(int)>& task) {
    if (workers_ == 0 || count == 1) {
      for (int i = 0; i < count; i++) task(i);
      return;
    }
    {
      std::lock_guard<std::mutex> lock(mutex_);
      task_ = &task;
      count_ = count;
      next_ = 0;
      busy_ = workers_;
      generation_.fetch_add(1, std::memory_order_release);
    }
    wake_.notify_all();
    Drain(task);
    while (busy_.load(std::memory_order_acquire) > 0) _mm_pause();
  }

 private:
  void Drain(const std::function<void(int)>& task) {
    for (int i; (i = next_.fetch_add(1)) < count_;) task(i);
  }

  void Work() {
    uint64_t seen = 0;
    for (;;) {
      // The next job of a pass comes within microseconds; after that it is better to sleep.
      for (int spin = 0; spin < 2000 && generation_.load(std::memory_order_acquire) == seen; spin++)
        _mm_pause();
      {
        std::unique_lock<std::mutex> lock(mutex_);
        wake_.wait(lock, [&] { return generation_.load() != seen; });
        seen = generation_.load();
      }
      Drain(*task_);
      busy_.fetch_sub(1, std::memory_order_release);
    }
  }

  int workers_ = 0;
  std::mutex mutex_;
  std::condition_variable wake_;
  const std::function<void(int)>* task_ = nullptr;
  int count_ = 0;
  std::atomic<int> next_{0}, busy_{0};
  std::atomic<uint64_t> generation_{0};
};

}  // namespace levin
