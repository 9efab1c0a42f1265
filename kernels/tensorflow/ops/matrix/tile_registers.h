// The processor's tile registers (Intel AMX: eight of 16 rows by 64 bytes) and what is computed in them, and the same in
// plain C++, so that all that is built on them runs, and is tested, on any processor.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__x86_64__) && defined(__linux__) && defined(__has_include)
#if __has_include(<amxbf16intrin.h>)  // of compilers whose assembler knows the instructions
#define SIDLAB_TILE_REGISTERS 1
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif
#endif

namespace sidlab {

// How much of a product is kept in the caches: numbers of the rows that stay; steps of k (of 32) of the longest product that
// is summed at once, and of the parts of longer ones; panels of rows and columns whose sums wait between parts; steps by
// which what is packed is fetched.
struct BlockSizes {
  int64_t numbers, steps, partSteps, partRows, partColumns, stepsAhead;
};

constexpr int64_t kTileHeight = 16, kTileBytes = 64;

#ifdef SIDLAB_TILE_REGISTERS

// The instructions. Compilers name the registers by literal numbers alone, hence the assembler.
struct AmxTiles {
  // For 2 MB of second-level cache.
  static constexpr BlockSizes kBlocks{1 << 19, 40, 24, 16, 14, 2};

  // Whether processor and kernel have them. Linux wants to be asked once a process.
  static bool available() {
    static const bool granted = permitted();
    return granted;
  }

  // Before the first instruction of a piece of work on this thread: others load shapes of their own.
  static void begin() {
    alignas(64) uint8_t shapes[64] = {};
    shapes[0] = 1;  // the palette
    for (int tile = 0; tile < 8; ++tile) {
      shapes[16 + 2 * tile] = kTileBytes;
      shapes[48 + tile] = kTileHeight;
    }
    asm volatile("ldtilecfg %0" ::"m"(shapes) : "memory");
  }
  static void end() { asm volatile("tilerelease" ::: "memory"); }

  template <int T>
  void zero() {
    asm volatile("tilezero %%tmm%c0" ::"i"(T));
  }
  template <int T>
  void load(const void* from, int64_t stride) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(from), "r"(stride), "i"(T) : "memory");
  }
  template <int T>
  void store(void* to, int64_t stride) {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(to), "r"(stride), "i"(T) : "memory");
  }
  // C += A @ B, of pairs of bfloat16.
  template <int C, int A, int B>
  void multiply() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(C), "i"(A), "i"(B));
  }

 private:
  static bool permitted() {
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
    const unsigned bfloat16 = 1u << 22, tile = 1u << 24;
    if ((d & bfloat16) == 0 || (d & tile) == 0) return false;
    constexpr long kRequestPermission = 0x1023, kTileData = 18;
    return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
  }
};

#else

struct AmxTiles;

#endif

// What the instructions do, one after another. Like them it takes subnormal numbers for zero.
struct EmulatedTiles {
  // Small, so that small products have many blocks.
  static constexpr BlockSizes kBlocks{1 << 13, 6, 4, 2, 2, 2};

  static bool available() { return true; }
  static void begin() {}
  static void end() {}

  template <int T>
  void zero() {
    std::memset(tiles_[T], 0, sizeof tiles_[T]);
  }
  template <int T>
  void load(const void* from, int64_t stride) {
    for (int64_t row = 0; row < kTileHeight; ++row) {
      std::memcpy(tiles_[T] + row * kTileBytes, static_cast<const char*>(from) + row * stride, kTileBytes);
    }
  }
  template <int T>
  void store(void* to, int64_t stride) {
    for (int64_t row = 0; row < kTileHeight; ++row) {
      std::memcpy(static_cast<char*>(to) + row * stride, tiles_[T] + row * kTileBytes, kTileBytes);
    }
  }
  template <int C, int A, int B>
  void multiply() {
    float sums[16][16];
    uint16_t a[16][32], b[16][32];
    std::memcpy(sums, tiles_[C], sizeof sums);
    std::memcpy(a, tiles_[A], sizeof a);
    std::memcpy(b, tiles_[B], sizeof b);
    for (int m = 0; m < 16; ++m) {
      float even[16] = {}, odd[16] = {};
      for (int k = 0; k < 16; ++k) {
        const float first = normal(uint32_t{a[m][2 * k]} << 16), second = normal(uint32_t{a[m][2 * k + 1]} << 16);
        for (int n = 0; n < 16; ++n) {
          even[n] = flushed(even[n] + first * normal(uint32_t{b[k][2 * n]} << 16));
          odd[n] = flushed(odd[n] + second * normal(uint32_t{b[k][2 * n + 1]} << 16));
        }
      }
      for (int n = 0; n < 16; ++n) sums[m][n] = flushed(sums[m][n] + flushed(even[n] + odd[n]));
    }
    std::memcpy(tiles_[C], sums, sizeof sums);
  }

 private:
  static float normal(uint32_t bits) {
    bits = (bits & 0x7f800000u) == 0 ? bits & 0x80000000u : bits;
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }
  static float flushed(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    return normal(bits);
  }

  alignas(64) unsigned char tiles_[8][1024];
};

}  // namespace sidlab
