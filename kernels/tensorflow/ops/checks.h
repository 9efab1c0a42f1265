// What an operation asks of its inputs before it computes. The shapes stand where the operation is registered, one
// string an input, so that no operation can leave them out; the values (indices, numbers that must be finite, options)
// are checked by the functions at the end. Whatever does not fit is thrown, and becomes a status with the operation's
// name (op.h). Types and the number of inputs are TensorFlow's own to check, from the same strings.
//
//   "x: float [N, D]"        two axes; a letter is the same number wherever it comes
//   "sin: float [N, 1, h]"   a number is an axis of exactly that many
//   "q: float [N, 2*h]"      a product
//   "table: float [V>0, D]"  not empty
//   "gate: float [*]"        any shape, the same for all inputs that say so
//   "decays: float [*|1]"    that shape, or one number
//   "half: bfloat16 [*|0]"   that shape, or nothing
#pragma once

#include <tensorflow/c/tf_tensor.h>

#include <array>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace sidlab {

// An input that an operation cannot compute with; anything else that is thrown is a failure of the operation.
struct InvalidInput : std::runtime_error {
  using std::runtime_error::runtime_error;
};

template <typename... Parts>
[[noreturn]] void invalid(const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  throw InvalidInput(text.str());
}

// `expected ...` unless `holds`.
template <typename... Parts>
void expect(bool holds, const Parts&... parts) {
  if (!holds) invalid("expected ", parts...);
}

using Shape = std::vector<int64_t>;

inline Shape shapeOf(const TF_Tensor* tensor) {
  Shape shape(TF_NumDims(tensor));
  for (size_t axis = 0; axis < shape.size(); ++axis) shape[axis] = TF_Dim(tensor, static_cast<int>(axis));
  return shape;
}

inline std::string textOf(const Shape& shape) {
  std::ostringstream text;
  for (size_t axis = 0; axis < shape.size(); ++axis) text << (axis ? ", " : "[") << shape[axis];
  return shape.empty() ? "[]" : text.str() + "]";
}

// The numbers that the letters of a signature stand for.
class Sizes {
 public:
  Sizes() { of_.fill(-1); }
  int64_t& operator[](char letter) { return of_[static_cast<unsigned char>(letter) & 127]; }
  int64_t operator[](char letter) const { return of_[static_cast<unsigned char>(letter) & 127]; }

 private:
  std::array<int64_t, 128> of_;
};

// The inputs of an operation, read once from their strings.
class Signature {
 public:
  Signature() = default;
  explicit Signature(std::initializer_list<const char*> inputs) {
    for (const char* input : inputs) inputs_.push_back(parse(input));
  }

  // As TensorFlow writes them: "x: float".
  std::vector<std::string> declarations() const {
    std::vector<std::string> all;
    for (const Input& input : inputs_) all.push_back(input.name + ": " + input.type);
    return all;
  }

  Sizes check(const std::vector<TF_Tensor*>& tensors) const {
    expect(tensors.size() == inputs_.size(), inputs_.size(), " inputs, got ", tensors.size());
    Sizes sizes;
    const Shape* any = nullptr;
    std::vector<Shape> shapes;
    for (const TF_Tensor* tensor : tensors) shapes.push_back(shapeOf(tensor));
    for (size_t i = 0; i < inputs_.size(); ++i) {
      if (inputs_[i].any) {
        if (any == nullptr) any = &shapes[i];
        const int64_t count = TF_TensorElementCount(tensors[i]);
        const bool other = (inputs_[i].orOne && count == 1) || (inputs_[i].orNone && count == 0);
        expect(other || shapes[i] == *any, inputs_[i].name, " of shape ", textOf(*any), ", got ", textOf(shapes[i]));
      }
    }
    // Twice: a product whose letters are known from later inputs holds or does not once they are known.
    for (int pass = 0; pass < 2; ++pass) {
      for (size_t i = 0; i < inputs_.size(); ++i) {
        if (inputs_[i].any || matches(inputs_[i], shapes[i], sizes)) continue;
        invalid("expected ", inputs_[i].name, " of shape ", inputs_[i].shape, known(sizes), ", got ", textOf(shapes[i]));
      }
    }
    return sizes;
  }

 private:
  struct Axis {
    int64_t factor = 1;
    std::string letters;
    bool positive = false;
  };
  struct Input {
    std::string name, type, shape;
    bool any = false, orOne = false, orNone = false;
    std::vector<Axis> axes;
  };

