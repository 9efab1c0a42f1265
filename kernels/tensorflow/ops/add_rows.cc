// Rows added to a table in place: what a gradient of an embedding adds to the gradient that the table has already.
// lib/ops/embedding.ts is the plain face.
#include "op.h"

namespace sidlab {
namespace {

// table [V, D] (changed in place), rows [N, D], to int32 [N] -> the number of rows [1]
void addRows(Call& call) {
  const int64_t height = call.dim(0, 0), width = call.dim(0, 1), count = call.dim(1, 0);
  float* table = call.state(0);
  const float* rows = call.floats(1);
  const int32_t* to = call.ints(2);
  for (int64_t n = 0; n < count; ++n) {
    if (to[n] < 0 || to[n] >= height) throw std::runtime_error("SidlabAddRows: a row lies outside the table");
  }
  // By columns, so that two rows of one place never meet.
#pragma omp parallel for if (count * width > kAlone)
  for (int64_t block = 0; block < (width + 63) / 64; ++block) {
    const int64_t from = 64 * block, end = from + 64 < width ? from + 64 : width;
    for (int64_t n = 0; n < count; ++n) {
      float* into = table + to[n] * width;
      const float* row = rows + n * width;
#pragma omp simd
      for (int64_t d = from; d < end; ++d) into[d] += row[d];
    }
  }
  *call.output({1}) = static_cast<float>(count);
}

}  // namespace

void registerAddRows() {
  registerOp<addRows>("SidlabAddRows", {"table: float", "rows: float", "to: int32"}, {"count: float"});
}

}  // namespace sidlab
