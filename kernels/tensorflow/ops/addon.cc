// The addon: registers the operations with the TensorFlow of this process when Node loads it.
#include <node_api.h>

#include <exception>

namespace sidlab {
void registerAdamW();
void registerAddRows();
void registerBalancedAssign();
void registerBalancedKmeans();
void registerDropoutMask();
void registerForestAttention();
void registerGruCell();
void registerKmeansRounds();
void registerLayerNorm();
void registerLegalScores();
void registerPathAttention();
void registerReadTensor();
void registerRmsNorm();
void registerRotary();
void registerSequenceAttention();
void registerSmallProduct();
void registerSwiglu();
void registerTargetLogProbs();
}  // namespace sidlab

NAPI_MODULE_INIT() {
  try {
    sidlab::registerAdamW();
    sidlab::registerAddRows();
    sidlab::registerBalancedAssign();
    sidlab::registerBalancedKmeans();
    sidlab::registerDropoutMask();
    sidlab::registerForestAttention();
    sidlab::registerGruCell();
    sidlab::registerKmeansRounds();
    sidlab::registerLayerNorm();
    sidlab::registerLegalScores();
    sidlab::registerPathAttention();
    sidlab::registerReadTensor();
    sidlab::registerRmsNorm();
    sidlab::registerRotary();
    sidlab::registerSequenceAttention();
    sidlab::registerSmallProduct();
    sidlab::registerSwiglu();
    sidlab::registerTargetLogProbs();
  } catch (const std::exception& error) {
    napi_throw_error(env, nullptr, error.what());
  }
  return exports;
}
