// x^T @ y of bfloat16 matrices in the processor's tile registers (product.h): a weight's gradient, which TensorFlow's own
// product is slowest at. lib/engine/bfloat16-kernels.ts takes it where it is registered.
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

// x [k, m], y [k, n] -> x^T @ y [m, n]
template <typename Tiles>
void product(Call& call) {
  const int64_t m = call['M'], n = call['N'], k = call['K'];
  multiply<Tiles>({{call.halves(0), m, k, true}, {call.halves(1), n, k, false}, call.halfOutput({m, n})}, threadsFor(m, n, k));
}

template <typename Tiles>
void registerProduct() {
  registerOp<product<Tiles>>("SidlabTileProductTN", {"x: bfloat16 [K, M]", "y: bfloat16 [K, N]"}, {"z: bfloat16"});
}

}  // namespace

// Which tiles the product computes in: `amx`; `emulated` where the processor has none and `SIDLAB_AMX=emulated`, for tests;
// `none`, when it is not registered: on other processors, and with `SIDLAB_AMX=none`.
const char* registerTileProduct() {
  const char* setting = std::getenv("SIDLAB_AMX");
  const std::string asked = setting == nullptr ? "" : setting;
  if (asked == "none") return "none";
#ifdef SIDLAB_TILE_REGISTERS
  if (AmxTiles::available()) {
    registerProduct<AmxTiles>();
    return "amx";
  }
#endif
  if (asked != "emulated") return "none";
  registerProduct<EmulatedTiles>();
  return "emulated";
}

}  // namespace sidlab
