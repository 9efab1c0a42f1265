// Lloyd iterations of k-means, all in one call. Follows Elkan, "Using the triangle inequality to accelerate k-means"
// (ICML 2003): every row keeps a lower bound of its distance to every centre, which shrinks by what the centre moved;
// a distance is computed only where the bound no longer says that the centre is farther than the row's own. Rows with
// many such centres are computed together against all, in tiles. Distances are sums of squared differences in float32
// with a bound on their error; what that cannot tell apart float64 decides, ties to the lower code.
// lib/sid/kmeans/lloyd.ts has the plain implementation.
//
// N rows, K codes, D width.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>

#include "distances.h"

namespace sidlab {
namespace {

constexpr float kTiny = 1e-35f;
constexpr float kLargest = std::numeric_limits<float>::max();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Of one core: codes and distances of a row [K], and which blocks of its bounds to look through.
struct Scratch {
  std::vector<int32_t> near;
  std::vector<float> distances;
  std::vector<int32_t> blocks;
};

class Rounds {
 public:
  Rounds(const float* x, int64_t rows, int64_t width, float* centres, int64_t codes, int32_t* nearest, bool bounded)
      : x_(x), rows_(rows), width_(width), centres_(centres), codes_(codes), nearest_(nearest), upper_(rows),
        next_(rows), open_(rows), drift_(codes), sums_(codes * width), counts_(codes),
        tiles_(codes, width), error_(distanceError(width)) {
    std::fill(nearest_, nearest_ + rows_, -1);
    if (bounded) lower_.reset(new float[rows * codes]);
  }

  // Gives every row its nearest centre. Returns how many changed their code.
  int64_t assign() {
    if (nearest_[0] < 0) {
      for (int64_t i = 0; i < rows_; ++i) open_[i] = 1;
    } else {
#pragma omp parallel
      {
        Scratch scratch{std::vector<int32_t>(codes_), std::vector<float>(codes_), {}};
#pragma omp for schedule(static)
        for (int64_t i = 0; i < rows_; ++i) open_[i] = !settle(i, scratch);
      }
    }
    computeOpen();
    return take();
  }

  // Moves the centres to the means of their rows.
  void update() {
#pragma omp parallel for schedule(static)
    for (int64_t k = 0; k < codes_; ++k) {
      double moved = 0;
      for (int64_t j = k * width_; counts_[k] > 0 && j < (k + 1) * width_; ++j) {
        const float mean = static_cast<float>(sums_[j] / counts_[k]);
        const double step = static_cast<double>(mean) - centres_[j];
        moved += step * step;
        centres_[j] = mean;
      }
      drift_[k] = static_cast<float>(std::sqrt(moved) * (1 + 1e-6));
    }
  }

  double error() const {
    std::vector<double> each(rows_);
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < rows_; ++i) each[i] = exactDistance(row(i), centre(nearest_[i]), width_);
    double sum = 0;
    for (double distance : each) sum += distance;
    return sum;
  }

 private:
  const float* row(int64_t i) const { return x_ + i * width_; }
  const float* centre(int64_t k) const { return centres_ + k * width_; }
  // A float32 distance's bounds of the true one, not squared; squares below kTiny may have come to nothing, those beyond
  // float32's range to infinity.
  float atLeast(float squared) const {
    return std::sqrt(std::max(std::min(squared, kLargest) * (1 - error_) - kTiny, 0.0f)) * (1 - 1.2e-7f);
  }
  float atMost(float squared) const { return std::sqrt(squared * (1 + error_) + kTiny) * (1 + 1.2e-7f); }

