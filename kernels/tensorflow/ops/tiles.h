// Attention's two products on a path, in registers: a few queries by two vectors of columns at a time. The compiler makes
// of a vector what the processor has.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

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

// Where `b[k][n]` of a product lies, for n a multiple of kTileColumns: `b + k * row + n / kTileColumns * block`.
struct Layout {
  int64_t row, block;
};

// Where `a[r][k]` of a product lies: `a + r * row + k * step`.
struct Strides {
  int64_t row, step;
};

// c [kTileRows, columns] = a [kTileRows, inner] @ b [inner, columns], for columns a multiple of kTileColumns. `lc` numbers
// lie between two rows of c.
inline void multiplyTile(const float* a, Strides la, const float* b, Layout of, int64_t inner, int64_t columns, float* c,
                         int64_t lc) {
  for (int64_t n = 0; n < columns; n += kTileColumns, b += of.block) {
    Lanes sums[kTileRows][2] = {};
    for (int64_t k = 0; k < inner; ++k) {
      const Lanes left = load(b + k * of.row), right = load(b + k * of.row + kLanes);
      for (int64_t r = 0; r < kTileRows; ++r) {
        const float factor = a[r * la.row + k * la.step];
        sums[r][0] += factor * left;
        sums[r][1] += factor * right;
      }
    }
    for (int64_t r = 0; r < kTileRows; ++r) std::memcpy(c + r * lc + n, sums[r], sizeof sums[r]);
  }
}

// Keys and values of the nodes of a path, as the two products of attention read them. d width.
class PathTiles {
 public:
  explicit PathTiles(int64_t width) : width_(width), columns_(padded(width)) {}

  // Node `j` of the path; nodes before it stay.
  void set(int64_t j, const float* key, const float* value) {
    if (j >= room_) grow(j + 1);
    float* column = keys_.data() + j / kTileColumns * width_ * kTileColumns + j % kTileColumns;
    for (int64_t c = 0; c < width_; ++c) column[c * kTileColumns] = key[c];
    std::memcpy(values_.data() + j * columns_, value, width_ * sizeof(float));
  }
  // Whether the values of nodes `from` to `to` are.
  bool finiteValues(int64_t from, int64_t to) const {
    float zeros = 0;
    for (int64_t j = from; j < to; ++j) {
#pragma omp simd reduction(+ : zeros)
      for (int64_t c = 0; c < width_; ++c) zeros += values_[j * columns_ + c] * 0.0f;
    }
    return zeros == 0.0f;
  }
  // scores [kTileRows, padded(length)] = queries [kTileRows, d] @ keys^T
  void scores(const float* queries, int64_t lq, int64_t length, float* to, int64_t lt) const {
    multiplyTile(queries, {lq, 1}, keys_.data(), {kTileColumns, width_ * kTileColumns}, width_, padded(length), to, lt);
  }
  // sums [kTileRows, padded(d)] = weights [kTileRows, length] @ values
  void sums(const float* weights, int64_t lw, int64_t length, float* to) const {
    multiplyTile(weights, {lw, 1}, values_.data(), {columns_, kTileColumns}, length, columns_, to, columns_);
  }

 private:
  void grow(int64_t nodes) {
    room_ = padded(nodes > 2 * room_ ? nodes : 2 * room_);
    keys_.resize(room_ * width_);
    values_.resize(room_ * columns_);
  }

  int64_t width_, columns_, room_ = 0;
  std::vector<float> keys_, values_;
};

}  // namespace sidlab
