// Files in memory, whose loss of their end does not end the process: a page beyond the end of its file raises SIGBUS when
// it is touched; the handler puts memory there that is NaN, which every search and training refuses by the weight's name.
#pragma once

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <mutex>

namespace sidlab {

// Bytes that are replaced at once: a process has some 65,000 regions of memory, and a file may lose gigabytes.
constexpr uintptr_t kReplaced = 1 << 20;

// A list that only grows, since a handler may take no lock; `begin` is 0 in an entry that is free.
struct Region {
  std::atomic<uintptr_t> begin{0}, end{0};
  Region* next = nullptr;
};
inline std::atomic<Region*> regions{nullptr};
inline std::mutex regionsWriting;
inline struct sigaction handlerBefore;

// Puts NaN where the page of `at` was, and behind it. No reader sees memory that is not filled yet.
inline bool replaceLost(uintptr_t at, uintptr_t end) {
#ifdef __linux__
  const uintptr_t page = sysconf(_SC_PAGESIZE), from = at / page * page;
  const size_t length = std::min(end - from, kReplaced);
  void* fresh = mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (fresh == MAP_FAILED) return false;
  std::memset(fresh, 0xff, length);
  void* to = reinterpret_cast<void*>(from);
  return mremap(fresh, length, length, MREMAP_MAYMOVE | MREMAP_FIXED, to) != MAP_FAILED;
#else
  return false;
#endif
}

inline void onBusError(int number, siginfo_t* info, void* context) {
  const uintptr_t at = reinterpret_cast<uintptr_t>(info->si_addr);
  for (Region* region = regions.load(); region; region = region->next) {
    const uintptr_t begin = region->begin.load(), end = region->end.load();
    if (begin != 0 && begin <= at && at < end && replaceLost(at, end)) return;
  }
  if (handlerBefore.sa_flags & SA_SIGINFO) return handlerBefore.sa_sigaction(number, info, context);
  if (handlerBefore.sa_handler != SIG_DFL && handlerBefore.sa_handler != SIG_IGN) return handlerBefore.sa_handler(number);
  signal(SIGBUS, SIG_DFL);  // the instruction is tried again, and ends the process
}

inline void handleBusErrors() {
  static const bool once = [] {
    struct sigaction action {};
    action.sa_sigaction = &onBusError;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    return sigaction(SIGBUS, &action, &handlerBefore) == 0;
  }();
  (void)once;
}

inline void enterRegion(uintptr_t begin, uintptr_t end) {
  const std::lock_guard<std::mutex> lock(regionsWriting);
  Region* region = regions.load();
  while (region && region->begin.load() != 0) region = region->next;
  if (!region) {
    region = new Region;
    region->next = regions.load();
    regions.store(region);
  }
  region->end.store(end);
  region->begin.store(begin);
}

inline void leaveRegion(uintptr_t begin) {
  const std::lock_guard<std::mutex> lock(regionsWriting);
  for (Region* region = regions.load(); region; region = region->next) {
    if (region->begin.load() == begin) return region->begin.store(0);
  }
}

// `length` bytes from `base` on are mapped; the tensor begins at `data`.
struct Mapping {
  void* base;
  size_t length;
  char* data;
};

// `bytes` of an open file from `offset` on, private: whoever writes to them writes to memory alone.
// @returns base nullptr where it cannot be mapped
inline Mapping mapFile(int file, int64_t offset, int64_t bytes) {
#ifdef __linux__
  const int64_t page = sysconf(_SC_PAGESIZE), inside = offset % page;
  const size_t length = (bytes + inside + page - 1) / page * page;
  handleBusErrors();
  void* base = mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, offset - inside);
  if (base == MAP_FAILED) return {nullptr, 0, nullptr};
  enterRegion(reinterpret_cast<uintptr_t>(base), reinterpret_cast<uintptr_t>(base) + length);
#ifdef MADV_POPULATE_READ
  madvise(base, length, MADV_POPULATE_READ);  // all pages at once; an old kernel that cannot leaves it to faults
#endif
  return {base, length, static_cast<char*>(base) + inside};
#else
  return {nullptr, 0, nullptr};
#endif
}

inline void unmapFile(const Mapping& mapping) {
  leaveRegion(reinterpret_cast<uintptr_t>(mapping.base));
  munmap(mapping.base, mapping.length);
}

}  // namespace sidlab
