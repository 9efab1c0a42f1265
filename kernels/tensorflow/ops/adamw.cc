// One update of AdamW, and the sum of squares that clipping asks for: one pass over the numbers each. lib/ops/adamw.ts
// has the plain implementation.
#include <cmath>

#include "op.h"

namespace sidlab {
namespace {

// parameter, gradient, m, v, decays (one a number, or one for all), numbers: beta1, beta2, epsilon,
// rate / (1 - beta1^t), 1 / sqrt(1 - beta2^t), rate * weight decay, the gradient's scale; given: 1 where the memory of m
// and of v may be taken -> the next parameter, m and v
void update(Call& call) {
  const int64_t size = call.size(0);
  const float *parameter = call.floats(0), *gradient = call.floats(1), *decays = call.floats(4);
  const float* numbers = call.floats(5);
  const float beta1 = numbers[0], beta2 = numbers[1], epsilon = numbers[2];
  const float rate = numbers[3], spread = numbers[4], shrink = numbers[5], scale = numbers[6];
  const bool each = size != 1 && call.size(4) == size;
  const float all = each ? 0.0f : decays[0] * shrink;
  const int32_t* given = call.ints(6);
  float* next = call.output(call.shape(0));
  float* m = call.taken(2, given[0] != 0, 6);
  float* v = call.taken(3, given[1] != 0, 6);
#pragma omp parallel for simd if (size > kAlone)
  for (int64_t i = 0; i < size; ++i) {
    const float g = gradient[i] * scale;
    m[i] = m[i] * beta1 + g * (1.0f - beta1);
    v[i] = v[i] * beta2 + g * g * (1.0f - beta2);
    const float kept = 1.0f - (each ? decays[i] * shrink : all);
    next[i] = parameter[i] * kept - rate * m[i] / (std::sqrt(v[i]) * spread + epsilon);
  }
}

// x -> the sum of its squares [1], in double precision
void squareSum(Call& call) {
  const int64_t size = call.size(0);
  const float* x = call.floats(0);
  // Sums of fixed runs, added in order: the same bits on any number of cores.
  constexpr int64_t kRuns = 256;
  double sums[kRuns] = {};
#pragma omp parallel for if (size > kAlone)
  for (int64_t r = 0; r < kRuns; ++r) {
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = r * size / kRuns; i < (r + 1) * size / kRuns; ++i) sum += static_cast<double>(x[i]) * x[i];
    sums[r] = sum;
  }
  double total = 0;
  for (double sum : sums) total += sum;
  *call.output({1}) = static_cast<float>(total);
}

}  // namespace

void registerAdamW() {
  registerOp<squareSum>("SidlabSquareSum", {"x: float [*]"}, {"sum: float"});
  registerOp<update>("SidlabAdamW",
                     {"parameter: float [*]", "gradient: float [*]", "m: float [*]", "v: float [*]",
                      "decays: float [*|1]", "numbers: float [7]", "given: int32 [2]"},
                     {"next: float", "nextm: float", "nextv: float"});
}

}  // namespace sidlab
