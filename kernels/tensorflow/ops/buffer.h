// Who else holds the memory of a tensor. TensorFlow.js counts its handles to a tensor, but not what TensorFlow shares
// beneath them: a reshape or a slice is a tensor of its own on the same memory.
#pragma once

#include <tensorflow/c/tf_tensor.h>

namespace sidlab {

// Whether nobody but one handle holds the memory of an input of the call that runs. `fresh` is another input of the
// same call that was made for it alone: a call itself holds its inputs, and `fresh` tells how often.
bool sharedByNobody(const TF_Tensor* input, const TF_Tensor* fresh);

}  // namespace sidlab