  // Chooses by the bounds and a few distances; false where so many are needed that all are better.
  bool settle(int64_t i, Scratch& scratch) {
    const int32_t own = nearest_[i];
    int32_t* near = scratch.near.data();
    float* distances = scratch.distances.data();
    float toOwn = -1;
    if (drift_[own] > 0) upper_[i] = atMost(toOwn = distance(row(i), centre(own), width_));
    next_[i] = near[0] = own;
    const int32_t found = 1 + lowerBounds(i, near + 1, scratch.blocks);
    if (found == 1) return true;
    if (found > codes_ / 3) return false;
    distances[0] = toOwn >= 0 ? toOwn : distance(row(i), centre(own), width_);
    for (int32_t c = 1; c < found; ++c) distances[c] = distance(row(i), centre(near[c]), width_);
    float* lower = lower_.get() + i * codes_;
    for (int32_t c = 0; c < found; ++c) lower[near[c]] = atLeast(distances[c]);
    give(i, choose(i, found, near, distances), near, distances);
    return true;
  }

  // Lets the bounds of row `i` down by what the centres moved. Lists the other codes whose centres may be as near as
  // the row's own, and returns how many.
  int32_t lowerBounds(int64_t i, int32_t* near, std::vector<int32_t>& blocks) {
    constexpr int64_t kBlock = 32;
    float* lower = lower_.get() + i * codes_;
    const float* drift = drift_.data();
    const float upper = upper_[i];
    const int32_t own = nearest_[i];  // its bound is infinite, as the upper one may be
    blocks.clear();
    for (int64_t first = 0; first < codes_; first += kBlock) {
      const int64_t last = std::min(first + kBlock, codes_);
      int32_t hits = 0;
#pragma omp simd reduction(+ : hits)
      for (int64_t k = first; k < last; ++k) {
        lower[k] = (lower[k] - drift[k]) * (1 - 2.4e-7f);
        hits += lower[k] <= upper;
      }
      if (hits > 0) blocks.push_back(first);
    }
    int32_t found = 0;
    for (int32_t first : blocks) {
      const int32_t last = std::min<int64_t>(first + kBlock, codes_);
      for (int32_t k = first; k < last; ++k) {
        if (lower[k] <= upper && k != own) near[found++] = k;
      }
    }
    return found;
  }

  // Which of `count` distances is the least. `near` names their codes, all of them in order where it is null.
  int32_t choose(int64_t i, int32_t count, const int32_t* near, const float* distances) const {
    float least = distances[0];
#pragma omp simd reduction(min : least)
    for (int32_t c = 0; c < count; ++c) least = std::min(least, distances[c]);
    const float limit = least * (1 + 3 * error_) + kTiny;
    int32_t best = -1, contenders = 0, code = 0;
#pragma omp simd reduction(+ : contenders)
    for (int32_t c = 0; c < count; ++c) contenders += distances[c] <= limit;
    double nearest = 0;
    for (int32_t c = 0; c < count; ++c) {
      if (!(distances[c] <= limit)) continue;
      if (contenders == 1) return c;
      const int32_t k = near ? near[c] : c;
      const double exact = exactDistance(row(i), centre(k), width_);
      if (best >= 0 && (exact > nearest || (exact == nearest && k > code))) continue;
      best = c;
      code = k;
      nearest = exact;
    }
    return best;
  }

  // The row's own centre has no lower bound.
  void give(int64_t i, int32_t best, const int32_t* near, const float* distances) {
    const int32_t code = near ? near[best] : best;
    next_[i] = code;
    upper_[i] = atMost(distances[best]);
    if (lower_) lower_[i * codes_ + code] = kInfinity;
  }

  // Open rows, a tile at a time, against all centres.
  void computeOpen() {
    std::vector<int64_t> rows;
    for (int64_t i = 0; i < rows_; ++i) {
      if (open_[i]) rows.push_back(i);
    }
    if (rows.empty()) return;
    tiles_.pack(centres_);
    const int64_t tiles = (rows.size() + kTile - 1) / kTile;
#pragma omp parallel
    {
      std::vector<float> distances(kTile * tiles_.stride());
#pragma omp for schedule(static)
      for (int64_t tile = 0; tile < tiles; ++tile) {
        const float* of[kTile];
        const int64_t first = tile * kTile, last = std::min<int64_t>(first + kTile, rows.size());
        for (int r = 0; r < kTile; ++r) of[r] = row(rows[std::min(first + r, last - 1)]);
        tiles_.distances(of, distances.data());
        for (int64_t at = first; at < last; ++at) {
          chooseAll(rows[at], distances.data() + (at - first) * tiles_.stride());
        }
      }
    }
  }

