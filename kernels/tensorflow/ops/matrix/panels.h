// The product of two panels, of two tiles each, and what is done between its steps while the tile unit multiplies.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "pack_tiles.h"
#include "tile_registers.h"

namespace sidlab {

// Columns of a panel of a factor, and its numbers at one step of k; step after step lie two tiles.
constexpr int64_t kPanel = 2 * kTileSide, kPanelStep = 2 * kTileNumbers;

inline int64_t divideUp(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Work divided evenly among steps.
class Spread {
 public:
  Spread(int64_t from, int64_t to, int64_t steps) : next_(from), to_(to), together_(1) {
    if (to <= from || steps == 0) return;
    together_ = divideUp(to - from, steps);
    pause_ = steps * together_ / (to - from);
  }
  template <typename Work>
  void step(const Work& work) {
    if (next_ == to_ || --wait_ >= 0) return;
    wait_ = pause_ - 1;
    for (int64_t end = std::min(next_ + together_, to_); next_ < end; ++next_) work(next_);
  }
  template <typename Work>
  void rest(const Work& work) {
    for (; next_ < to_; ++next_) work(next_);
  }

 private:
  int64_t next_, to_, together_, pause_ = 1, wait_ = 0;
};

// sums [32, 32] (+)= left panel^T @ right panel, of H by W tiles; `aside` runs at every step.
template <typename Tiles, int H, int W, typename Aside>
void multiplyPanels(const uint16_t* left, const uint16_t* right, int64_t steps, float* sums, bool first, Aside& aside) {
  constexpr int64_t kRow = kPanel * sizeof(float);
  Tiles tiles;
  float* const lower = sums + kTileSide * kPanel;
  if (first) {
    tiles.template zero<0>();
    if (W > 1) tiles.template zero<1>();
    if (H > 1) tiles.template zero<2>();
    if (H > 1 && W > 1) tiles.template zero<3>();
  } else {
    tiles.template load<0>(sums, kRow);
    if (W > 1) tiles.template load<1>(sums + kTileSide, kRow);
    if (H > 1) tiles.template load<2>(lower, kRow);
    if (H > 1 && W > 1) tiles.template load<3>(lower + kTileSide, kRow);
  }
  for (int64_t k = 0; k < steps; ++k, left += kPanelStep, right += kPanelStep) {
    tiles.template load<4>(left, kTileBytes);
    tiles.template load<6>(right, kTileBytes);
    tiles.template multiply<0, 4, 6>();
    if (W > 1) {
      tiles.template load<7>(right + kTileNumbers, kTileBytes);
      tiles.template multiply<1, 4, 7>();
    }
    if (H > 1) {
      tiles.template load<5>(left + kTileNumbers, kTileBytes);
      tiles.template multiply<2, 5, 6>();
      if (W > 1) tiles.template multiply<3, 5, 7>();
    }
    aside.step();
  }
  aside.rest();
  tiles.template store<0>(sums, kRow);
  if (W > 1) tiles.template store<1>(sums + kTileSide, kRow);
  if (H > 1) tiles.template store<2>(lower, kRow);
  if (H > 1 && W > 1) tiles.template store<3>(lower + kTileSide, kRow);
}

inline uint16_t roundedToHalf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  return static_cast<uint16_t>(value == value ? rounded : (bits >> 16) | 0x40u);
}

// Sums that are complete and not yet among the product's numbers: some rows and columns of 32 by 32.
struct Finished {
  float* sums = nullptr;
  uint16_t* to = nullptr;
  int64_t stride = 0, rows = 0, columns = 0;

  // Asks for the line that is written soon: a store that misses would hold up all that follow it.
  void fetch(int64_t row) const { __builtin_prefetch(to + row * stride, 1, 3); }

  void write(int64_t row) const {
    const float* from = sums + row * kPanel;
    uint16_t* out = to + row * stride;
#if defined(__AVX512BF16__) && defined(__AVX512BW__)
    const __mmask32 mask = columns >= kPanel ? ~__mmask32{0} : (__mmask32{1} << columns) - 1;
    const __m512bh halves = _mm512_cvtne2ps_pbh(_mm512_loadu_ps(from + 16), _mm512_loadu_ps(from));
    _mm512_mask_storeu_epi16(out, mask, reinterpret_cast<const __m512i&>(halves));
#else
    uint16_t halves[kPanel];
    for (int64_t c = 0; c < kPanel; ++c) halves[c] = roundedToHalf(from[c]);
    std::memcpy(out, halves, columns * sizeof(uint16_t));
#endif
  }
};

}  // namespace sidlab
