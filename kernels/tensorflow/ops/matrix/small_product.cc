// Products of two small float32 matrices, on the calling thread: TensorFlow's batched product takes longer to wake its
// threads than such a product takes (`npm run bench -- small-products`). Its MatMul does not, but oneDNN's sgemm beneath it lets a signal that
// comes at the wrong moment (Ctrl-C, the end of a child, a profiler's) write over its memory. This one packs the right
// factor into panels and keeps a tile of the sums in registers.
#include "../op.h"
#include "../tiles.h"

namespace sidlab {
namespace {

#ifdef __AVX512F__
constexpr int64_t kRows = 12;
#else
constexpr int64_t kRows = kTileRows;
#endif
constexpr int64_t kLine = 16;  // floats

// c [R, columns] = a [R, inner] @ panel [inner, kTileColumns], of which `columns` are wanted.
template <int64_t R>
void multiplyRows(const float* a, Strides la, const float* panel, int64_t inner, float* c, int64_t lc, int64_t columns) {
  Lanes sums[R][2] = {};
  for (int64_t k = 0; k < inner; ++k) {
    const Lanes left = load(panel + k * kTileColumns), right = load(panel + k * kTileColumns + kLanes);
    for (int64_t r = 0; r < R; ++r) {
      const float factor = a[r * la.row + k * la.step];
      sums[r][0] += factor * left;
      sums[r][1] += factor * right;
    }
  }
  for (int64_t r = 0; r < R; ++r) std::memcpy(c + r * lc, sums[r], columns * sizeof(float));
}

template <int64_t R = kRows>
void multiply(int64_t rows, const float* a, Strides la, const float* panel, int64_t inner, float* c, int64_t lc,
              int64_t columns) {
  if constexpr (R > 0) {
    if (rows >= R) return multiplyRows<R>(a, la, panel, inner, c, lc, columns);
    multiply<R - 1>(rows, a, la, panel, inner, c, lc, columns);
  }
}

// One panel of b: columns `first` to `first + columns`, zeros behind them.
void pack(const float* b, Strides lb, int64_t inner, int64_t first, int64_t columns, float* panel) {
  if (columns < kTileColumns) std::memset(panel, 0, inner * kTileColumns * sizeof(float));
  if (lb.step == 1) {
    for (int64_t k = 0; k < inner; ++k) {
      std::memcpy(panel + k * kTileColumns, b + k * lb.row + first, columns * sizeof(float));
    }
    return;
  }
  for (int64_t j = 0; j < columns; ++j) {
    const float* from = b + (first + j) * lb.step;
    for (int64_t k = 0; k < inner; ++k) panel[k * kTileColumns + j] = from[k * lb.row];
  }
}

template <bool TransposeA, bool TransposeB>
void product(Call& call) {
  const int64_t rows = call['M'], inner = call['K'], columns = call['N'];
  const float *a = call.floats(0), *b = call.floats(1);
  float* c = call.output({rows, columns});
  if (rows == 0 || columns == 0) return;
  const Strides la = TransposeA ? Strides{1, rows} : Strides{inner, 1};
  const Strides lb = TransposeB ? Strides{1, inner} : Strides{columns, 1};
  const int64_t panels = padded(columns) / kTileColumns;
  const std::unique_ptr<float[]> memory(new float[inner * kTileColumns + kLine]);
  float* panel = memory.get();
  while (reinterpret_cast<uintptr_t>(panel) % (kLine * sizeof(float)) != 0) ++panel;
  for (int64_t p = 0; p < panels; ++p) {
    const int64_t first = p * kTileColumns, left = columns - first, width = left < kTileColumns ? left : kTileColumns;
    pack(b, lb, inner, first, width, panel);
    for (int64_t row = 0; row < rows; row += kRows) {
      multiply(rows - row, a + row * la.row, la, panel, inner, c + row * columns + first, columns, width);
    }
  }
}

}  // namespace

void registerSmallProduct() {
  registerOp<product<false, false>>("SidlabMatMulNN", {"a: float [M, K]", "b: float [K, N]"}, {"c: float"});
  registerOp<product<false, true>>("SidlabMatMulNT", {"a: float [M, K]", "b: float [N, K]"}, {"c: float"});
  registerOp<product<true, false>>("SidlabMatMulTN", {"a: float [K, M]", "b: float [K, N]"}, {"c: float"});
  registerOp<product<true, true>>("SidlabMatMulTT", {"a: float [K, M]", "b: float [N, K]"}, {"c: float"});
}

}  // namespace sidlab
