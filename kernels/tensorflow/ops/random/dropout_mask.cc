// Dropout's masks, drawn from the kit's own generator (sfc32, lib/support/random.ts): the bits of lib/ops/dropout.ts, and the
// state after them, so that a run goes on alike wherever its masks are drawn.
#include "../op.h"

namespace sidlab {
namespace {

constexpr int64_t kMost = int64_t{1} << 31;

// state, shape, limit, scale -> mask, state
void draw(Call& call) {
  const int32_t *from = call.ints(0), *dims = call.ints(1);
  const float scale = call.floats(3)[0];
  Shape shape;
  int64_t size = 1;
  for (int64_t axis = 0; axis < call.size(1); ++axis) {
    shape.push_back(dims[axis]);
    expectBetween("a size of the shape", dims[axis], 0, kMost);
    size *= dims[axis];
    expectBetween("numbers of the mask", size, 0, kMost);
  }
  expectBetween("limit", call.ints(2)[0], 0, 65536);
  const uint32_t limit = static_cast<uint32_t>(call.ints(2)[0]);
  uint32_t s[4];
  std::memcpy(s, from, sizeof s);
  float* mask = call.output(shape);
  for (int64_t i = 0; i < size; i += 2) {
    const uint32_t bits = s[0] + s[1] + s[3];
    s[3] += 1;
    s[0] = s[1] ^ (s[1] >> 9);
    s[1] = s[2] + (s[2] << 3);
    s[2] = ((s[2] << 21) | (s[2] >> 11)) + bits;
    mask[i] = (bits & 0xffffu) >= limit ? scale : 0.0f;
    if (i + 1 < size) mask[i + 1] = (bits >> 16) >= limit ? scale : 0.0f;
  }
  std::memcpy(call.intOutput({4}), s, sizeof s);
}

}  // namespace

void registerDropoutMask() {
  registerOp<draw>("SidlabDropoutMask", {"state: int32 [4]", "shape: int32 [S]", "limit: int32 [1]", "scale: float [1]"},
                   {"mask: float", "after: int32"});
}

}  // namespace sidlab
