// The addon: registers the operations with the TensorFlow of this process when Node loads it.
#include <node_api.h>

#include <exception>

namespace sidlab {
void registerAdamW();
void registerForestAttention();
void registerRmsNorm();
void registerRotary();
void registerSwiglu();
void registerTargetLogProbs();
}  // namespace sidlab

NAPI_MODULE_INIT() {
  try {
    sidlab::registerAdamW();
    sidlab::registerForestAttention();
    sidlab::registerRmsNorm();
    sidlab::registerRotary();
    sidlab::registerSwiglu();
    sidlab::registerTargetLogProbs();
  } catch (const std::exception& error) {
    napi_throw_error(env, nullptr, error.what());
  }
  return exports;
}
