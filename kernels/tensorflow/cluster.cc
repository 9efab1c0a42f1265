// The cluster of this process. tfjs-node makes its context in TFE_NewContext; the addon is linked with --wrap for it (and
// for TFE_Execute), so that the call comes here, and where SIDLAB_SERVER_DEF holds a tensorflow.ServerDef in
// hexadecimal (lib/engine/cluster.ts writes it from TF_CONFIG) the context joins TensorFlow's collective runtime. It
// must happen here and not later: devices get other names by it, and tfjs-node asks for its device's name once, right
// after it has the context. Without the variable nothing is done.
#include <tensorflow/c/c_api_experimental.h>
#include <tensorflow/c/eager/c_api.h>
#include <tensorflow/c/eager/c_api_experimental.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

std::string failure;

// Of every operation in a cluster, and never freed. Without one an operation has its own on the stack, and a message to a
// peer that does not answer takes its entry out of it when it is given up, which can be after the operation has ended:
// one of twenty timeouts ended in SIGABRT.
TFE_CancellationManager* cancellation = nullptr;

// The bytes of a text of hexadecimal digits, which our own code wrote.
std::string FromHex(const char* hex) {
  std::string bytes;
  for (; hex[0] != 0 && hex[1] != 0; hex += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex, 2), nullptr, 16)));
  }
  return bytes;
}

int NumberOf(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? -1 : std::atoi(text);
}

// Asks every other process from time to time whether it lives, and ends all waiting where one is gone. A collective that
// began before its peer died fails by itself; one that begins just then can wait for ever for an answer to a message that
// the dead one had taken. TensorFlow's own strategies ask likewise (multi_worker_util, check_health). One that hangs is
// not gone: for it there is the timeout of the calls. Nor is one that has not come yet: that it has is known by its first
// answer. A connection that was refused is not tried again for a while (gRPC's pauses grow by 1.6, so that one is shorter
// than all before it), and a peer that dies in that while has never answered. So after a collective that all took part in
// (SIDLAB_CLUSTER_MET) a peer without an answer is given as long again as had passed until then, and some seconds.
class Watch {
 public:
  void Start(TFE_Context* context, int size, int rank) {
    thread_ = std::thread([this, context, size, rank] { Run(context, size, rank); });
    std::atexit([] { watch.Stop(); });  // before TensorFlow's own objects go
  }

  void Stop() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stopped_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

  static Watch watch;

 private:
  void Run(TFE_Context* context, int size, int rank) {
    std::vector<bool> seen(size, false);
    std::vector<int> missed(size, 0);
    int waits = 0;  // so far, and of them those until all had met
    int until_met = -1;
    while (Wait()) {
      ++waits;
      if (until_met < 0 && NumberOf("SIDLAB_CLUSTER_MET") == 1) until_met = waits;
      const bool late = until_met >= 0 && waits - until_met > std::min(until_met, kLongestPause) + kSlack;
      for (int task = 0; task < size; ++task) {
        if (task == rank) continue;
        const std::string name = "/job:worker/replica:0/task:" + std::to_string(task);
        TF_Status* status = TF_NewStatus();
        TFE_CollectiveOpsCheckPeerHealth(context, name.c_str(), kAnswerMs, status);
        const TF_Code code = TF_GetCode(status);
        if (code == TF_OK) seen[task] = true;
        missed[task] = code == TF_UNAVAILABLE && (seen[task] || late) ? missed[task] + 1 : 0;
        const bool gone = missed[task] >= kMisses;
        if (gone) TFE_AbortCollectiveOps(context, status);
        TF_DeleteStatus(status);
        if (gone) return;
      }
    }
  }

  // False once it is to stop.
  bool Wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    return !wake_.wait_for(lock, std::chrono::milliseconds(kPeriodMs), [this] { return stopped_; });
  }

  static constexpr int kPeriodMs = 1000;
  static constexpr int kAnswerMs = 2000;
  static constexpr int kMisses = 2;
  static constexpr int kLongestPause = 150;  // periods; gRPC's longest is 120 s, give or take a fifth
  static constexpr int kSlack = 5;

  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopped_ = false;
};

Watch Watch::watch;

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
    cancellation = TFE_NewCancellationManager();
    setenv("SIDLAB_CLUSTER_JOINED", "1", 1);  // an addon without this file would compute alone, in silence
    Watch::watch.Start(context, NumberOf("SIDLAB_CLUSTER_SIZE"), NumberOf("SIDLAB_CLUSTER_RANK"));
  } else {
    failure = TF_Message(status);
  }
  return context;
}

void __real_TFE_Execute(TFE_Op* op, TFE_TensorHandle** results, int* count, TF_Status* status);

void __wrap_TFE_Execute(TFE_Op* op, TFE_TensorHandle** results, int* count, TF_Status* status) {
  if (cancellation != nullptr) TFE_OpSetCancellationManager(op, cancellation, status);
  __real_TFE_Execute(op, results, count, status);
}

// Why the cluster was not joined, empty if it was: tfjs-node's own error does not say. The loader asks.
const char* SidlabClusterFailure() { return failure.c_str(); }

}  // extern "C"
