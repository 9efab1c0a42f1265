// Products of each row of hidden state with its own few rows of a table. lib/ops/legal-scores.ts has the plain
// implementation. R rows, D width, E products; the table's rows are V frozen ones, then W trained ones.
#include "op.h"

namespace sidlab {
namespace {

struct Sets {
  int64_t rows, width, count, frozenRows;
  const float *hidden, *frozen, *trained;
  const int32_t *start, *at;

  const float* tableRow(int64_t e) const {
    return at[e] < frozenRows ? frozen + at[e] * width : trained + (at[e] - frozenRows) * width;
  }
};

Sets setsOf(const Call& call, int first) {
  Sets s;
  s.rows = call['R'];
  s.width = call['D'];
  s.count = call['E'];
  s.frozenRows = call['V'];
  s.hidden = call.floats(first);
  s.frozen = call.floats(first + 1);
  s.trained = call.floats(first + 2);
  s.start = call.ints(first + 3);
  s.at = call.ints(first + 4);
  expectOffsets("start", s.start, call['S'], s.rows, s.count);
  expectIndices("at", s.at, s.count, s.frozenRows + call['W']);
  return s;
}

// hidden, frozen, trained, start, at -> scores [E]
void forward(Call& call) {
  const Sets s = setsOf(call, 0);
  float* scores = call.output({s.count});
  std::vector<int32_t> row(s.count);
  for (int64_t r = 0; r < s.rows; ++r) {
    for (int64_t e = s.start[r]; e < s.start[r + 1]; ++e) row[e] = static_cast<int32_t>(r);
  }
#pragma omp parallel for schedule(static) if (s.count * s.width > kAlone)
  for (int64_t e = 0; e < s.count; ++e) {
    const float *a = s.hidden + row[e] * s.width, *b = s.tableRow(e);
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t c = 0; c < s.width; ++c) sum += a[c] * b[c];
    scores[e] = sum;
  }
}

// dScores, hidden, frozen, trained, start, at -> dHidden [R, D], dTrained [W, D]
void backward(Call& call) {
  const Sets s = setsOf(call, 1);
  const float* dScores = call.floats(0);
  float* dHidden = call.output({s.rows, s.width});
  float* dTrained = call.output({call['W'], s.width});
  const bool large = s.count * s.width > kAlone;
#pragma omp parallel for schedule(dynamic, 4) if (large)
  for (int64_t r = 0; r < s.rows; ++r) {
    float* to = dHidden + r * s.width;
    std::memset(to, 0, s.width * sizeof(float));
    for (int64_t e = s.start[r]; e < s.start[r + 1]; ++e) {
      const float* from = s.tableRow(e);
      const float factor = dScores[e];
#pragma omp simd
      for (int64_t c = 0; c < s.width; ++c) to[c] += factor * from[c];
    }
  }
  std::memset(dTrained, 0, call['W'] * s.width * sizeof(float));
  // Cut by columns: several products may share a row of the table, and are added in the order of the products.
  constexpr int64_t kColumns = 64;
#pragma omp parallel for schedule(static) if (large)
  for (int64_t from = 0; from < s.width; from += kColumns) {
    const int64_t until = from + kColumns < s.width ? from + kColumns : s.width;
    for (int64_t r = 0; r < s.rows; ++r) {
      const float* own = s.hidden + r * s.width;
      for (int64_t e = s.start[r]; e < s.start[r + 1]; ++e) {
        if (s.at[e] < s.frozenRows) continue;
        float* to = dTrained + (s.at[e] - s.frozenRows) * s.width;
        const float factor = dScores[e];
#pragma omp simd
        for (int64_t c = from; c < until; ++c) to[c] += factor * own[c];
      }
    }
  }
}

}  // namespace

void registerLegalScores() {
  registerOp<forward>("SidlabLegalScores",
                      {"hidden: float [R, D]", "frozen: float [V, D]", "trained: float [W, D]", "start: int32 [S>0]",
                       "at: int32 [E]"},
                      {"scores: float"});
  registerOp<backward>("SidlabLegalScoresGrad",
                       {"dscores: float [E]", "hidden: float [R, D]", "frozen: float [V, D]", "trained: float [W, D]",
                        "start: int32 [S>0]", "at: int32 [E]"},
                       {"dhidden: float", "dtrained: float"});
}

}  // namespace sidlab
