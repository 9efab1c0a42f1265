// Matrices of bfloat16 as tile registers read them, from factors whose rows are the inner index k. A tile of 16 columns of
// such a factor by 32 k: of a right factor pairs of k, so that a row of the tile has two k of each column; of a left factor,
// which lies transposed, one column after another.
#pragma once

#include <cstdint>

#ifdef __AVX512BW__
#include <immintrin.h>
#endif

namespace sidlab {

constexpr int64_t kTileSide = 16, kTileInner = 32, kTileNumbers = kTileSide * kTileInner;

// numbers [inner, count]
struct Factor {
  const uint16_t* numbers;
  int64_t count, inner;
  bool left;
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

// The tile that begins at column `i` and at `k`, zeros beyond the factor's edges. `to` is aligned to 64 bytes.
inline void packTile(const Factor& of, int64_t i, int64_t k, uint16_t* to) {
  const int64_t count = of.count - i, inner = of.inner - k;
  const __mmask16 mask = count >= kTileSide ? 0xffff : static_cast<__mmask16>((1u << count) - 1);
  const uint16_t* from = of.numbers + k * of.count + i;
  __m512i rows[16];
  for (int r = 0; r < 16; ++r) {
    const __m512i even = 2 * r < inner ? widened(from + 2 * r * of.count, mask) : _mm512_setzero_si512();
    const __m512i odd = 2 * r + 1 < inner ? widened(from + (2 * r + 1) * of.count, mask) : _mm512_setzero_si512();
    rows[r] = _mm512_or_si512(even, _mm512_slli_epi32(odd, 16));
  }
  if (of.left) transpose16(rows);
  for (int r = 0; r < 16; ++r) _mm512_store_si512(to + r * 32, rows[r]);
}

#else

inline void packTile(const Factor& of, int64_t i, int64_t k, uint16_t* to) {
  for (int64_t c = 0; c < kTileSide; ++c) {
    for (int64_t r = 0; r < kTileInner; ++r) {
      const int64_t place = of.left ? c * kTileInner + r : r / 2 * 32 + 2 * c + r % 2;
      to[place] = i + c < of.count && k + r < of.inner ? of.numbers[(k + r) * of.count + i + c] : 0;
    }
  }
}

#endif

}  // namespace sidlab
