// One thread per loop.
#include "base/io_threads.h"

#include <pthread.h>

#include <csignal>
#include <thread>

#include <fmt/format.h>

namespace keelson {
namespace {

constexpr std::size_t thread_name_max = 15;  // TASK_COMM_LEN - 1

// Signals are the main thread's: its loop waits for them.
struct SignalsBlocked {
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before, nullptr); }
  sigset_t before;
};

}  // namespace

struct IoThreads::Thread {
  SystemLoop loop;
  std::thread thread;
};

IoThreads::IoThreads(int threads, std::string name) {
  SignalsBlocked while_they_start;
  for (int i = 0; i < threads; ++i) {
    auto thread = std::make_unique<Thread>();
    thread->thread = std::thread([&loop = thread->loop] { loop.run(); });
    const std::string full = fmt::format("{}-{}", name, i).substr(0, thread_name_max);
    pthread_setname_np(thread->thread.native_handle(), full.c_str());
    threads_.push_back(std::move(thread));
  }
}

IoThreads::~IoThreads() {
  for (auto& thread : threads_) thread->loop.stop();
  for (auto& thread : threads_) thread->thread.join();
}

SystemLoop& IoThreads::loop(std::size_t index) {
  return threads_[index]->loop;
}

}  // namespace keelson
