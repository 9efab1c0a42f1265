// Attention of new nodes of a forest on their paths, while decoding: what is common to the rows of a user (their prompt) is
// gathered once, the few nodes that each beam has grown are taken one by one. No mask, no padding of users.
// lib/decode/padded-attention.ts has the plain implementation.
//
// n rows, N nodes of the prompts, S grown nodes, H query heads, K key heads, H / K a group, d head width. Runs count
// prompts' nodes first, then grown ones. A task is a few rows with the same prompt, and a key head.
#include <cmath>

#include "op.h"
#include "tiles.h"

namespace sidlab {
namespace {

// Rows of a task: few enough for all cores, and enough that gathering the prompt costs little beside them.
constexpr int64_t kTaskRows = 16;

struct Paths {
  int64_t rows, prompts, grown, heads, keyHeads, group, width;
  const float *q, *promptKeys, *promptValues, *grownKeys, *grownValues;
  const int32_t *runStart, *runs;

  const float* key(int64_t node, int64_t head) const {
    return node < prompts ? promptKeys + (node * keyHeads + head) * width
                          : grownKeys + ((node - prompts) * keyHeads + head) * width;
  }
  const float* value(int64_t node, int64_t head) const {
    return node < prompts ? promptValues + (node * keyHeads + head) * width
                          : grownValues + ((node - prompts) * keyHeads + head) * width;
  }
  // The first of a row's runs that is not a prompt's.
  int32_t firstGrown(int64_t row) const {
    int32_t r = runStart[row];
    while (r < runStart[row + 1] && runs[2 * r + 1] <= prompts) ++r;
    return r;
  }
};

Paths pathsOf(const Call& call) {
  Paths p;
  p.rows = call['n'];
  p.prompts = call['N'];
  p.grown = call['S'];
  p.heads = call['H'];
  p.keyHeads = call['K'];
  p.width = call['d'];
  expect(p.heads % p.keyHeads == 0, "query heads a multiple of key heads, got ", p.heads, " and ", p.keyHeads);
  p.group = p.heads / p.keyHeads;
  p.q = call.floats(0);
  p.promptKeys = call.floats(1);
  p.promptValues = call.floats(2);
  p.grownKeys = call.floats(3);
  p.grownValues = call.floats(4);
  p.runStart = call.ints(5);
  p.runs = call.ints(6);
  expectOffsets("runstart", p.runStart, call['X'], p.rows, call['R']);
  const int64_t nodes = p.prompts + p.grown;
  for (int64_t row = 0; row < p.rows; ++row) {
    expect(p.runStart[row] < p.runStart[row + 1], "a run or more of row ", row, ", got none");
    int64_t least = 0;
    for (int32_t r = p.runStart[row]; r < p.runStart[row + 1]; ++r) {
      const int64_t from = p.runs[2 * r], to = p.runs[2 * r + 1];
      expect(least <= from && from < to && to <= nodes, "runs in [", least, ", ", nodes, ") of row ", row, ", got ",
             from, " to ", to);
      least = to;
    }
  }
  return p;
}

bool samePrompt(const Paths& p, int64_t a, int64_t b) {
  const int32_t first = p.runStart[a], count = p.firstGrown(a) - first;
  return p.firstGrown(b) - p.runStart[b] == count &&
         std::memcmp(p.runs + 2 * first, p.runs + 2 * p.runStart[b], 2 * count * sizeof(int32_t)) == 0;
}

// Where tasks begin among the rows, and the rows at the end.
std::vector<int64_t> tasksOf(const Paths& p) {
  std::vector<int64_t> begins;
  for (int64_t row = 0; row < p.rows; ++row) {
    if (begins.empty() || row - begins.back() == kTaskRows || !samePrompt(p, begins.back(), row)) begins.push_back(row);
  }
  begins.push_back(p.rows);
  return begins;
}

// What one thread computes in.
struct Scratch {
  explicit Scratch(int64_t width) : prompt(width) {}
  PathTiles prompt;
  std::vector<float> queries, scores, sums;
};

inline float dot(const float* a, const float* b, int64_t width) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t c = 0; c < width; ++c) sum += a[c] * b[c];
  return sum;
}

// Makes a query's scores on `length` nodes of its prompt and on its own `nodes` exponentials. @returns their sum
float exponentials(float* scores, int64_t length, std::vector<float>& own) {
  float top = -INFINITY;
#pragma omp simd reduction(max : top)
  for (int64_t j = 0; j < length; ++j) top = scores[j] > top ? scores[j] : top;
  for (float score : own) top = score > top ? score : top;
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t j = 0; j < length; ++j) {
    scores[j] = fastExp(scores[j] - top);
    sum += scores[j];
  }
  for (float& score : own) {
    score = fastExp(score - top);
    sum += score;
  }
  return sum;
}

