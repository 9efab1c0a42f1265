// Log-probabilities of targets from logits. lib/ops/target-log-probs.ts has the plain implementation.
// M rows, V vocabulary, K targets.
#include <cmath>

#include "op.h"

namespace sidlab {
namespace {

// logits, row and token of each target -> logProb [K], total [M]: log of the sum of exp
void forward(Call& call) {
  const int64_t rows = call['M'], vocabulary = call['V'], targets = call['K'];
  const float* logits = call.floats(0);
  const int32_t *row = call.ints(1), *token = call.ints(2);
  expectIndices("row", row, targets, rows);
  expectIndices("token", token, targets, vocabulary);
  float* logProb = call.output({targets});
  float* total = call.output({rows});
#pragma omp parallel for if (rows * vocabulary > kAlone)
  for (int64_t m = 0; m < rows; ++m) {
    const float* of = logits + m * vocabulary;
    float top = of[0];
#pragma omp simd reduction(max : top)
    for (int64_t j = 0; j < vocabulary; ++j) top = of[j] > top ? of[j] : top;
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t j = 0; j < vocabulary; ++j) sum += fastExp(of[j] - top);
    total[m] = top + std::log(sum);
  }
  for (int64_t k = 0; k < targets; ++k) logProb[k] = logits[row[k] * vocabulary + token[k]] - total[row[k]];
}

// dy, logits, row, token, total -> dLogits [M, V]
void backward(Call& call) {
  const int64_t rows = call['M'], vocabulary = call['V'], targets = call['K'];
  const float *dy = call.floats(0), *logits = call.floats(1), *total = call.floats(4);
  const int32_t *row = call.ints(2), *token = call.ints(3);
  expectIndices("row", row, targets, rows);
  expectIndices("token", token, targets, vocabulary);
  float* dLogits = call.output({rows, vocabulary});
  std::vector<float> weight(rows, 0.0f);
  for (int64_t k = 0; k < targets; ++k) weight[row[k]] += dy[k];
#pragma omp parallel for if (rows * vocabulary > kAlone)
  for (int64_t m = 0; m < rows; ++m) {
    const float *of = logits + m * vocabulary;
    float* to = dLogits + m * vocabulary;
    const float factor = -weight[m], shift = total[m];
#pragma omp simd
    for (int64_t j = 0; j < vocabulary; ++j) to[j] = factor * fastExp(of[j] - shift);
  }
  for (int64_t k = 0; k < targets; ++k) dLogits[row[k] * vocabulary + token[k]] += dy[k];
}

}  // namespace

void registerTargetLogProbs() {
  registerOp<forward>("SidlabTargetLogProbs", {"logits: float [M, V>0]", "row: int32 [K]", "token: int32 [K]"},
                      {"logprob: float", "total: float"});
  registerOp<backward>("SidlabTargetLogProbsGrad",
                       {"dy: float [K]", "logits: float [M, V>0]", "row: int32 [K]", "token: int32 [K]",
                        "total: float [M]"},
                       {"dlogits: float"});
}

}  // namespace sidlab
