// left^T @ right of bfloat16 matrices in tile registers, summed in float32 and rounded once to bfloat16.
//
// Columns of the left factor, rows of the product, are packed and stay in the second-level cache. The right factor streams
// past, 32 columns at a time, each packed while those before are multiplied. Where k is long, sums wait in memory between its
// parts. Every thread computes a rectangle of the product. Between the steps of one pair of panels lies what does not need the
// tile unit: the columns that come next are fetched and packed, the sums of the pair before rounded and written.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

#ifdef _OPENMP
#include <omp.h>
#endif

#include "panels.h"

namespace sidlab {

// Memory that a thread keeps for its next product.
class Workspace {
 public:
  Workspace() = default;
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  ~Workspace() { std::free(memory_); }

  void* atLeast(int64_t bytes) {
    if (bytes > bytes_) {
      std::free(memory_);
      bytes_ = 0;
      const int64_t rounded = divideUp(bytes, 4096) * 4096;
      memory_ = std::aligned_alloc(4096, rounded);
      if (memory_ == nullptr) throw std::bad_alloc();
      bytes_ = rounded;
    }
    return memory_;
  }

 private:
  void* memory_ = nullptr;
  int64_t bytes_ = 0;
};

// left [k, m], right [k, n] -> to [m, n]
struct Product {
  Factor left, right;
  uint16_t* to;
};

// Panels at some steps of k.
struct Block {
  const Factor* of;
  int64_t first, last, k, end;

  int64_t steps() const { return end - k; }
  int64_t tiles() const { return 2 * (last - first) * steps(); }
  int64_t lines() const { return tiles() * kTileSide; }

  // Tile by tile, along the factor's rows.
  void pack(int64_t tile, uint16_t* to) const {
    const int64_t half = tile % 2, panels = last - first, panel = tile / 2 % panels, step = tile / 2 / panels;
    const int64_t i = (first + panel) * kPanel + half * kTileSide;
    if (i >= of->count) return;
    packTile(*of, i, (k + step) * kTileInner, to + (panel * steps() + step) * kPanelStep + half * kTileNumbers);
  }
  // Asks for a line of the first panel, in the order in which it is packed, or of the one after it.
  void fetch(int64_t line) const {
    const int64_t rows = steps() * kTileInner;
    __builtin_prefetch(of->numbers + (k * kTileInner + line % rows) * of->count + (first + line / rows) * kPanel, 0, 2);
  }
};

// Panels that stay, at most, for so many steps of k.
inline int64_t rowsOf(const BlockSizes& sizes, int64_t steps) {
  if (steps > sizes.steps) return sizes.partRows;
  return std::max<int64_t>(1, sizes.numbers / (std::max<int64_t>(1, steps) * kPanelStep));
}

// How a product is divided among threads: along its rows and along its columns.
struct Plan {
  int64_t rows, columns;
};

inline Plan planOf(const Product& product, const BlockSizes& sizes, int64_t threads) {
  const int64_t left = divideUp(product.left.count, kPanel), right = divideUp(product.right.count, kPanel);
  const int64_t steps = divideUp(product.left.inner, kTileInner);
  const int64_t most = rowsOf(sizes, steps);
  Plan best{1, 1};
  int64_t least = INT64_MAX;
  for (int64_t rows = 1; rows <= threads; ++rows) {
    const int64_t columns = threads / rows, l = divideUp(left, rows), r = divideUp(right, columns);
    // In pairs of panels; to pack a panel takes about as long as one, twice that of the left, which is transposed.
    const int64_t cost = l * r + divideUp(l, most) * r + 2 * l;
    if (cost < least) {
      least = cost;
      best = {rows, columns};
    }
  }
  return best;
}

// Rows first..last and columns from..to, in panels, steps k..end.
struct Part {
  int64_t first, last, from, to, k, end;
};

template <typename Tiles>
class Multiplication {
 public:
  Multiplication(const Product& product, int64_t threads)
      : product_(product), plan_(planOf(product, Tiles::kBlocks, threads)), steps_(divideUp(product.left.inner, kTileInner)) {}

