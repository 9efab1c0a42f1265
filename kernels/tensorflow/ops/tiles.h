// Products of small matrices that lie in the caches, in registers: a few rows by two vectors of columns at a time. The
// compiler makes of a vector what the processor has.
#pragma once

#include <cstdint>
#include <cstring>

namespace sidlab {

#ifdef __AVX512F__
constexpr int64_t kLanes = 16, kTileRows = 8;
#else
constexpr int64_t kLanes = 8, kTileRows = 4;
#endif
constexpr int64_t kTileColumns = 2 * kLanes;

typedef float Lanes __attribute__((vector_size(kLanes * sizeof(float))));

// The least multiple of the tile's columns that holds `n`.
inline int64_t padded(int64_t n) { return (n + kTileColumns - 1) / kTileColumns * kTileColumns; }

inline Lanes load(const float* from) {
  Lanes lanes;
  std::memcpy(&lanes, from, sizeof lanes);
  return lanes;
}

// c [kTileRows, columns] = a [kTileRows, inner] @ b [inner, columns]; columns a multiple of kTileColumns. `la` numbers lie
// between two rows of a, `columns` between two of b and of c.
inline void multiplyTile(const float* a, int64_t la, const float* b, int64_t inner, int64_t columns, float* c) {
  for (int64_t n = 0; n < columns; n += kTileColumns) {
    Lanes sums[kTileRows][2] = {};
    for (int64_t k = 0; k < inner; ++k) {
      const Lanes left = load(b + k * columns + n), right = load(b + k * columns + n + kLanes);
      for (int64_t r = 0; r < kTileRows; ++r) {
        sums[r][0] += a[r * la + k] * left;
        sums[r][1] += a[r * la + k] * right;
      }
    }
    for (int64_t r = 0; r < kTileRows; ++r) std::memcpy(c + r * columns + n, sums[r], sizeof sums[r]);
  }
}

}  // namespace sidlab
