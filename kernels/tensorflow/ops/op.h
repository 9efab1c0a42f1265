// What every operation here needs: registering with TensorFlow's C API, checked inputs and outputs as plain pointers,
// loops on all cores. Nothing but the C API is used (buffer.cc apart), so that an operation compiles in a second.
#pragma once

#include <tensorflow/c/kernels.h>
#include <tensorflow/c/ops.h>
#include <tensorflow/c/tf_tensor.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "buffer.h"
#include "checks.h"

namespace sidlab {

struct Status {
  TF_Status* raw = TF_NewStatus();
  Status() = default;
  Status(const Status&) = delete;
  Status& operator=(const Status&) = delete;
  ~Status() { TF_DeleteStatus(raw); }
  void check() const {
    if (TF_GetCode(raw) != TF_OK) throw std::runtime_error(TF_Message(raw));
  }
};

// Tensors that are given back when they go.
class Tensors {
 public:
  Tensors() = default;
  Tensors(const Tensors&) = delete;
  Tensors& operator=(const Tensors&) = delete;
  ~Tensors() {
    for (TF_Tensor* tensor : all) TF_DeleteTensor(tensor);
  }
  std::vector<TF_Tensor*> all;
};

// The inputs and outputs of one call.
class Call {
 public:
  // Throws where the inputs do not fit the signature.
  Call(TF_OpKernelContext* context, const Signature& signature) : context_(context) {
    for (int i = 0; i < TF_NumInputs(context); ++i) {
      TF_Tensor* tensor = nullptr;
      TF_GetInput(context_, i, &tensor, status_.raw);
      status_.check();
      inputs_.all.push_back(tensor);
    }
    sizes_ = signature.check(inputs_.all);
  }

  // What a letter of the signature stands for.
  int64_t operator[](char letter) const { return sizes_[letter]; }
  int64_t size(int input) const { return TF_TensorElementCount(inputs_.all[input]); }
  Shape shape(int input) const { return shapeOf(inputs_.all[input]); }
  const float* floats(int input) const { return static_cast<const float*>(TF_TensorData(inputs_.all[input])); }
  const int32_t* ints(int input) const { return static_cast<const int32_t*>(TF_TensorData(inputs_.all[input])); }

  // bfloat16: the upper half of a float.
  const uint16_t* halves(int input) const { return static_cast<const uint16_t*>(TF_TensorData(inputs_.all[input])); }

  // Outputs come in the order of the operation's.
  float* output(const Shape& dims) { return static_cast<float*>(allocate(dims, TF_FLOAT)); }
  int32_t* intOutput(const Shape& dims) { return static_cast<int32_t*>(allocate(dims, TF_INT32)); }
  uint16_t* halfOutput(const Shape& dims) { return static_cast<uint16_t*>(allocate(dims, TF_BFLOAT16)); }

  // An output that begins as the values of input `input`, of floats or of bfloat16: in that input's own memory where
  // `mayTake` says that JavaScript's handle to it is given up, and nobody else (a reshape, a slice, an array of
  // JavaScript's) has the memory; else in a copy. `fresh` is an input that was made for this call alone.
  float* taken(int input, bool mayTake, int fresh) {
    return static_cast<float*>(takenAs(input, mayTake, fresh, TF_FLOAT));
  }
  uint16_t* takenHalf(int input, bool mayTake, int fresh) {
    return static_cast<uint16_t*>(takenAs(input, mayTake, fresh, TF_BFLOAT16));
  }

  // An output that was made elsewhere.
  void give(TF_Tensor* tensor) {
    outputs_.all.push_back(tensor);
    set(tensor);
  }

 private:
  void set(TF_Tensor* tensor) {
    TF_SetOutput(context_, made_++, tensor, status_.raw);
    status_.check();
  }

