// Loads tfjs-node's addon (libtfjs_addon.so, beside this file) without the banner that TensorFlow writes to standard
// error while it loads. The banner comes from a static initialiser of libtensorflow_framework, ahead of anything that a
// log level could stop; so standard error points to /dev/null for as long as the library loads, and only where
// TF_CPP_MIN_LOG_LEVEL asks for quiet (lib/engine/engine.ts does).
#include <dlfcn.h>
#include <fcntl.h>
#include <node_api.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace {

constexpr const char* kAddon = "libtfjs_addon.so";

// Standard error to /dev/null while it lives.
class Quiet {
 public:
  explicit Quiet(bool on) {
    if (!on) return;
    const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (null < 0) return;
    saved_ = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    if (saved_ >= 0) dup2(null, STDERR_FILENO);
    close(null);
  }
  ~Quiet() {
    if (saved_ < 0) return;
    dup2(saved_, STDERR_FILENO);
    close(saved_);
  }
  Quiet(const Quiet&) = delete;
  Quiet& operator=(const Quiet&) = delete;

 private:
  int saved_ = -1;
};

std::string Beside() {
  Dl_info info;
  if (dladdr(kAddon, &info) == 0) return kAddon;
  const std::string self = info.dli_fname;
  return self.substr(0, self.rfind('/') + 1) + kAddon;
}

// Puts the cluster's failure (cluster.cc) in place of the addon's own error, which does not say why.
void SayWhyNoCluster(napi_env env, void* addon) {
  using Failure = const char* (*)();
  auto* failure = reinterpret_cast<Failure>(dlsym(addon, "SidlabClusterFailure"));
  bool thrown = false;
  if (failure == nullptr || *failure() == 0) return;
  if (napi_is_exception_pending(env, &thrown) != napi_ok || !thrown) return;
  napi_value other;
  napi_get_and_clear_last_exception(env, &other);
  napi_throw_error(env, nullptr, failure());
}

}  // namespace

NAPI_MODULE_INIT() {
  const char* level = std::getenv("TF_CPP_MIN_LOG_LEVEL");
  void* addon = nullptr;
  {
    Quiet quiet(level != nullptr && std::atoi(level) > 0);
    addon = dlopen(Beside().c_str(), RTLD_NOW | RTLD_LOCAL);
  }
  using Register = napi_value (*)(napi_env, napi_value);
  auto* start = addon ? reinterpret_cast<Register>(dlsym(addon, "napi_register_module_v1")) : nullptr;
  if (start == nullptr) {
    napi_throw_error(env, nullptr, dlerror());
    return nullptr;
  }
  napi_value result = start(env, exports);
  SayWhyNoCluster(env, addon);
  return result;
}
