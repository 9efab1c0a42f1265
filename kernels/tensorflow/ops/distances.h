// Squared Euclidean distances in float32 and float64: of two rows, and of a few rows to all centres at once. Sums of
// squared differences, not products: no term cancels another, so the error of one in float32 is a share of it.
//
// K centres, D width.
#pragma once

#include <algorithm>
#include <cstring>

#include "op.h"

namespace sidlab {

#if defined(__AVX512F__)
constexpr int kLanes = 16, kTile = 8;
#elif defined(__AVX__)
constexpr int kLanes = 8, kTile = 4;
#else
constexpr int kLanes = 4, kTile = 4;
#endif
constexpr int kPanel = 2 * kLanes;  // centres of a tile; kTile are its rows
typedef float Lanes __attribute__((vector_size(4 * kLanes), aligned(4)));
typedef double Doubles __attribute__((vector_size(4 * kLanes), aligned(8)));

template <typename Vector, typename Number>
Vector load(const Number* from) {
  Vector v;
  std::memcpy(&v, from, sizeof v);
  return v;
}

// |a - b|^2 in float32
inline float distance(const float* a, const float* b, int64_t width) {
  Lanes sums[4] = {};
  int64_t j = 0;
  for (; j + 4 * kLanes <= width; j += 4 * kLanes) {
    for (int s = 0; s < 4; ++s) {
      const Lanes apart = load<Lanes>(a + j + s * kLanes) - load<Lanes>(b + j + s * kLanes);
      sums[s] += apart * apart;
    }
  }
  for (; j + kLanes <= width; j += kLanes) {
    const Lanes apart = load<Lanes>(a + j) - load<Lanes>(b + j);
    sums[0] += apart * apart;
  }
  const Lanes all = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  float sum = 0;
  for (int lane = 0; lane < kLanes; ++lane) sum += all[lane];
  for (; j < width; ++j) sum += (a[j] - b[j]) * (a[j] - b[j]);
  return sum;
}

// The same in float64, equal for equal rows
inline double exactDistance(const float* a, const float* b, int64_t width) {
  constexpr int kHalf = kLanes / 2;
  Doubles sums = {};
  int64_t j = 0;
  for (; j + kHalf <= width; j += kHalf) {
    Doubles apart;
    for (int lane = 0; lane < kHalf; ++lane) apart[lane] = static_cast<double>(a[j + lane]) - b[j + lane];
    sums += apart * apart;
  }
  double sum = 0;
  for (int lane = 0; lane < kHalf; ++lane) sum += sums[lane];
  for (; j < width; ++j) {
    const double apart = static_cast<double>(a[j]) - b[j];
    sum += apart * apart;
  }
  return sum;
}

// The error of a distance in float32, as a share of it.
inline float distanceError(int64_t width) { return static_cast<float>(width + 4) * 6e-8f; }

// Centres in panels, so that kTile rows meet kPanel centres in registers.
class Tiles {
 public:
  Tiles(int64_t codes, int64_t width) : codes_(codes), width_(width), panels_((codes + kPanel - 1) / kPanel) {}

  // Distances from one row's to the next's, K or a little more.
  int64_t stride() const { return panels_ * kPanel; }

  // centres [K, D], turned: packed_[panel][D][kPanel]
  void pack(const float* centres) {
    packed_.resize(stride() * width_);
#pragma omp parallel for schedule(static)
    for (int64_t p = 0; p < panels_; ++p) {
      float* to = packed_.data() + p * width_ * kPanel;
      for (int64_t c = 0; c < kPanel; ++c) {
        const float* from = centres + std::min(p * kPanel + c, codes_ - 1) * width_;
        for (int64_t j = 0; j < width_; ++j) to[j * kPanel + c] = from[j];
      }
    }
  }

  // kTile rows -> out [kTile, stride]
  void distances(const float* const* rows, float* out) const {
    for (int64_t p = 0; p < panels_; ++p) panel(rows, packed_.data() + p * width_ * kPanel, out + p * kPanel);
  }

 private:
  void panel(const float* const* rows, const float* centres, float* out) const {
    Lanes sums[kTile][2] = {};
    for (int64_t j = 0; j < width_; ++j) {
      const Lanes a = load<Lanes>(centres + j * kPanel), b = load<Lanes>(centres + j * kPanel + kLanes);
      for (int r = 0; r < kTile; ++r) {
        const float value = rows[r][j];
        const Lanes da = a - value, db = b - value;
        sums[r][0] += da * da;
        sums[r][1] += db * db;
      }
    }
    for (int r = 0; r < kTile; ++r) std::memcpy(out + r * stride(), sums[r], sizeof sums[r]);
  }

  int64_t codes_, width_, panels_;
  std::vector<float> packed_;
};

}  // namespace sidlab
