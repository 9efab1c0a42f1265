// Root mean square normalisation, forward and backward, one pass over the rows each. lib/ops/rms-norm.ts has the
// plain implementation. N rows, D width.
#include <cmath>

#include "op.h"

namespace sidlab {
namespace {

// x, weight, epsilon -> y [N, D], scale [N, 1]
void forward(Call& call) {
  const int64_t rows = call['N'], width = call['D'];
  const float *x = call.floats(0), *weight = call.floats(1);
  const float epsilon = call.floats(2)[0];
  float* y = call.output({rows, width});
  float* scale = call.output({rows, 1});
#pragma omp parallel for if (rows * width > kAlone)
  for (int64_t n = 0; n < rows; ++n) {
    const float* from = x + n * width;
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t j = 0; j < width; ++j) sum += from[j] * from[j];
    const float s = 1.0f / std::sqrt(sum / static_cast<float>(width) + epsilon);
    scale[n] = s;
    float* to = y + n * width;
#pragma omp simd
    for (int64_t j = 0; j < width; ++j) to[j] = from[j] * s * weight[j];
  }
}

// dy, x, weight, scale -> dx [N, D], dWeight [D]
void backward(Call& call) {
  const int64_t rows = call['N'], width = call['D'];
  const float *dy = call.floats(0), *x = call.floats(1), *weight = call.floats(2), *scale = call.floats(3);
  float* dx = call.output({rows, width});
  float* dWeight = call.output({width});
  // Sums of fixed runs of rows, added in order: the same bits on any number of cores.
  const int64_t runs = rows < 64 ? rows : 64;
  std::vector<float> sums(runs * width, 0.0f);
#pragma omp parallel for if (rows * width > kAlone)
  for (int64_t r = 0; r < runs; ++r) {
    float* own = sums.data() + r * width;
    for (int64_t n = r * rows / runs; n < (r + 1) * rows / runs; ++n) {
      const float *gradient = dy + n * width, *from = x + n * width;
      const float s = scale[n];
      float along = 0;
#pragma omp simd reduction(+ : along)
      for (int64_t j = 0; j < width; ++j) {
        along += gradient[j] * weight[j] * from[j];
        own[j] += gradient[j] * from[j] * s;
      }
      const float pull = along * s * s / static_cast<float>(width);
      float* to = dx + n * width;
#pragma omp simd
      for (int64_t j = 0; j < width; ++j) to[j] = (gradient[j] * weight[j] - from[j] * pull) * s;
    }
  }
  for (int64_t j = 0; j < width; ++j) dWeight[j] = 0;
  for (int64_t r = 0; r < runs; ++r)
    for (int64_t j = 0; j < width; ++j) dWeight[j] += sums[r * width + j];
}

}  // namespace

void registerRmsNorm() {
  registerOp<forward>("SidlabRmsNorm", {"x: float [N, D]", "weight: float [D]", "epsilon: float [1]"},
                      {"y: float", "scale: float"});
  registerOp<backward>("SidlabRmsNormGrad", {"dy: float [N, D]", "x: float [N, D]", "weight: float [D]", "scale: float [N, 1]"},
                       {"dx: float", "dweight: float"});
}

}  // namespace sidlab
