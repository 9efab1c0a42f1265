// Layer normalisation, forward and backward, one pass over the rows each. lib/ops/sequence/layer-norm.ts has the plain
// implementation. N rows, D width, A the same or 0 where there are no weights.
#include <cmath>

#include "../op.h"

namespace sidlab {
namespace {

// x, weight, bias, epsilon -> y [N, D], mean [N, 1], scale [N, 1]
void forward(Call& call) {
  const int64_t rows = call['N'], width = call['D'], affine = call['A'];
  expect(affine == 0 || affine == width, "weight of ", width, " or no numbers, got ", affine);
  const float *x = call.floats(0), *weight = call.floats(1), *bias = call.floats(2);
  const float epsilon = call.floats(3)[0], share = 1.0f / static_cast<float>(width);
  float* y = call.output({rows, width});
  float* mean = call.output({rows, 1});
  float* scale = call.output({rows, 1});
#pragma omp parallel for if (rows * width > kAlone)
  for (int64_t n = 0; n < rows; ++n) {
    const float* from = x + n * width;
    float sum = 0, squares = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t j = 0; j < width; ++j) sum += from[j];
    const float m = sum * share;
#pragma omp simd reduction(+ : squares)
    for (int64_t j = 0; j < width; ++j) squares += (from[j] - m) * (from[j] - m);
    const float s = 1.0f / std::sqrt(squares * share + epsilon);
    mean[n] = m;
    scale[n] = s;
    float* to = y + n * width;
    if (affine == 0) {
#pragma omp simd
      for (int64_t j = 0; j < width; ++j) to[j] = (from[j] - m) * s;
    } else {
#pragma omp simd
      for (int64_t j = 0; j < width; ++j) to[j] = (from[j] - m) * s * weight[j] + bias[j];
    }
  }
}

// dy, x, weight, mean, scale -> dx [N, D], dWeight [A], dBias [A]
void backward(Call& call) {
  const int64_t rows = call['N'], width = call['D'], affine = call['A'];
  expect(affine == 0 || affine == width, "weight of ", width, " or no numbers, got ", affine);
  const float *dy = call.floats(0), *x = call.floats(1), *weight = call.floats(2);
  const float *mean = call.floats(3), *scale = call.floats(4);
  const float share = 1.0f / static_cast<float>(width);
  float* dx = call.output({rows, width});
  float* dWeight = call.output({affine});
  float* dBias = call.output({affine});
  // Sums of fixed runs of rows, added in order: the same bits on any number of cores.
  const int64_t runs = rows < 64 ? rows : 64;
  std::vector<float> sums(2 * runs * affine, 0.0f), ones(affine == 0 ? width : 0, 1.0f);
  const float* factor = affine == 0 ? ones.data() : weight;
#pragma omp parallel for if (rows * width > kAlone)
  for (int64_t r = 0; r < runs; ++r) {
    float *ofWeight = sums.data() + 2 * r * affine, *ofBias = ofWeight + affine;
    for (int64_t n = r * rows / runs; n < (r + 1) * rows / runs; ++n) {
      const float *gradient = dy + n * width, *from = x + n * width;
      const float m = mean[n], s = scale[n];
      float total = 0, along = 0;
#pragma omp simd reduction(+ : total, along)
      for (int64_t j = 0; j < width; ++j) {
        const float d = gradient[j] * factor[j];
        total += d;
        along += d * (from[j] - m) * s;
      }
      total *= share;
      along *= share;
      float* to = dx + n * width;
#pragma omp simd
      for (int64_t j = 0; j < width; ++j) {
        to[j] = (gradient[j] * factor[j] - total - (from[j] - m) * s * along) * s;
      }
      if (affine == 0) continue;
#pragma omp simd
      for (int64_t j = 0; j < width; ++j) {
        ofWeight[j] += gradient[j] * (from[j] - m) * s;
        ofBias[j] += gradient[j];
      }
    }
  }
  for (int64_t j = 0; j < affine; ++j) dWeight[j] = dBias[j] = 0;
  for (int64_t r = 0; r < runs; ++r) {
    for (int64_t j = 0; j < affine; ++j) {
      dWeight[j] += sums[2 * r * affine + j];
      dBias[j] += sums[(2 * r + 1) * affine + j];
    }
  }
}

}  // namespace

void registerLayerNorm() {
  registerOp<forward>("SidlabLayerNorm", {"x: float [N, D>0]", "weight: float [A]", "bias: float [A]", "epsilon: float [1]"},
                      {"y: float", "mean: float", "scale: float"});
  registerOp<backward>("SidlabLayerNormGrad",
                       {"dy: float [N, D>0]", "x: float [N, D]", "weight: float [A]", "mean: float [N, 1]", "scale: float [N, 1]"},
                       {"dx: float", "dweight: float", "dbias: float"});
}

}  // namespace sidlab
