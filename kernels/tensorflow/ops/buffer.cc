// The one file that looks beneath TensorFlow's C API, which has no way to ask for a reference count within a kernel.
#include "buffer.h"

#define EIGEN_DONT_VECTORIZE  // nothing is computed here, and not every compiler takes all of its headers
#include <tensorflow/c/tf_tensor_helper.h>
#include <tensorflow/core/common_runtime/dma_helper.h>
#include <tensorflow/core/framework/tensor.h>

namespace sidlab {
namespace {

tensorflow::TensorBuffer* bufferOf(const TF_Tensor* from, tensorflow::Tensor& held) {
  return tensorflow::TF_TensorToTensor(from, &held).ok() ? tensorflow::DMAHelper::buffer(&held) : nullptr;
}

}  // namespace

bool sharedByNobody(const TF_Tensor* input, const TF_Tensor* fresh) {
  tensorflow::Tensor a, b;  // each holds its memory once more
  tensorflow::TensorBuffer *own = bufferOf(input, a), *other = bufferOf(fresh, b);
  if (own == nullptr || other == nullptr || own == other) return false;
  // A slice is a buffer of its own on its root; memory that is not TensorFlow's is an array of JavaScript's or a file.
  return own->root_buffer() == own && own->OwnsMemory() && own->RefCount() <= other->RefCount();
}

}  // namespace sidlab
