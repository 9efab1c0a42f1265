// The rounds of balanced k-means, all in one call: distances, whole costs, the optimal assignment from the prices of
// the round before (assignment.h), means. lib/sid/balanced/balanced-kmeans.ts has the plain implementation, in which
// the row's least is not taken off its costs.
//
// N rows, K codes, D width.
#include <cmath>
#include <cstring>
#include <limits>

#include "assignment.h"
#include "distances.h"

namespace sidlab {
namespace {

class BalancedRounds {
 public:
  BalancedRounds(const float* x, int64_t rows, int64_t width, float* centres, int64_t codes, int32_t least,
                 int32_t most)
      : x_(x), rows_(rows), width_(width), centres_(centres), codes_(codes), tiles_(codes, width),
        distances_(rows * codes), costs_(rows * codes), lower_(codes, least), upper_(codes, most), prices_(codes) {}

  void assign() {
    const double most = computeDistances();
    const double scale = most > 0 ? kTop / most : 1;
#pragma omp parallel for simd schedule(static)
    for (int64_t at = 0; at < rows_ * codes_; ++at) {
      costs_[at] = static_cast<int32_t>(distances_[at] * scale + 0.5);
    }
    problem_.items = rows_;
    problem_.clusters = codes_;
    problem_.costs = costs_.data();
    problem_.lower = lower_.data();
    problem_.upper = upper_.data();
    std::vector<double> prices(codes_);
    for (int64_t k = 0; k < codes_; ++k) {
      prices[k] = std::floor(std::min(std::max(prices_[k] * scale, -kMostPrice), kMostPrice) + 0.5);
    }
    nearest_ = sidlab::assign(problem_, prices.data(), 1);
    for (int64_t k = 0; k < codes_; ++k) prices_[k] = prices[k] / scale;
  }

  // Moves the centres to the means of their rows; one without rows keeps its place. Returns the sum of squared moves.
  double update() {
    const std::vector<float> before(centres_, centres_ + codes_ * width_);
    std::vector<int32_t> counts(codes_);
    for (int32_t code : nearest_) ++counts[code];
    constexpr int64_t kColumns = 64;  // a core has columns of its own: the same bits on any number of cores
#pragma omp parallel for schedule(static)
    for (int64_t first = 0; first < width_; first += kColumns) {
      const int64_t columns = std::min(kColumns, width_ - first);
      std::vector<double> sums(codes_ * columns);
      for (int64_t i = 0; i < rows_; ++i) {
        const float* from = x_ + i * width_ + first;
        double* to = sums.data() + nearest_[i] * columns;
#pragma omp simd
        for (int64_t j = 0; j < columns; ++j) to[j] += from[j];
      }
      for (int64_t k = 0; k < codes_; ++k) {
        float* to = centres_ + k * width_ + first;
        for (int64_t j = 0; j < columns && counts[k] > 0; ++j) to[j] = sums[k * columns + j] / counts[k];
      }
    }
    return exactDistance(before.data(), centres_, codes_ * width_);
  }

  double error() const {
    double sum = 0;
    for (int64_t i = 0; i < rows_; ++i) sum += exactDistance(x_ + i * width_, centres_ + nearest_[i] * width_, width_);
    return sum;
  }

  const std::vector<int32_t>& nearest() const { return nearest_; }

 private:
  static constexpr float kLargest = std::numeric_limits<float>::max();
  static constexpr double kTop = 1 << 26;  // of the costs: finer than float32's own steps at the largest

  // Distances less the row's least, about which an assignment does not care. Returns the largest.
  double computeDistances() {
    tiles_.pack(centres_);
    float most = 0;
    const int64_t tiles = (rows_ + kTile - 1) / kTile;
#pragma omp parallel reduction(max : most)
    {
      std::vector<float> tile(kTile * tiles_.stride());
#pragma omp for schedule(static)
      for (int64_t t = 0; t < tiles; ++t) {
        const int64_t first = t * kTile, last = std::min<int64_t>(first + kTile, rows_);
        const float* of[kTile];
        for (int r = 0; r < kTile; ++r) of[r] = x_ + std::min(first + r, last - 1) * width_;
        tiles_.distances(of, tile.data());
        for (int64_t i = first; i < last; ++i) {
          most = std::max(most, lessLeast(tile.data() + (i - first) * tiles_.stride(), distances_.data() + i * codes_));
        }
      }
    }
    return most;
  }

  float lessLeast(const float* from, float* to) const {
    float least = std::numeric_limits<float>::infinity(), most = 0;
#pragma omp simd reduction(min : least)
    for (int64_t k = 0; k < codes_; ++k) least = std::min(least, from[k]);
#pragma omp simd reduction(max : most)
    for (int64_t k = 0; k < codes_; ++k) {
      const float apart = from[k] - least;
      // The largest for a distance beyond float32's range, nothing where all of the row's are.
      to[k] = apart <= kLargest ? apart : from[k] > least ? kLargest : 0.0f;
      most = std::max(most, to[k]);
    }
    return most;
  }

  const float* x_;
  int64_t rows_, width_;
  float* centres_;  // [K, D]
  int64_t codes_;
  Tiles tiles_;
  std::vector<float> distances_;       // [N, K]
  std::vector<int32_t> costs_;         // [N, K]
  std::vector<int32_t> lower_, upper_;  // [K]
  std::vector<double> prices_;         // [K] in units of the distances
  Problem problem_;
  std::vector<int32_t> nearest_;  // [N]
};

// x, start, numbers: rows of a code at least and at most, rounds at most, the float64's bits of the move that is small
// enough to stop -> centres [K, D], codes [N], found [3]: rounds, and the error's float64
void balancedKmeans(Call& call) {
  const int64_t rows = call['N'], width = call['D'], codes = call['K'];
  const int32_t* numbers = call.ints(2);
  const int64_t least = numbers[0], most = numbers[1];
  expectBetween("rows", rows, 1, kMostItems);
  expectBetween("codes", codes, 1, kMostClusters);
  expect(least >= 0 && most >= least, "limits 0 <= least <= most, got ", least, " and ", most);
  expect(least * codes <= rows && most * codes >= rows, "limits that ", rows, " rows can meet, got ", least * codes,
         " to ", most * codes);
  expectBetween("rounds", numbers[2], 0, std::numeric_limits<int32_t>::max());
  expectFinite("x", call.floats(0), rows * width, width);
  expectFinite("start", call.floats(1), codes * width, width);
  double enough;
  std::memcpy(&enough, numbers + 3, sizeof enough);
  float* centres = call.output({codes, width});
  std::memcpy(centres, call.floats(1), codes * width * sizeof(float));
  BalancedRounds state(call.floats(0), rows, width, centres, codes, numbers[0], numbers[1]);
  state.assign();
  int32_t round = 1;
  for (; round <= numbers[2]; ++round) {
    const double moved = state.update();
    if (moved == 0) break;
    state.assign();
    if (moved <= enough) break;
  }
  std::copy(state.nearest().begin(), state.nearest().end(), call.intOutput({rows}));
  int32_t* found = call.intOutput({3});
  found[0] = std::min(round, numbers[2]);
  const double error = state.error();
  std::memcpy(found + 1, &error, sizeof error);
}

}  // namespace

void registerBalancedKmeans() {
  registerOp<balancedKmeans>("SidlabBalancedKmeans", {"x: float [N>0, D>0]", "start: float [K>0, D]", "numbers: int32 [5]"},
                             {"centres: float", "codes: int32", "found: int32"});
}

}  // namespace sidlab