  int64_t threads() const { return plan_.rows * plan_.columns; }

  // What is thread `thread`'s of `threads`.
  void multiply(int64_t thread) const {
    const int64_t r = thread % plan_.rows, c = thread / plan_.rows;
    const int64_t left = divideUp(product_.left.count, kPanel), right = divideUp(product_.right.count, kPanel);
    const Part mine{left * r / plan_.rows,          left * (r + 1) / plan_.rows, right * c / plan_.columns,
                    right * (c + 1) / plan_.columns, 0,                           steps_};
    if (mine.first == mine.last || mine.from == mine.to) return;
    Tiles::begin();
    multiply(mine);
    Tiles::end();
  }

 private:
  static constexpr BlockSizes kBlocks = Tiles::kBlocks;

  // What is done besides while one pair is multiplied.
  struct Aside {
    const Block& soon;
    uint16_t* packed;
    Finished before, coming;
    Spread sources, tiles, rows, targets;

    void step() {
      sources.step([&](int64_t line) { soon.fetch(line + kBlocks.stepsAhead * kPanel); });
      tiles.step([&](int64_t tile) { soon.pack(tile, packed); });
      rows.step([&](int64_t row) { before.write(row); });
      targets.step([&](int64_t row) { coming.fetch(row); });
    }
    void rest() {
      tiles.rest([&](int64_t tile) { soon.pack(tile, packed); });
      rows.rest([&](int64_t row) { before.write(row); });
    }
  };

  // Memory of a thread's own.
  struct Scratch {
    uint16_t* staying;
    uint16_t* streaming[2];
    float* sums;
    bool waits;
  };

  std::vector<Part> partsOf(const Part& all, int64_t rows, int64_t columns, int64_t steps) const {
    std::vector<Part> parts;
    for (int64_t i = all.first; i < all.last; i += rows) {
      for (int64_t j = all.from; j < all.to; j += columns) {
        const int64_t last = std::min(i + rows, all.last), to = std::min(j + columns, all.to);
        parts.push_back({i, last, j, to, 0, std::min(steps, steps_)});
        for (int64_t k = steps; k < steps_; k += steps) parts.push_back({i, last, j, to, k, std::min(k + steps, steps_)});
      }
    }
    return parts;
  }

  void multiply(const Part& all) const {
    const bool waits = steps_ > kBlocks.steps;
    const int64_t steps = waits ? divideUp(steps_, divideUp(steps_, kBlocks.partSteps)) : steps_;
    const auto even = [](int64_t n, int64_t most) { return divideUp(n, divideUp(n, most)); };
    const int64_t rows = even(all.last - all.first, rowsOf(kBlocks, steps_));
    const int64_t columns = waits ? even(all.to - all.from, kBlocks.partColumns) : all.to - all.from;
    const int64_t panel = steps * kPanelStep, sums = (waits ? rows * columns : 1) * kPanel * kPanel;
    static thread_local Workspace workspace;
    char* memory = static_cast<char*>(workspace.atLeast(sums * sizeof(float) + (rows + 2) * panel * sizeof(uint16_t)));
    uint16_t* first = reinterpret_cast<uint16_t*>(memory + sums * sizeof(float));
    Scratch scratch{first + 2 * panel, {first, first + panel}, reinterpret_cast<float*>(memory), waits};

    const std::vector<Part> parts = partsOf(all, rows, columns, steps);
    const Block start = blockOf(parts[0], parts[0].from);
    for (int64_t tile = 0; tile < start.tiles(); ++tile) start.pack(tile, scratch.streaming[0]);
    Finished finished;
    const Part* before = nullptr;
    for (size_t p = 0; p < parts.size(); ++p) {
      packStaying(parts[p], before, scratch.staying);
      multiply(parts[p], p + 1 < parts.size() ? &parts[p + 1] : nullptr, scratch, finished);
      before = &parts[p];
    }
    for (int64_t row = 0; row < finished.rows; ++row) finished.write(row);
  }

