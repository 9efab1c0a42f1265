// Rows added to a table: what the gradient of an embedding adds to the gradient that the table has already.
// lib/ops/embedding.ts has the plain implementation. V rows of the table, N rows to add, D width.
#include "op.h"

namespace sidlab {
namespace {

// table, rows, to: the row of the table that each is added to, given: 1 where the table's memory may be taken
// -> sum [V, D]
void addRows(Call& call) {
  const int64_t height = call['V'], width = call['D'], count = call['N'];
  const float* rows = call.floats(1);
  const int32_t* to = call.ints(2);
  expectIndices("to", to, count, height);
  float* table = call.taken(0, call.ints(3)[0] != 0, 3);
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
}

}  // namespace

void registerAddRows() {
  registerOp<addRows>("SidlabAddRows",
                      {"table: float [V, D]", "rows: float [N, D]", "to: int32 [N]", "given: int32 [1]"},
                      {"sum: float"});
}

}  // namespace sidlab
