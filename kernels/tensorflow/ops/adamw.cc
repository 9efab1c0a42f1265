// One update of AdamW, one pass over the numbers. lib/ops/adamw.ts is the plain face.
#include <cmath>

#include "op.h"

namespace sidlab {
namespace {

// parameter, gradient, m, v (both changed in place), decays (of the parameter's size, or of one number),
// numbers [6]: beta1, beta2, epsilon, rate / (1 - beta1^t), 1 / sqrt(1 - beta2^t), rate * weight decay -> next
void update(Call& call) {
  const int64_t size = call.size(0);
  const float *parameter = call.floats(0), *gradient = call.floats(1), *decays = call.floats(4);
  float *m = call.state(2), *v = call.state(3);
  const float* numbers = call.floats(5);
  const float beta1 = numbers[0], beta2 = numbers[1], epsilon = numbers[2];
  const float rate = numbers[3], spread = numbers[4], shrink = numbers[5];
  const bool each = call.size(4) == size;
  const float all = each ? 0.0f : decays[0] * shrink;
  float* next = call.output(call.shape(0));
#pragma omp parallel for simd if (size > kAlone)
  for (int64_t i = 0; i < size; ++i) {
    const float g = gradient[i];
    m[i] = m[i] * beta1 + g * (1.0f - beta1);
    v[i] = v[i] * beta2 + g * g * (1.0f - beta2);
    const float kept = 1.0f - (each ? decays[i] * shrink : all);
    next[i] = parameter[i] * kept - rate * m[i] / (std::sqrt(v[i]) * spread + epsilon);
  }
}

}  // namespace

void registerAdamW() {
  registerOp<update>("SidlabAdamW",
                     {"parameter: float", "gradient: float", "m: float", "v: float", "decays: float", "numbers: float"},
                     {"next: float"});
}

}  // namespace sidlab