  Block blockOf(const Part& part, int64_t column) const { return {&product_.right, column, column + 1, part.k, part.end}; }

  void packStaying(const Part& part, const Part* before, uint16_t* to) const {
    if (before != nullptr && before->first == part.first && before->k == part.k && before->end == part.end) return;
    const Block block{&product_.left, part.first, part.last, part.k, part.end};
    for (int64_t tile = 0; tile < block.tiles(); ++tile) block.pack(tile, to);
  }

  void multiply(const Part& part, const Part* next, Scratch& scratch, Finished& finished) const {
    const int64_t steps = part.end - part.k, pairs = part.last - part.first, columns = part.to - part.from;
    for (int64_t j = part.from; j < part.to; ++j) {
      Block soon = blockOf(part, j + 1);
      if (j + 1 == part.to) soon = next != nullptr ? blockOf(*next, next->from) : Block{&product_.right, j, j, part.k, part.end};
      for (int64_t i = part.first; i < part.last; ++i) {
        const int64_t pair = i - part.first;
        float* sums = scratch.waits ? scratch.sums + (pair * columns + j - part.from) * kPanel * kPanel : scratch.sums;
        const Finished coming{sums, product_.to + i * kPanel * product_.right.count + j * kPanel, product_.right.count,
                              std::min(product_.left.count - i * kPanel, kPanel),
                              std::min(product_.right.count - j * kPanel, kPanel)};
        const bool last = part.end == steps_;
        Aside aside{soon,
                    scratch.streaming[1],
                    finished,
                    coming,
                    Spread(soon.lines() * pair / pairs, soon.lines() * (pair + 1) / pairs, steps),
                    Spread(soon.tiles() * pair / pairs, soon.tiles() * (pair + 1) / pairs, steps),
                    Spread(0, finished.rows, steps),
                    Spread(0, last ? coming.rows : 0, steps)};
        multiplyPair(scratch.staying + pair * steps * kPanelStep, scratch.streaming[0], steps, coming, part.k == 0, aside);
        finished = last ? coming : Finished{};
      }
      std::swap(scratch.streaming[0], scratch.streaming[1]);
    }
  }

  static void multiplyPair(const uint16_t* left, const uint16_t* right, int64_t steps, const Finished& to, bool first,
                           Aside& aside) {
    if (to.rows > kTileSide) {
      if (to.columns > kTileSide) multiplyPanels<Tiles, 2, 2>(left, right, steps, to.sums, first, aside);
      else multiplyPanels<Tiles, 2, 1>(left, right, steps, to.sums, first, aside);
    } else {
      if (to.columns > kTileSide) multiplyPanels<Tiles, 1, 2>(left, right, steps, to.sums, first, aside);
      else multiplyPanels<Tiles, 1, 1>(left, right, steps, to.sums, first, aside);
    }
  }

  const Product product_;
  const Plan plan_;
  const int64_t steps_;
};

// On at most so many threads.
template <typename Tiles>
void multiply(const Product& product, int64_t threads) {
  if (product.left.count == 0 || product.right.count == 0) return;
  const Multiplication<Tiles> work(product, threads);
  bool failed = false;  // nothing is thrown out of a team
#ifdef _OPENMP
#pragma omp parallel num_threads(static_cast<int>(work.threads())) if (work.threads() > 1)
#endif
  {
    // A team may be smaller than was asked for.
#ifdef _OPENMP
    const int64_t thread = omp_get_thread_num(), team = omp_get_num_threads();
#else
    const int64_t thread = 0, team = 1;
#endif
    try {
      for (int64_t i = thread; i < work.threads(); i += team) work.multiply(i);
    } catch (const std::bad_alloc&) {
#ifdef _OPENMP
#pragma omp atomic write
#endif
      failed = true;
    }
  }
  if (failed) throw std::bad_alloc();
}

}  // namespace sidlab