  static Input parse(const std::string& text) {
    Input input;
    const size_t colon = text.find(": "), bracket = text.find(" [");
    if (colon == std::string::npos || bracket == std::string::npos) throw std::logic_error("no signature: " + text);
    input.name = text.substr(0, colon);
    input.type = text.substr(colon + 2, bracket - colon - 2);
    input.shape = text.substr(bracket + 1);
    input.orOne = input.shape == "[*|1]";
    input.orNone = input.shape == "[*|0]";
    input.any = input.orOne || input.orNone || input.shape == "[*]";
    if (input.any) return input;
    std::istringstream axes(input.shape.substr(1, input.shape.size() - 2));
    for (std::string axis; std::getline(axes, axis, ',');) input.axes.push_back(parseAxis(axis));
    return input;
  }

  static Axis parseAxis(const std::string& text) {
    Axis axis;
    axis.positive = text.find(">0") != std::string::npos;
    std::istringstream factors(text.substr(0, text.find(">0")));
    for (std::string factor; std::getline(factors, factor, '*');) {
      const size_t first = factor.find_first_not_of(' ');
      if (std::isdigit(static_cast<unsigned char>(factor.at(first)))) axis.factor *= std::stoll(factor.substr(first));
      else axis.letters += factor.at(first);
    }
    return axis;
  }

  static bool matches(const Input& input, const Shape& shape, Sizes& sizes) {
    if (shape.size() != input.axes.size()) return false;
    for (size_t i = 0; i < shape.size(); ++i) {
      if (!matches(input.axes[i], shape[i], sizes)) return false;
    }
    return true;
  }

  static bool matches(const Axis& axis, int64_t size, Sizes& sizes) {
    if (axis.positive && size == 0) return false;
    int64_t known = axis.factor;
    std::string open;
    for (char letter : axis.letters) {
      if (sizes[letter] < 0) open += letter;
      else known *= sizes[letter];
    }
    if (open.empty()) return size == known;
    if (open.size() > 1) return true;
    if (known == 0 || size % known != 0) return false;
    sizes[open[0]] = size / known;
    return true;
  }

  static std::string known(const Sizes& sizes) {
    std::ostringstream text;
    const char* before = " with ";
    for (char letter = 'A'; letter <= 'z'; ++letter) {
      if (sizes[letter] < 0) continue;
      text << before << letter << " = " << sizes[letter];
      before = ", ";
    }
    return text.str();
  }

  std::vector<Input> inputs_;
};

// Every one of `count` indices in [0, size).
inline void expectIndices(const char* name, const int32_t* indices, int64_t count, int64_t size) {
  for (int64_t i = 0; i < count; ++i) {
    if (indices[i] < 0 || indices[i] >= size) {
      invalid("expected ", name, " in [0, ", size, "), got ", indices[i], " at ", i);
    }
  }
}

// Where the runs of `rows` rows begin in `count` entries, and `count` at the end: `size` numbers.
inline void expectOffsets(const char* name, const int32_t* offsets, int64_t size, int64_t rows, int64_t count) {
  expect(size == rows + 1, name, " of ", rows + 1, " numbers, got ", size);
  expect(offsets[0] == 0 && offsets[rows] == count, name, " from 0 to ", count, ", got ", offsets[0], " to ",
         offsets[rows]);
  for (int64_t r = 0; r < rows; ++r) {
    expect(offsets[r] <= offsets[r + 1], name, " in ascending order, got ", offsets[r], " before ", offsets[r + 1]);
  }
}

// Every one of `count` numbers neither NaN nor infinite; `width` of them a row.
inline void expectFinite(const char* name, const float* numbers, int64_t count, int64_t width) {
  int64_t beyond = 0;
#pragma omp simd reduction(+ : beyond)
  for (int64_t i = 0; i < count; ++i) beyond += !(std::fabs(numbers[i]) <= std::numeric_limits<float>::max());
  for (int64_t i = 0; beyond > 0 && i < count; ++i) {
    if (!std::isfinite(numbers[i])) invalid("expected finite numbers, got ", numbers[i], " in row ", i / width, " of ", name);
  }
}

// One option, in [least, most].
inline void expectBetween(const char* name, int64_t value, int64_t least, int64_t most) {
  expect(value >= least && value <= most, name, " from ", least, " to ", most, ", got ", value);
}

}  // namespace sidlab