  void chooseAll(int64_t i, const float* distances) {
    if (lower_) {
      float* lower = lower_.get() + i * codes_;
      for (int64_t k = 0; k < codes_; ++k) lower[k] = atLeast(distances[k]);
    }
    give(i, choose(i, codes_, nullptr, distances), nullptr, distances);
  }

  // The new codes, and the sums with them. Every core has columns of its own: the same bits on any number of them.
  int64_t take() {
    std::vector<int64_t> changed;
    for (int64_t i = 0; i < rows_; ++i) {
      if (next_[i] != nearest_[i]) changed.push_back(i);
    }
    constexpr int64_t kColumns = 64;
#pragma omp parallel for schedule(static) if (static_cast<int64_t>(changed.size()) * width_ > kAlone)
    for (int64_t first = 0; first < width_; first += kColumns) {
      const int64_t last = std::min(first + kColumns, width_);
      for (int64_t i : changed) {
        if (nearest_[i] >= 0) add(i, nearest_[i], -1, first, last);
        add(i, next_[i], 1, first, last);
      }
    }
    for (int64_t i : changed) {
      if (nearest_[i] >= 0) --counts_[nearest_[i]];
      ++counts_[next_[i]];
      nearest_[i] = next_[i];
    }
    return changed.size();
  }

  void add(int64_t i, int32_t code, double sign, int64_t first, int64_t last) {
    const float* from = row(i);
    double* to = sums_.data() + code * width_;
#pragma omp simd
    for (int64_t j = first; j < last; ++j) to[j] += sign * from[j];
  }

  const float* x_;
  int64_t rows_, width_;
  float* centres_;
  int64_t codes_;
  int32_t* nearest_;                // [N], -1 before the first round
  std::unique_ptr<float[]> lower_;  // [N, K] bounds of the distances; none where there is one round
  std::vector<float> upper_;        // [N] bound of the distance to the own centre
  std::vector<int32_t> next_;       // [N]
  std::vector<char> open_;          // [N] rows that want all distances
  std::vector<float> drift_;        // [K] at least how far a centre moved last
  std::vector<double> sums_;        // [K, D]
  std::vector<int64_t> counts_;     // [K]
  Tiles tiles_;
  float error_;  // of a distance in float32, as a share of it
};

// x, start, rounds at most -> centres [K, D], codes [N], found [3]: rounds, and the error's float64
void kmeansRounds(Call& call) {
  const int64_t rows = call['N'], width = call['D'], codes = call['K'];
  const int32_t most = call.ints(2)[0];
  expectBetween("rounds", most, 0, std::numeric_limits<int32_t>::max());
  expectBetween("codes", codes, 1, std::numeric_limits<int32_t>::max() - kPanel);
  expectFinite("x", call.floats(0), rows * width, width);
  expectFinite("start", call.floats(1), codes * width, width);
  float* centres = call.output({codes, width});
  int32_t* nearest = call.intOutput({rows});
  int32_t* found = call.intOutput({3});
  std::memcpy(centres, call.floats(1), codes * width * sizeof(float));
  Rounds state(call.floats(0), rows, width, centres, codes, nearest, most > 0);
  int32_t done = 0;
  bool settled = false;
  for (; !settled && done < most; ++done) {
    settled = state.assign() == 0;
    if (!settled) state.update();
  }
  if (!settled) state.assign();
  found[0] = done;
  const double error = state.error();
  std::memcpy(found + 1, &error, sizeof error);
}

}  // namespace

void registerKmeansRounds() {
  registerOp<kmeansRounds>("SidlabKmeansRounds", {"x: float [N>0, D>0]", "start: float [K>0, D]", "most: int32 [1]"},
                           {"centres: float", "codes: int32", "found: int32"});
}

}  // namespace sidlab
