// The cluster of this process. tfjs-node makes its context in TFE_NewContext; the addon is linked with
// -Wl,--wrap=TFE_NewContext, so that the call comes here, and where SIDLAB_SERVER_DEF holds a tensorflow.ServerDef in
// hexadecimal (lib/engine/cluster.ts writes it from TF_CONFIG) the context joins TensorFlow's collective runtime. It
// must happen here and not later: devices get other names by it, and tfjs-node asks for its device's name once, right
// after it has the context. Without the variable nothing is done.
#include <tensorflow/c/c_api_experimental.h>
#include <tensorflow/c/eager/c_api.h>

#include <cstdlib>
#include <string>

namespace {

std::string failure;

// The bytes of a text of hexadecimal digits, which our own code wrote.
std::string FromHex(const char* hex) {
  std::string bytes;
  for (; hex[0] != 0 && hex[1] != 0; hex += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex, 2), nullptr, 16)));
  }
  return bytes;
}

}  // namespace

extern "C" {

TFE_Context* __real_TFE_NewContext(const TFE_ContextOptions* options, TF_Status* status);

TFE_Context* __wrap_TFE_NewContext(const TFE_ContextOptions* options, TF_Status* status) {
  TFE_Context* context = __real_TFE_NewContext(options, status);
  const char* hex = std::getenv("SIDLAB_SERVER_DEF");
  if (context == nullptr || TF_GetCode(status) != TF_OK || hex == nullptr || *hex == 0) return context;
  const std::string server = FromHex(hex);
  TFE_EnableCollectiveOps(context, server.data(), server.size(), status);
  if (TF_GetCode(status) == TF_OK) {
    setenv("SIDLAB_CLUSTER_JOINED", "1", 1);  // an addon without this file would compute alone, in silence
  } else {
    failure = TF_Message(status);
  }
  return context;
}

// Why the cluster was not joined, empty if it was: tfjs-node's own error does not say. The loader asks.
const char* SidlabClusterFailure() { return failure.c_str(); }

}  // extern "C"
