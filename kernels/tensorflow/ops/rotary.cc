// Rotary position embedding. lib/ops/rotary.ts has the plain implementation.
// N tokens, H heads, h half of the head width.
#include "op.h"

namespace sidlab {
namespace {

// x, cos, sin, direction: 1 forward, -1 back -> y [N, H, 2 h]
void turn(Call& call) {
  const int64_t tokens = call['N'], heads = call['H'], half = call['h'], width = 2 * half;
  const float *x = call.floats(0), *cos = call.floats(1), *sin = call.floats(2);
  const float direction = call.floats(3)[0];
  float* y = call.output(call.shape(0));
#pragma omp parallel for if (tokens * heads * width > kAlone)
  for (int64_t n = 0; n < tokens; ++n) {
    const float *c = cos + n * half, *s = sin + n * half;
    for (int64_t h = 0; h < heads; ++h) {
      const float* from = x + (n * heads + h) * width;
      float* to = y + (n * heads + h) * width;
#pragma omp simd
      for (int64_t i = 0; i < half; ++i) {
        const float turned = s[i] * direction;
        to[i] = from[i] * c[i] - from[half + i] * turned;
        to[half + i] = from[half + i] * c[i] + from[i] * turned;
      }
    }
  }
}

}  // namespace

void registerRotary() {
  registerOp<turn>("SidlabRotary",
                   {"x: float [N, H, 2*h]", "cos: float [N, 1, h]", "sin: float [N, 1, h]", "direction: float [1]"},
                   {"y: float"});
}

}  // namespace sidlab
