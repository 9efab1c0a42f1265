// Attention over forests, whose nodes see runs of nodes: a chain one (its own past), a branch those of its prefix, and its
// own. No padding, no scores in memory: what is kept of the softmax is one number a row.
// lib/ops/forest-attention.ts has the plain implementation.
//
// N tokens, H query heads, K key heads, H / K a group, d head width. A task of the forward pass is a piece of a chain and
// a key head, whose path is gathered; one of the backward pass is a tree and a key head.
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

// Rows [start, start + length) of one head, turned: out[c * length + j] = x[start + j, head, c]
void turned(const float* x, int64_t start, int64_t length, int64_t head, int64_t heads, int64_t width, float* out) {
  for (int64_t j = 0; j < length; ++j) {
    const float* from = x + ((start + j) * heads + head) * width;
    for (int64_t c = 0; c < width; ++c) out[c * length + j] = from[c];
  }
}

// out[j] = sum over c of row[c] * turnedRows[c][j], for j in [from, to)
inline void products(const float* row, const float* turnedRows, int64_t width, int64_t length, int64_t from, int64_t to,
                     float* out) {
  for (int64_t j = from; j < to; ++j) out[j] = 0;
  int64_t c = 0;
  for (; c + 4 <= width; c += 4) {
    const float a = row[c], b = row[c + 1], e = row[c + 2], f = row[c + 3];
    const float *p = turnedRows + c * length, *q = p + length, *r = q + length, *s = r + length;
#pragma omp simd
    for (int64_t j = from; j < to; ++j) out[j] += a * p[j] + b * q[j] + e * r[j] + f * s[j];
  }
  for (; c < width; ++c) {
    const float a = row[c];
    const float* p = turnedRows + c * length;
#pragma omp simd
    for (int64_t j = from; j < to; ++j) out[j] += a * p[j];
  }
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
    s.path.scores(s.queries.data(), tileLength, s.scores.data(), columns);
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

// dOut, q, k, v, out, total, runStart, runs, starts -> dq [N, H, d], dk [N, K, d], dv [N, K, d]
void backward(Call& call) {
  const float *dOut = call.floats(0), *q = call.floats(1), *k = call.floats(2), *v = call.floats(3);
  const float *out = call.floats(4), *total = call.floats(5);
  const Forest f = forestOf(call, 6);
  const int64_t d = f.width;
  float* dq = call.output(call.shape(1));
  float* dk = call.output(call.shape(2));
  float* dv = call.output(call.shape(3));
#pragma omp parallel if (f.tokens * f.heads * d > kAlone / 4)
  {
    std::vector<float> keys, values, probs, dProbs, query(d);
#pragma omp for schedule(dynamic)
    for (int64_t task = 0; task < f.trees * f.keyHeads; ++task) {
      const int64_t tree = task / f.keyHeads, head = task % f.keyHeads;
      const int64_t start = f.starts[tree], length = f.starts[tree + 1] - start;
      keys.resize(length * d);
      values.resize(length * d);
      probs.resize(length);
      dProbs.resize(length);
      turned(k, start, length, head, f.keyHeads, d, keys.data());
      turned(v, start, length, head, f.keyHeads, d, values.data());
      for (int64_t j = 0; j < length; ++j) {
        std::memset(dk + ((start + j) * f.keyHeads + head) * d, 0, d * sizeof(float));
        std::memset(dv + ((start + j) * f.keyHeads + head) * d, 0, d * sizeof(float));
      }
      for (int64_t i = 0; i < length; ++i) {
        const int32_t first = f.runStart[start + i], last = f.runStart[start + i + 1];
        for (int64_t g = 0; g < f.group; ++g) {
          const int64_t own = (start + i) * f.heads + head * f.group + g;
          const float *gradient = dOut + own * d, *answer = out + own * d;
          float along = 0;
          for (int64_t c = 0; c < d; ++c) {
            query[c] = q[own * d + c] * f.scale;
            along += gradient[c] * answer[c];
          }
          float* to = dq + own * d;
          for (int64_t c = 0; c < d; ++c) to[c] = 0;
          for (int32_t r = first; r < last; ++r) {
            const int64_t from = f.runs[2 * r] - start, until = f.runs[2 * r + 1] - start;
            products(query.data(), keys.data(), d, length, from, until, probs.data());
            products(gradient, values.data(), d, length, from, until, dProbs.data());
#pragma omp simd
            for (int64_t j = from; j < until; ++j) {
              probs[j] = fastExp(probs[j] - total[own]);
              dProbs[j] = probs[j] * (dProbs[j] - along) * f.scale;
            }
            for (int64_t j = from; j < until; ++j) {
              const int64_t at = ((start + j) * f.keyHeads + head) * d;
              const float p = probs[j], ds = dProbs[j];
              const float* own_q = q + own * d;
#pragma omp simd
              for (int64_t c = 0; c < d; ++c) {
                to[c] += ds * k[at + c];
                dk[at + c] += ds * own_q[c];
                dv[at + c] += p * gradient[c];
              }
            }
          }
        }
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
