// Matrices of bfloat16 as tile registers read them. A tile of 16 rows or columns by 32 of the inner index k: of a left
// factor one row after another, of a right factor pairs of k, so that a row of the tile has two k of each column.
#pragma once

#include <cstdint>

#ifdef __AVX512BW__
#include <immintrin.h>
#endif

namespace sidlab {

constexpr int64_t kTileSide = 16, kTileInner = 32, kTileNumbers = kTileSide * kTileInner;

enum class Side { left, right };

// A factor as it lies in memory: `count` rows (or columns) of `inner` numbers; `stride` lie between two of them where k is
// contiguous, else between two k.
struct Factor {
  const uint16_t* numbers;
  int64_t count, inner, stride;
  bool contiguous;
  Side side;

  const uint16_t* place(int64_t i, int64_t k) const { return numbers + (contiguous ? i * stride + k : k * stride + i); }
  uint16_t at(int64_t i, int64_t k) const { return *place(i, k); }
};

#ifdef __AVX512BW__

// In pieces of 4 bytes: 16 by 16 transposed.
inline void transpose16(__m512i (&rows)[16]) {
  __m512i pairs[16], fours[16];
  for (int i = 0; i < 16; i += 2) {
    pairs[i] = _mm512_unpacklo_epi32(rows[i], rows[i + 1]);
    pairs[i + 1] = _mm512_unpackhi_epi32(rows[i], rows[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {
    fours[i] = _mm512_unpacklo_epi64(pairs[i], pairs[i + 2]);
    fours[i + 1] = _mm512_unpackhi_epi64(pairs[i], pairs[i + 2]);
    fours[i + 2] = _mm512_unpacklo_epi64(pairs[i + 1], pairs[i + 3]);
    fours[i + 3] = _mm512_unpackhi_epi64(pairs[i + 1], pairs[i + 3]);
  }
  // fours[4 g + c], lane l: column 4 l + c of rows 4 g to 4 g + 3.
  for (int c = 0; c < 4; ++c) {
    const __m512i low = _mm512_shuffle_i32x4(fours[c], fours[4 + c], 0x88);
    const __m512i high = _mm512_shuffle_i32x4(fours[c], fours[4 + c], 0xdd);
    const __m512i lower = _mm512_shuffle_i32x4(fours[8 + c], fours[12 + c], 0x88);
    const __m512i higher = _mm512_shuffle_i32x4(fours[8 + c], fours[12 + c], 0xdd);
    rows[c] = _mm512_shuffle_i32x4(low, lower, 0x88);
    rows[8 + c] = _mm512_shuffle_i32x4(low, lower, 0xdd);
    rows[4 + c] = _mm512_shuffle_i32x4(high, higher, 0x88);
    rows[12 + c] = _mm512_shuffle_i32x4(high, higher, 0xdd);
  }
}

inline __m512i widened(const uint16_t* numbers, __mmask16 mask) {
  return _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, numbers));
}

// The tile that begins at row (or column) `i` and at `k`, zeros beyond the factor's edges. `to` is aligned to 64 bytes.
inline void packTile(const Factor& of, int64_t i, int64_t k, uint16_t* to) {
  const int64_t count = of.count - i, inner = of.inner - k;
  __m512i rows[16];
  if (of.contiguous) {
    const __mmask32 mask = inner >= kTileInner ? ~__mmask32{0} : (__mmask32{1} << inner) - 1;
    const uint16_t* from = of.numbers + i * of.stride + k;
    if (count >= kTileSide && inner >= kTileInner) {
      for (int r = 0; r < 16; ++r) rows[r] = _mm512_loadu_si512(from + r * of.stride);
    } else {
      for (int r = 0; r < 16; ++r) {
        rows[r] = r < count ? _mm512_maskz_loadu_epi16(mask, from + r * of.stride) : _mm512_setzero_si512();
      }
    }
  } else {
    const __mmask16 mask = count >= kTileSide ? 0xffff : static_cast<__mmask16>((1u << count) - 1);
    const uint16_t* from = of.numbers + k * of.stride + i;
    for (int r = 0; r < 16; ++r) {
      const __m512i even = 2 * r < inner ? widened(from + 2 * r * of.stride, mask) : _mm512_setzero_si512();
      const __m512i odd = 2 * r + 1 < inner ? widened(from + (2 * r + 1) * of.stride, mask) : _mm512_setzero_si512();
      rows[r] = _mm512_or_si512(even, _mm512_slli_epi32(odd, 16));
    }
  }
  if (of.contiguous == (of.side == Side::right)) transpose16(rows);
  for (int r = 0; r < 16; ++r) _mm512_store_si512(to + r * 32, rows[r]);
}

#else

inline void packTile(const Factor& of, int64_t i, int64_t k, uint16_t* to) {
  for (int64_t r = 0; r < kTileSide; ++r) {
    for (int64_t c = 0; c < kTileInner; ++c) {
      const bool inside = i + r < of.count && k + c < of.inner;
      const int64_t place = of.side == Side::left ? r * kTileInner + c : c / 2 * 32 + 2 * r + c % 2;
      to[place] = inside ? of.at(i + r, k + c) : 0;
    }
  }
}

#endif

}  // namespace sidlab
