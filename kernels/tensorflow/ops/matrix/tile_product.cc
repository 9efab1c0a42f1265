// Products of bfloat16 matrices in the processor's tile registers (product.h). lib/engine/bfloat16-kernels.ts says which
// products take them; where they are not registered, TensorFlow's own.
#include "product.h"

#include <cstdlib>
#include <string>

#include "../op.h"

namespace sidlab {
namespace {

// Sums of fewer products are not worth a second thread.
constexpr int64_t kAloneProducts = 1 << 23;

int64_t threadsFor(int64_t m, int64_t n, int64_t k) {
#ifdef _OPENMP
  if (static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k) > kAloneProducts) return omp_get_max_threads();
#endif
  return 1;
}

// x [m, k] or, transposed, [k, m]; y [k, n] or [n, k] -> x @ y [m, n]
template <typename Tiles, bool TransposeX, bool TransposeY>
void product(Call& call) {
  const int64_t m = call['M'], n = call['N'], k = call['K'];
  const Factor x{call.halves(0), m, k, TransposeX ? m : k, !TransposeX, Side::left};
  const Factor y{call.halves(1), n, k, TransposeY ? k : n, TransposeY, Side::right};
  multiply<Tiles>({x, y, call.halfOutput({m, n}), n}, threadsFor(m, n, k));
}

template <typename Tiles>
void registerProducts() {
  registerOp<product<Tiles, false, false>>("SidlabTileProductNN", {"x: bfloat16 [M, K]", "y: bfloat16 [K, N]"},
                                           {"z: bfloat16"});
  registerOp<product<Tiles, false, true>>("SidlabTileProductNT", {"x: bfloat16 [M, K]", "y: bfloat16 [N, K]"},
                                          {"z: bfloat16"});
  registerOp<product<Tiles, true, false>>("SidlabTileProductTN", {"x: bfloat16 [K, M]", "y: bfloat16 [K, N]"},
                                          {"z: bfloat16"});
}

}  // namespace

// Which tiles the products compute in: `amx`; `emulated` where the processor has none and `SIDLAB_AMX=emulated`, for tests;
// `none`, when they are not registered: on other processors, and with `SIDLAB_AMX=none`.
const char* registerTileProducts() {
  const char* setting = std::getenv("SIDLAB_AMX");
  const std::string asked = setting == nullptr ? "" : setting;
  if (asked == "none") return "none";
#ifdef SIDLAB_TILE_REGISTERS
  if (AmxTiles::available()) {
    registerProducts<AmxTiles>();
    return "amx";
  }
#endif
  if (asked != "emulated") return "none";
  registerProducts<EmulatedTiles>();
  return "emulated";
}

}  // namespace sidlab