  void* takenAs(int input, bool mayTake, int fresh, TF_DataType type) {
    TF_Tensor* tensor = inputs_.all[input];
    if (mayTake && sharedByNobody(tensor, inputs_.all[fresh])) {
      set(tensor);
      return TF_TensorData(tensor);
    }
    void* copy = allocate(shape(input), type);
    if (size(input) > 0) std::memcpy(copy, TF_TensorData(tensor), size(input) * TF_DataTypeSize(type));
    return copy;
  }

  void* allocate(const Shape& dims, TF_DataType type) {
    int64_t bytes = static_cast<int64_t>(TF_DataTypeSize(type));
    for (int64_t n : dims) {
      if (n < 0 || __builtin_mul_overflow(bytes, n, &bytes)) throw std::bad_alloc();
    }
    TF_Tensor* tensor = TF_AllocateOutput(context_, made_, type, dims.data(), static_cast<int>(dims.size()), bytes,
                                          status_.raw);
    status_.check();
    outputs_.all.push_back(tensor);
    ++made_;
    return TF_TensorData(tensor);
  }

  TF_OpKernelContext* context_;
  Status status_;
  Tensors inputs_, outputs_;
  Sizes sizes_;
  int made_ = 0;
};

// What `run` needs to know of the operation that computes by `Compute`.
template <void (*Compute)(Call&)>
struct Op {
  static inline std::string name;
  static inline Signature signature;
};

inline void fail(TF_OpKernelContext* context, const std::string& name, TF_Code code, const char* why) {
  Status status;
  TF_SetStatus(status.raw, code, (name + ": " + why).c_str());
  TF_OpKernelContext_Failure(context, status.raw);
}

// Runs `Compute` on a call; what it throws becomes the operation's error.
template <void (*Compute)(Call&)>
void run(void*, TF_OpKernelContext* context) {
  const std::string& name = Op<Compute>::name;
  try {
    Call call(context, Op<Compute>::signature);
    Compute(call);
  } catch (const InvalidInput& error) {
    fail(context, name, TF_INVALID_ARGUMENT, error.what());
  } catch (const std::bad_alloc&) {
    fail(context, name, TF_RESOURCE_EXHAUSTED, "out of memory");
  } catch (const std::exception& error) {
    fail(context, name, TF_INTERNAL, error.what());
  }
}

// Registers operation and kernel. Inputs with their shapes ("x: float [N, D]", checks.h), outputs without ("y: float").
template <void (*Compute)(Call&)>
void registerOp(const char* name, std::initializer_list<const char*> inputs,
                std::initializer_list<const char*> outputs) {
  Op<Compute>::name = name;
  Op<Compute>::signature = Signature(inputs);
  Status status;
  TF_OpDefinitionBuilder* op = TF_NewOpDefinitionBuilder(name);
  for (const std::string& input : Op<Compute>::signature.declarations()) {
    TF_OpDefinitionBuilderAddInput(op, input.c_str());
  }
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
// NaN stays NaN.
inline float fastExp(float x) {
  x = x < -87.0f ? -87.0f : (x > 88.0f ? 88.0f : x);
  const float scaled = x * 1.44269504088896341f;
  const float whole = __builtin_rintf(scaled == scaled ? scaled : 0.0f);  // a whole number has no NaN to be
  const float r = (x - whole * 0.693359375f) + whole * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  const uint32_t bits = static_cast<uint32_t>(static_cast<int32_t>(whole) + 127) << 23;
  float power;
  __builtin_memcpy(&power, &bits, sizeof power);
  return p * power;
}

// bfloat16 to float, exactly.
inline float fromHalf(uint16_t half) {
  const uint32_t bits = static_cast<uint32_t>(half) << 16;
  float value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}

// float to the nearest bfloat16, ties to even, in a form that compilers vectorise. NaN stays NaN.
inline uint16_t toHalf(float value) {
  uint32_t bits;
  __builtin_memcpy(&bits, &value, sizeof bits);
  const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  return static_cast<uint16_t>(value == value ? rounded : (bits >> 16) | 0x40u);
}

// Work below so many numbers is not worth a second core.
constexpr int64_t kAlone = 1 << 15;

}  // namespace sidlab
