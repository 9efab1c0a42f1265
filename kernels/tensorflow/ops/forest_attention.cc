// Attention over forests, whose nodes see runs of nodes: a chain one (its own past), a branch those of its prefix, and its
// own. No padding, no scores in memory: what is kept of the softmax is one number a row.
// lib/ops/forest-attention.ts has the plain implementation.
//
// N tokens, H query heads, K key heads, H / K a group, d head width. A task of the forward pass is a piece of a chain and
// a key head, whose path is gathered; one of the backward pass is a tree and a key head, piece after piece.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "op.h"
#include "tiles.h"

namespace sidlab {
namespace {

struct Forest {
  int64_t tokens, heads, keyHeads, group, width;
  const int32_t* runStart;  // [N + 1]: first of each node's runs
  const int32_t* runs;      // [R, 2]: begin and end of each
  const int32_t* starts;    // [trees + 1]
  int64_t trees;
  float scale;
};

// A node sees nodes of its own tree, none twice, none behind itself, and itself.
void expectRuns(const Forest& f, int64_t sizeOfStart, int64_t count) {
  expect(f.starts[0] == 0 && f.starts[f.trees] == f.tokens, "starts from 0 to ", f.tokens, ", got ", f.starts[0],
         " to ", f.starts[f.trees]);
  expectOffsets("runstart", f.runStart, sizeOfStart, f.tokens, count);
  for (int64_t tree = 0; tree < f.trees; ++tree) {
    const int64_t start = f.starts[tree], end = f.starts[tree + 1];
    expect(start <= end && end <= f.tokens, "starts in ascending order, got ", start, " before ", end);
    for (int64_t i = start; i < end; ++i) {
      int64_t least = start;
      for (int32_t r = f.runStart[i]; r < f.runStart[i + 1]; ++r) {
        const int64_t from = f.runs[2 * r], to = f.runs[2 * r + 1];
        expect(least <= from && from < to && to <= i + 1, "runs in [", least, ", ", i + 1, ") of node ", i, ", got ",
               from, " to ", to);
        least = to;
      }
      expect(least == i + 1, "runs of node ", i, " to end with itself, got ", least);
    }
  }
}

Forest forestOf(const Call& call, int first) {
  Forest f;
  f.tokens = call['N'];
  f.heads = call['H'];
  f.width = call['d'];
  f.keyHeads = call['K'];
  expect(f.heads % f.keyHeads == 0, "query heads a multiple of key heads, got ", f.heads, " and ", f.keyHeads);
  f.group = f.heads / f.keyHeads;
  f.runStart = call.ints(first);
  f.runs = call.ints(first + 1);
  f.starts = call.ints(first + 2);
  f.trees = call['T'] - 1;
  expectRuns(f, call['S'], call['R']);
  f.scale = 1.0f / std::sqrt(static_cast<float>(f.width));
  return f;
}

// Nodes of a task of the forward pass: few enough for all cores, many enough that gathering their path costs little.
constexpr int64_t kTaskNodes = 32;

// Whether node i sees what node i - 1 sees, and itself.
bool continues(const Forest& f, int64_t i) {
  const int32_t *before = f.runs + 2 * f.runStart[i - 1], *own = f.runs + 2 * f.runStart[i];
  const int64_t count = f.runStart[i] - f.runStart[i - 1];
  return f.runStart[i + 1] - f.runStart[i] == count &&
         std::memcmp(before, own, (2 * count - 1) * sizeof(int32_t)) == 0;
}

// Where tasks begin among the nodes, and the nodes at the end: pieces of chains.
std::vector<int64_t> tasksOf(const Forest& f) {
  std::vector<int64_t> begins;
  for (int64_t i = 0; i < f.tokens; ++i) {
    if (begins.empty() || i - begins.back() == kTaskNodes || !continues(f, i)) begins.push_back(i);
  }
  begins.push_back(f.tokens);
  return begins;
}

// What one thread computes in. The path before a chain stays for the next task, whose chain may be a sibling.
struct Scratch {
  explicit Scratch(int64_t width) : path(width) {}
  PathTiles path;
  int64_t head = -1, length = 0;
  std::vector<int32_t> runs;  // of the path before the chain
  std::vector<float> queries, scores, sums;
};

// Gathers what the last node of a chain sees. @returns the nodes before the chain
int64_t gatherPath(const Forest& f, const float* k, const float* v, int64_t last, int64_t head, Scratch& s) {
  const int32_t *from = f.runs + 2 * f.runStart[last], *chain = f.runs + 2 * (f.runStart[last + 1] - 1);
  const auto add = [&](int64_t j, int64_t node) {
    const int64_t at = (node * f.keyHeads + head) * f.width;
    s.path.set(j, k + at, v + at);
  };
  const bool known = s.head == head && s.runs == std::vector<int32_t>(from, chain);
  if (!known) {
    s.runs.assign(from, chain);
    s.head = head;
    s.length = 0;
    for (const int32_t* run = from; run < chain; run += 2) {
      for (int64_t node = run[0]; node < run[1]; ++node) add(s.length++, node);
    }
  }
  for (int64_t node = chain[0]; node <= last; ++node) add(s.length + node - chain[0], node);
  return s.length;
}

// Turns scores into weights. @returns what they summed up to before, as a logarithm
float weigh(float* scores, int64_t length, int64_t tileLength) {
  float top = scores[0];
#pragma omp simd reduction(max : top)
  for (int64_t j = 0; j < length; ++j) top = scores[j] > top ? scores[j] : top;
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t j = 0; j < length; ++j) {
    scores[j] = fastExp(scores[j] - top);
    sum += scores[j];
  }
  const float share = 1.0f / sum;
#pragma omp simd
  for (int64_t j = 0; j < length; ++j) scores[j] *= share;
  for (int64_t j = length; j < tileLength; ++j) scores[j] = 0;
  return top + std::log(sum);
}

// The nodes [begin, end) of a chain.
void attend(const Forest& f, const float* q, const float* k, const float* v, int64_t begin, int64_t end, int64_t head,
            float* out, float* total, Scratch& s) {
  const int64_t d = f.width, count = (end - begin) * f.group;  // queries
  const int64_t before = gatherPath(f, k, v, end - 1, head, s) - f.runs[2 * (f.runStart[begin + 1] - 1)];
  const int64_t columns = padded(before + end);
  s.queries.resize(kTileRows * d);
  s.scores.resize(kTileRows * columns);
  s.sums.resize(kTileRows * padded(d));
  for (int64_t first = 0; first < count; first += kTileRows) {
    const int64_t some = count - first < kTileRows ? count - first : kTileRows;
    const auto nodeOf = [&](int64_t m) { return begin + (first + m) / f.group; };
    const auto placeOf = [&](int64_t m) { return nodeOf(m) * f.heads + head * f.group + (first + m) % f.group; };
    for (int64_t m = 0; m < kTileRows; ++m) {
      const float* query = q + placeOf(m < some ? m : some - 1) * d;
      for (int64_t c = 0; c < d; ++c) s.queries[m * d + c] = query[c] * f.scale;
    }
    const int64_t tileLength = before + nodeOf(some - 1) + 1;
    s.path.scores(s.queries.data(), d, tileLength, s.scores.data(), columns);
    for (int64_t m = 0; m < some; ++m) {
      total[placeOf(m)] = weigh(s.scores.data() + m * columns, before + nodeOf(m) + 1, tileLength);
    }
    // a weight of 0 hides no NaN: rows that do not see one are summed up alone
    const bool together = s.path.finiteValues(before + nodeOf(0) + 1, tileLength);
    if (together) s.path.sums(s.scores.data(), columns, tileLength, s.sums.data());
    for (int64_t m = 0; m < some; ++m) {
      if (!together) s.path.sums(s.scores.data(), columns, before + nodeOf(m) + 1, s.sums.data());
      std::memcpy(out + placeOf(m) * d, s.sums.data() + m * padded(d), d * sizeof(float));
    }
  }
}

// q, k, v, runStart, runs, starts -> out [N, H * d], total [N, H]: log of the sum of exp
void forward(Call& call) {
  const float *q = call.floats(0), *k = call.floats(1), *v = call.floats(2);
  const Forest f = forestOf(call, 3);
  float* out = call.output({f.tokens, f.heads * f.width});
  float* total = call.output({f.tokens, f.heads});
  if (f.tokens == 0 || f.heads == 0) return;
  const std::vector<int64_t> begins = tasksOf(f);
  const int64_t tasks = static_cast<int64_t>(begins.size()) - 1;
#pragma omp parallel if (f.tokens * f.heads * f.width > kAlone / 4)
  {
    Scratch scratch(f.width);
#pragma omp for schedule(dynamic)
    for (int64_t task = 0; task < tasks * f.keyHeads; ++task) {
      const int64_t head = task / tasks, begin = begins[task % tasks], end = begins[task % tasks + 1];
      attend(f, q, k, v, begin, end, head, out, total, scratch);
    }
  }
}

// Numbers of probabilities that a thread of the backward pass has at a time: they and their gradients fit a second cache.
constexpr int64_t kHeld = 1 << 16;

// What one thread of the backward pass computes in.
struct GradientScratch {
  explicit GradientScratch(int64_t width) : keys(width), values(width) {}
  PathTiles keys;    // (k, v): scores
  PathTiles values;  // (v, k): gradients of the probabilities, and dq
  std::vector<int64_t> nodes;  // of the path
  std::vector<float> queries, gradients;  // [rows, padded(d)]
  std::vector<float> probs, scores;       // [rows, columns]: probabilities, gradients of the scores
  std::vector<float> sums;                // [kTileRows, padded(d)]
};

// The nodes that the last of a chain sees.
void gatherBoth(const Forest& f, const float* k, const float* v, int64_t last, int64_t head, GradientScratch& s) {
  s.nodes.clear();
  for (int32_t r = f.runStart[last]; r < f.runStart[last + 1]; ++r) {
    for (int64_t node = f.runs[2 * r]; node < f.runs[2 * r + 1]; ++node) {
      const int64_t at = (node * f.keyHeads + head) * f.width;
      s.keys.set(static_cast<int64_t>(s.nodes.size()), k + at, v + at);
      s.values.set(static_cast<int64_t>(s.nodes.size()), v + at, k + at);
      s.nodes.push_back(node);
    }
  }
}

// The inputs of the backward pass, and its outputs.
struct Gradients {
  const float *dOut, *q, *k, *v, *out, *total;
  float *dq, *dk, *dv;
};

// to[node] += the columns of `weights` [rows, columns] times `rows` [count, padded(d)], for every node of the path
void addToPath(const Forest& f, const std::vector<float>& weights, int64_t columns, const std::vector<float>& rows,
               int64_t count, int64_t head, float* to, GradientScratch& s) {
  const int64_t d = f.width, wide = padded(d), length = static_cast<int64_t>(s.nodes.size());
  for (int64_t j = 0; j < length; j += kTileRows) {
    multiplyTile(weights.data() + j, {1, columns}, rows.data(), {wide, kTileColumns}, count, wide, s.sums.data(), wide);
    for (int64_t r = 0; r < kTileRows && j + r < length; ++r) {
      float* own = to + (s.nodes[j + r] * f.keyHeads + head) * d;
      const float* sum = s.sums.data() + r * wide;
#pragma omp simd
      for (int64_t c = 0; c < d; ++c) own[c] += sum[c];
    }
  }
}

// The nodes [begin, end) of a chain, whose path is gathered.
void attendBackward(const Forest& f, const Gradients& g, int64_t begin, int64_t end, int64_t head, GradientScratch& s) {
  const int64_t d = f.width, wide = padded(d), columns = padded(static_cast<int64_t>(s.nodes.size()));
  const int64_t count = (end - begin) * f.group;  // queries
  const int64_t before = static_cast<int64_t>(s.nodes.size()) - (end - begin);
  int64_t most = kHeld / columns / kTileRows * kTileRows;
  if (most < kTileRows) most = kTileRows;
  s.sums.resize(kTileRows * wide);
  for (int64_t first = 0; first < count; first += most) {
    const int64_t some = count - first < most ? count - first : most;
    const int64_t rows = (some + kTileRows - 1) / kTileRows * kTileRows;  // those beyond `some` are zeros
    const auto nodeOf = [&](int64_t m) { return begin + (first + m) / f.group; };
    const auto placeOf = [&](int64_t m) { return nodeOf(m) * f.heads + head * f.group + (first + m) % f.group; };
    s.queries.assign(rows * wide, 0.0f);
    s.gradients.assign(rows * wide, 0.0f);
    s.probs.assign(rows * columns, 0.0f);
    s.scores.assign(rows * columns, 0.0f);
    for (int64_t m = 0; m < some; ++m) {
      std::memcpy(s.gradients.data() + m * wide, g.dOut + placeOf(m) * d, d * sizeof(float));
      for (int64_t c = 0; c < d; ++c) s.queries[m * wide + c] = g.q[placeOf(m) * d + c] * f.scale;
    }
    for (int64_t m = 0; m < some; m += kTileRows) {
      const int64_t last = m + kTileRows < some ? m + kTileRows : some;
      const int64_t length = before + nodeOf(last - 1) - begin + 1;
      float *probs = s.probs.data() + m * columns, *scores = s.scores.data() + m * columns;
      s.keys.scores(s.queries.data() + m * wide, wide, length, probs, columns);
      s.values.scores(s.gradients.data() + m * wide, wide, length, scores, columns);
      for (int64_t n = m; n < last; ++n, probs += columns, scores += columns) {
        const int64_t place = placeOf(n), seen = before + nodeOf(n) - begin + 1;
        float along = 0;
        for (int64_t c = 0; c < d; ++c) along += g.dOut[place * d + c] * g.out[place * d + c];
        const float total = g.total[place];
#pragma omp simd
        for (int64_t j = 0; j < seen; ++j) {
          probs[j] = fastExp(probs[j] - total);
          scores[j] = probs[j] * (scores[j] - along);
        }
        for (int64_t j = seen; j < columns; ++j) probs[j] = scores[j] = 0;
      }
      for (int64_t n = last; n < m + kTileRows; ++n, probs += columns, scores += columns) {
        for (int64_t j = 0; j < columns; ++j) probs[j] = scores[j] = 0;
      }
      s.values.sums(s.scores.data() + m * columns, columns, length, s.sums.data());
      for (int64_t n = m; n < last; ++n) {
        float* to = g.dq + placeOf(n) * d;
        for (int64_t c = 0; c < d; ++c) to[c] = s.sums[(n - m) * wide + c] * f.scale;
      }
    }
    addToPath(f, s.scores, columns, s.queries, rows, head, g.dk, s);  // the queries are scaled
    addToPath(f, s.probs, columns, s.gradients, rows, head, g.dv, s);
  }
}

// dOut, q, k, v, out, total, runStart, runs, starts -> dq [N, H, d], dk [N, K, d], dv [N, K, d]
void backward(Call& call) {
  const Forest f = forestOf(call, 6);
  const Gradients g = {call.floats(0),            call.floats(1),
                       call.floats(2),            call.floats(3),
                       call.floats(4),            call.floats(5),
                       call.output(call.shape(1)), call.output(call.shape(2)),
                       call.output(call.shape(3))};
  std::fill_n(g.dk, call.size(2), 0.0f);
  std::fill_n(g.dv, call.size(3), 0.0f);
  if (f.tokens == 0 || f.heads == 0) return;
  const std::vector<int64_t> begins = tasksOf(f);
#pragma omp parallel if (f.tokens * f.heads * f.width > kAlone / 4)
  {
    GradientScratch scratch(f.width);
#pragma omp for schedule(dynamic)
    for (int64_t task = 0; task < f.trees * f.keyHeads; ++task) {
      const int64_t tree = task / f.keyHeads, head = task % f.keyHeads;
      const auto from = std::lower_bound(begins.begin(), begins.end(), f.starts[tree]);
      for (auto piece = from; *piece < f.starts[tree + 1]; ++piece) {
        gatherBoth(f, g.k, g.v, piece[1] - 1, head, scratch);
        attendBackward(f, g, piece[0], piece[1], head, scratch);
      }
    }
  }
}

}  // namespace

void registerForestAttention() {
  registerOp<forward>("SidlabForestAttention",
                      {"q: float [N, H, d>0]", "k: float [N, K>0, d]", "v: float [N, K, d]", "runstart: int32 [S>0]",
                       "runs: int32 [R, 2]", "starts: int32 [T>0]"},
                      {"out: float", "total: float"});
  registerOp<backward>("SidlabForestAttentionGrad",
                       {"dout: float [N, H*d]", "q: float [N, H, d>0]", "k: float [N, K>0, d]", "v: float [N, K, d]",
                        "out: float [N, H*d]", "total: float [N, H]", "runstart: int32 [S>0]", "runs: int32 [R, 2]",
                        "starts: int32 [T>0]"},
                       {"dq: float", "dk: float", "dv: float"});
}

}  // namespace sidlab