// The prompt of a task. @returns its nodes
int64_t gatherPrompt(const Paths& p, int64_t row, int64_t head, PathTiles& prompt) {
  int64_t length = 0;
  const int32_t end = p.firstGrown(row);
  for (int32_t r = p.runStart[row]; r < end; ++r) {
    for (int64_t node = p.runs[2 * r]; node < p.runs[2 * r + 1]; ++node) {
      prompt.set(length++, p.key(node, head), p.value(node, head));
    }
  }
  return length;
}

void attend(const Paths& p, int64_t begin, int64_t end, int64_t head, float* out, Scratch& s) {
  const int64_t d = p.width, widthColumns = padded(d);
  const int64_t length = gatherPrompt(p, begin, head, s.prompt), columns = padded(length);
  const float scale = 1.0f / std::sqrt(static_cast<float>(d));
  const int64_t count = (end - begin) * p.group;  // queries
  s.queries.resize(kTileRows * d);
  s.scores.resize(kTileRows * columns);
  s.sums.resize(kTileRows * widthColumns);
  for (int64_t first = 0; first < count; first += kTileRows) {
    const int64_t some = count - first < kTileRows ? count - first : kTileRows;
    const auto placeOf = [&](int64_t m) {
      return (begin + (first + m) / p.group) * p.heads + head * p.group + (first + m) % p.group;
    };
    for (int64_t m = 0; m < kTileRows; ++m) {
      const float* query = m < some ? p.q + placeOf(m) * d : nullptr;
      for (int64_t c = 0; c < d; ++c) s.queries[m * d + c] = query ? query[c] * scale : 0.0f;
    }
    s.prompt.scores(s.queries.data(), d, length, s.scores.data(), columns);
    std::vector<float> own[kTileRows];
    float share[kTileRows];
    for (int64_t m = 0; m < some; ++m) {
      const int64_t row = begin + (first + m) / p.group;
      for (int32_t r = p.firstGrown(row); r < p.runStart[row + 1]; ++r) {
        for (int64_t node = p.runs[2 * r]; node < p.runs[2 * r + 1]; ++node) {
          own[m].push_back(dot(s.queries.data() + m * d, p.key(node, head), d));
        }
      }
      share[m] = 1.0f / exponentials(s.scores.data() + m * columns, length, own[m]);
    }
    s.prompt.sums(s.scores.data(), columns, length, s.sums.data());
    for (int64_t m = 0; m < some; ++m) {
      const int64_t row = begin + (first + m) / p.group;
      float* sum = s.sums.data() + m * widthColumns;
      size_t at = 0;
      for (int32_t r = p.firstGrown(row); r < p.runStart[row + 1]; ++r) {
        for (int64_t node = p.runs[2 * r]; node < p.runs[2 * r + 1]; ++node) {
          const float weight = own[m][at++], *value = p.value(node, head);
#pragma omp simd
          for (int64_t c = 0; c < d; ++c) sum[c] += weight * value[c];
        }
      }
      float* to = out + placeOf(m) * d;
      for (int64_t c = 0; c < d; ++c) to[c] = sum[c] * share[m];
    }
  }
}

// q, prompts' keys and values, grown keys and values, runStart, runs -> out [n, H * d]
void forward(Call& call) {
  const Paths p = pathsOf(call);
  float* out = call.output({p.rows, p.heads * p.width});
  const std::vector<int64_t> begins = tasksOf(p);
  const int64_t tasks = static_cast<int64_t>(begins.size() - 1) * p.keyHeads;
#pragma omp parallel if (p.rows * p.heads * p.width > kAlone / 16)
  {
    Scratch scratch(p.width);
#pragma omp for schedule(dynamic)
    for (int64_t task = 0; task < tasks; ++task) {
      attend(p, begins[task / p.keyHeads], begins[task / p.keyHeads + 1], task % p.keyHeads, out, scratch);
    }
  }
}

}  // namespace

void registerPathAttention() {
  registerOp<forward>("SidlabPathAttention",
                      {"q: float [n, H, d>0]", "promptkeys: float [N, K>0, d]", "promptvalues: float [N, K, d]",
                       "grownkeys: float [S, K, d]", "grownvalues: float [S, K, d]", "runstart: int32 [X>0]",
                       "runs: int32 [R, 2]"},
                      {"out: float"});
}

}  // namespace sidlab
