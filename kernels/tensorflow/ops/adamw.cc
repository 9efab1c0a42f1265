// One update of AdamW, and the sum of squares that clipping asks for: one pass over the numbers each. lib/ops/adamw.ts
// has the plain implementation.
#include <cmath>

#include "op.h"

namespace sidlab {
namespace {

// Numbers that are updated at a time.
constexpr int64_t kRun = 2048;

inline float valueOf(float x) { return x; }
inline float valueOf(uint16_t x) { return fromHalf(x); }

// Of a gradient in float32 or bfloat16.
template <typename Number>
const Number* numbersOf(const Call& call, int input);
template <>
const float* numbersOf(const Call& call, int input) {
  return call.floats(input);
}
template <>
const uint16_t* numbersOf(const Call& call, int input) {
  return call.halves(input);
}

// parameter, gradient, m, v, decays (one a number, or one for all), numbers: beta1, beta2, epsilon,
// rate / (1 - beta1^t), 1 / sqrt(1 - beta2^t), rate * weight decay, the gradient's scale; half: the parameter in bfloat16,
// or nothing; given: 1 where the memory of parameter, m, v and half may be taken
// -> the next parameter, m, v and, if there is one, half
template <typename Gradient>
void update(Call& call) {
  const int64_t size = call.size(0);
  const Gradient* gradient = numbersOf<Gradient>(call, 1);
  const float *decays = call.floats(4), *numbers = call.floats(5);
  const float beta1 = numbers[0], beta2 = numbers[1], epsilon = numbers[2];
  const float rate = numbers[3], spread = numbers[4], shrink = numbers[5], scale = numbers[6];
  const bool each = size != 1 && call.size(4) == size;
  const float all = each ? 0.0f : decays[0] * shrink;
  const bool halved = size > 0 && call.size(6) == size;
  const int32_t* given = call.ints(7);
  float* parameter = call.taken(0, given[0] != 0, 7);
  float* m = call.taken(2, given[1] != 0, 7);
  float* v = call.taken(3, given[2] != 0, 7);
  uint16_t* half = call.takenHalf(6, given[3] != 0, 7);
  // Run by run, each of which a core's first cache holds: loops of one kind of number are vectors through and through.
#pragma omp parallel for if (size > kAlone)
  for (int64_t begin = 0; begin < size; begin += kRun) {
    const int64_t count = size - begin < kRun ? size - begin : kRun;
    float g[kRun], kept[kRun];
    float *p = parameter + begin, *m1 = m + begin, *v1 = v + begin;
#pragma omp simd
    for (int64_t i = 0; i < count; ++i) g[i] = valueOf(gradient[begin + i]) * scale;
    for (int64_t i = 0; i < count; ++i) kept[i] = 1.0f - (each ? decays[begin + i] * shrink : all);
#pragma omp simd
    for (int64_t i = 0; i < count; ++i) {
      m1[i] = m1[i] * beta1 + g[i] * (1.0f - beta1);
      v1[i] = v1[i] * beta2 + g[i] * g[i] * (1.0f - beta2);
      p[i] = p[i] * kept[i] - rate * m1[i] / (std::sqrt(v1[i]) * spread + epsilon);
    }
    if (!halved) continue;
#pragma omp simd
    for (int64_t i = 0; i < count; ++i) half[begin + i] = toHalf(p[i]);
  }
}

// x -> the sum of its squares [1], in double precision
template <typename Number>
void squareSum(Call& call) {
  const int64_t size = call.size(0);
  const Number* x = numbersOf<Number>(call, 0);
  // Sums of fixed runs, added in order: the same bits on any number of cores.
  constexpr int64_t kRuns = 256;
  double sums[kRuns] = {};
#pragma omp parallel for if (size > kAlone)
  for (int64_t r = 0; r < kRuns; ++r) {
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = r * size / kRuns; i < (r + 1) * size / kRuns; ++i) {
      const double value = valueOf(x[i]);
      sum += value * value;
    }
    sums[r] = sum;
  }
  double total = 0;
  for (double sum : sums) total += sum;
  *call.output({1}) = static_cast<float>(total);
}

}  // namespace

void registerAdamW() {
  registerOp<squareSum<float>>("SidlabSquareSum", {"x: float [*]"}, {"sum: float"});
  registerOp<squareSum<uint16_t>>("SidlabSquareSumBfloat16", {"x: bfloat16 [*]"}, {"sum: float"});
  const auto outputs = {"next: float", "nextm: float", "nextv: float", "nexthalf: bfloat16"};
  registerOp<update<float>>("SidlabAdamW",
                            {"parameter: float [*]", "gradient: float [*]", "m: float [*]", "v: float [*]",
                             "decays: float [*|1]", "numbers: float [7]", "half: bfloat16 [*|0]", "given: int32 [4]"},
                            outputs);
  registerOp<update<uint16_t>>(
      "SidlabAdamWBfloat16",
      {"parameter: float [*]", "gradient: bfloat16 [*]", "m: float [*]", "v: float [*]", "decays: float [*|1]",
       "numbers: float [7]", "half: bfloat16 [*|0]", "given: int32 [4]"},
      outputs);
}

}  // namespace sidlab
