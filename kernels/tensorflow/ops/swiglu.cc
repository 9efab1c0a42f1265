// The gate of the feed-forward layer: silu(gate) * up, in float32 or reading and writing bfloat16. lib/ops/swiglu.ts has
// the plain implementations.
#include "op.h"

namespace sidlab {
namespace {

// gate, up -> y
void forward(Call& call) {
  const int64_t size = call.size(0);
  const float *gate = call.floats(0), *up = call.floats(1);
  float* y = call.output(call.shape(0));
#pragma omp parallel for simd if (size > kAlone)
  for (int64_t i = 0; i < size; ++i) y[i] = gate[i] / (1.0f + fastExp(-gate[i])) * up[i];
}

// dy, gate, up -> dGate, dUp
void backward(Call& call) {
  const int64_t size = call.size(0);
  const float *dy = call.floats(0), *gate = call.floats(1), *up = call.floats(2);
  float* dGate = call.output(call.shape(0));
  float* dUp = call.output(call.shape(0));
#pragma omp parallel for simd if (size > kAlone)
  for (int64_t i = 0; i < size; ++i) {
    const float sigmoid = 1.0f / (1.0f + fastExp(-gate[i]));
    const float silu = gate[i] * sigmoid;
    dUp[i] = dy[i] * silu;
    dGate[i] = dy[i] * up[i] * (sigmoid + silu * (1.0f - sigmoid));
  }
}

// gate, up -> y
void forwardHalf(Call& call) {
  const int64_t size = call.size(0);
  const uint16_t *gate = call.halves(0), *up = call.halves(1);
  uint16_t* y = call.halfOutput(call.shape(0));
#pragma omp parallel for simd if (size > kAlone)
  for (int64_t i = 0; i < size; ++i) {
    const float g = fromHalf(gate[i]);
    y[i] = toHalf(g / (1.0f + fastExp(-g)) * fromHalf(up[i]));
  }
}

// dy, gate, up -> dGate, dUp
void backwardHalf(Call& call) {
  const int64_t size = call.size(0);
  const float* dy = call.floats(0);
  const uint16_t *gate = call.halves(1), *up = call.halves(2);
  uint16_t* dGate = call.halfOutput(call.shape(0));
  uint16_t* dUp = call.halfOutput(call.shape(0));
#pragma omp parallel for simd if (size > kAlone)
  for (int64_t i = 0; i < size; ++i) {
    const float g = fromHalf(gate[i]);
    const float sigmoid = 1.0f / (1.0f + fastExp(-g));
    const float silu = g * sigmoid;
    dUp[i] = toHalf(dy[i] * silu);
    dGate[i] = toHalf(dy[i] * fromHalf(up[i]) * (sigmoid + silu * (1.0f - sigmoid)));
  }
}

}  // namespace

void registerSwiglu() {
  registerOp<forwardHalf>("SidlabSwigluBfloat16", {"gate: bfloat16 [*]", "up: bfloat16 [*]"}, {"y: bfloat16"});
  registerOp<backwardHalf>("SidlabSwigluBfloat16Grad", {"dy: float [*]", "gate: bfloat16 [*]", "up: bfloat16 [*]"},
                           {"dgate: bfloat16", "dup: bfloat16"});
  registerOp<forward>("SidlabSwiglu", {"gate: float [*]", "up: float [*]"}, {"y: float"});
  registerOp<backward>("SidlabSwigluGrad", {"dy: float [*]", "gate: float [*]", "up: float [*]"},
                       {"dgate: float", "dup: float"});
}

}  // namespace sidlab
