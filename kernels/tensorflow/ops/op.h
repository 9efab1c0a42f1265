// What every operation here needs: registering with TensorFlow's C API, inputs and outputs as plain pointers, loops on
// all cores. Nothing but the C API is used, so that an operation compiles in a second.
#pragma once

#include <tensorflow/c/kernels.h>
#include <tensorflow/c/ops.h>
#include <tensorflow/c/tf_tensor.h>

#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <vector>

namespace sidlab {

struct Status {
  TF_Status* raw = TF_NewStatus();
  ~Status() { TF_DeleteStatus(raw); }
  bool ok() const { return TF_GetCode(raw) == TF_OK; }
  void check() const {
    if (!ok()) throw std::runtime_error(TF_Message(raw));
  }
};

// The inputs and outputs of one call.
class Call {
 public:
  explicit Call(TF_OpKernelContext* context) : context_(context), inputs_(TF_NumInputs(context)) {
    for (size_t i = 0; i < inputs_.size(); ++i) {
      TF_GetInput(context_, static_cast<int>(i), &inputs_[i], status_.raw);
      status_.check();
    }
  }
  ~Call() {
    for (TF_Tensor* tensor : inputs_) TF_DeleteTensor(tensor);
    for (TF_Tensor* tensor : outputs_) TF_DeleteTensor(tensor);
  }

  int64_t size(int input) const { return TF_TensorElementCount(inputs_[input]); }
  int64_t dim(int input, int axis) const { return TF_Dim(inputs_[input], axis); }
  std::vector<int64_t> shape(int input) const {
    std::vector<int64_t> dims(TF_NumDims(inputs_[input]));
    for (size_t axis = 0; axis < dims.size(); ++axis) dims[axis] = TF_Dim(inputs_[input], static_cast<int>(axis));
    return dims;
  }
  const float* floats(int input) const { return static_cast<const float*>(TF_TensorData(inputs_[input])); }
  const int32_t* ints(int input) const { return static_cast<const int32_t*>(TF_TensorData(inputs_[input])); }
  // An input that is written to: the caller promised that nobody else holds it.
  float* state(int input) const { return static_cast<float*>(TF_TensorData(inputs_[input])); }

  float* output(const std::vector<int64_t>& dims) { return static_cast<float*>(allocate(dims, TF_FLOAT)); }
  int32_t* intOutput(const std::vector<int64_t>& dims) { return static_cast<int32_t*>(allocate(dims, TF_INT32)); }

  // An output that was made elsewhere.
  void give(TF_Tensor* tensor) {
    const int index = static_cast<int>(outputs_.size());
    outputs_.push_back(tensor);
    TF_SetOutput(context_, index, tensor, status_.raw);
    status_.check();
  }

 private:
  // Both types of output take four bytes.
  void* allocate(const std::vector<int64_t>& dims, TF_DataType type) {
    int64_t count = 1;
    for (int64_t n : dims) count *= n;
    TF_Tensor* tensor = TF_AllocateOutput(context_, static_cast<int>(outputs_.size()), type, dims.data(),
                                          static_cast<int>(dims.size()), count * 4, status_.raw);
    status_.check();
    outputs_.push_back(tensor);
    return TF_TensorData(tensor);
  }

  TF_OpKernelContext* context_;
  Status status_;
  std::vector<TF_Tensor*> inputs_;
  std::vector<TF_Tensor*> outputs_;
};

// Runs `Compute` on a call; what it throws becomes the operation's error.
template <void (*Compute)(Call&)>
void run(void*, TF_OpKernelContext* context) {
  try {
    Call call(context);
    Compute(call);
  } catch (const std::exception& error) {
    Status status;
    TF_SetStatus(status.raw, TF_INTERNAL, error.what());
    TF_OpKernelContext_Failure(context, status.raw);
  }
}

// Registers operation and kernel. `inputs` and `outputs` as TensorFlow writes them: "x: float".
template <void (*Compute)(Call&)>
void registerOp(const char* name, std::initializer_list<const char*> inputs,
                std::initializer_list<const char*> outputs) {
  Status status;
  TF_OpDefinitionBuilder* op = TF_NewOpDefinitionBuilder(name);
  for (const char* input : inputs) TF_OpDefinitionBuilderAddInput(op, input);
  for (const char* output : outputs) TF_OpDefinitionBuilderAddOutput(op, output);
  // Stateful: never folded or shared by TensorFlow.
  TF_OpDefinitionBuilderSetIsStateful(op, true);
  TF_RegisterOpDefinition(op, status.raw);
  status.check();
  TF_KernelBuilder* kernel = TF_NewKernelBuilder(name, "CPU", nullptr, &run<Compute>, nullptr);
  TF_RegisterKernelBuilder(name, kernel, status.raw);
  status.check();
}

// exp(x) for x <= 0 or moderate x, to 2 units in the last place, in a form that compilers vectorise (Cephes' polynomial).
inline float fastExp(float x) {
  x = x < -87.0f ? -87.0f : (x > 88.0f ? 88.0f : x);
  const float scaled = x * 1.44269504088896341f;
  const float whole = __builtin_rintf(scaled);
  const float r = (x - whole * 0.693359375f) + whole * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  const int32_t bits = (static_cast<int32_t>(whole) + 127) << 23;
  float power;
  __builtin_memcpy(&power, &bits, sizeof power);
  return p * power;
}

// Work below so many numbers is not worth a second core.
constexpr int64_t kAlone = 1 << 15;

}  // namespace sidlab
