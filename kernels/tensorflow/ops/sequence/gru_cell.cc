// One step of gated recurrent units, forward and backward, but for the product with the recurrent weights.
// lib/ops/sequence/gru.ts has the plain implementation. N sequences, H width; gates r, z, n in this order.
#include <cmath>

#include "../op.h"

namespace sidlab {
namespace {

inline float sigmoid(float x) { return 1.0f / (1.0f + fastExp(-x)); }

// x, recurrent, bias, before -> state [N, H], kept [N, 4H]: r, z, n, and what r is multiplied with
void forward(Call& call) {
  const int64_t rows = call['N'], width = call['H'];
  const float *x = call.floats(0), *recurrent = call.floats(1), *bias = call.floats(2), *before = call.floats(3);
  float* state = call.output({rows, width});
  float* kept = call.output({rows, 4 * width});
#pragma omp parallel for if (rows * width > kAlone / 4)
  for (int64_t i = 0; i < rows; ++i) {
    const float *own = x + 3 * i * width, *of = recurrent + 3 * i * width, *h = before + i * width;
    float *r = kept + 4 * i * width, *z = r + width, *n = z + width, *inner = n + width, *to = state + i * width;
#pragma omp simd
    for (int64_t j = 0; j < width; ++j) {
      r[j] = sigmoid(own[j] + of[j] + bias[j]);
      z[j] = sigmoid(own[width + j] + of[width + j] + bias[width + j]);
      inner[j] = of[2 * width + j] + bias[2 * width + j];
      n[j] = 2.0f * sigmoid(2.0f * (own[2 * width + j] + r[j] * inner[j])) - 1.0f;  // tanh
      to[j] = n[j] + z[j] * (h[j] - n[j]);
    }
  }
}

// dState, before, kept -> dX [N, 3H], dRecurrent [N, 3H], dBefore [N, H]
void backward(Call& call) {
  const int64_t rows = call['N'], width = call['H'];
  const float *dState = call.floats(0), *before = call.floats(1), *kept = call.floats(2);
  float* dX = call.output({rows, 3 * width});
  float* dRecurrent = call.output({rows, 3 * width});
  float* dBefore = call.output({rows, width});
#pragma omp parallel for if (rows * width > kAlone / 4)
  for (int64_t i = 0; i < rows; ++i) {
    const float *gradient = dState + i * width, *h = before + i * width;
    const float *r = kept + 4 * i * width, *z = r + width, *n = z + width, *inner = n + width;
    float *toX = dX + 3 * i * width, *toRecurrent = dRecurrent + 3 * i * width, *toBefore = dBefore + i * width;
#pragma omp simd
    for (int64_t j = 0; j < width; ++j) {
      const float dN = gradient[j] * (1.0f - z[j]) * (1.0f - n[j] * n[j]);
      const float dR = dN * inner[j] * r[j] * (1.0f - r[j]);
      const float dZ = gradient[j] * (h[j] - n[j]) * z[j] * (1.0f - z[j]);
      toX[j] = toRecurrent[j] = dR;
      toX[width + j] = toRecurrent[width + j] = dZ;
      toX[2 * width + j] = dN;
      toRecurrent[2 * width + j] = dN * r[j];
      toBefore[j] = gradient[j] * z[j];
    }
  }
}

}  // namespace

void registerGruCell() {
  registerOp<forward>("SidlabGruCell",
                      {"x: float [N, 3*H]", "recurrent: float [N, 3*H]", "bias: float [3*H]", "before: float [N, H]"},
                      {"state: float", "kept: float"});
  registerOp<backward>("SidlabGruCellGrad", {"dstate: float [N, H]", "before: float [N, H]", "kept: float [N, 4*H]"},
                       {"dx: float", "drecurrent: float", "dbefore: float"});
}

}  // namespace sidlab
