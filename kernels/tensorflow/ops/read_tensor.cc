// A tensor out of an open file: float32 that lies at a multiple of 64 bytes is mapped, not copied; anything else is read
// on all cores, and halves become float32 on the way, or stay what they are. lib/ops/read-tensor.ts has the plain implementation.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <memory>

#include "mapped.h"
#include "op.h"

namespace sidlab {
namespace {

// TensorFlow takes no tensor that begins elsewhere.
constexpr int64_t kAlignment = 64;
// Bytes read at once, by a core.
constexpr int64_t kChunk = 1 << 20;
constexpr int64_t kMostElements = int64_t{1} << 48;
constexpr int64_t kMostAxes = 8;
constexpr char kShort[] = "the file became shorter while it was read";

enum Kind : int32_t { kFloat32, kFloat16, kBfloat16 };

void unmap(void*, size_t, void* mapping) {
  std::unique_ptr<Mapping> owned(static_cast<Mapping*>(mapping));
  unmapFile(*owned);
}

TF_Tensor* mapped(int file, TF_DataType type, int64_t offset, const std::vector<int64_t>& dims, int64_t bytes) {
  const Mapping mapping = mapFile(file, offset, bytes);
  if (!mapping.base) return nullptr;
  return TF_NewTensor(type, dims.data(), static_cast<int>(dims.size()), mapping.data, bytes, &unmap,
                      new Mapping(mapping));
}

void readFully(int file, char* into, int64_t bytes, int64_t offset) {
  while (bytes > 0) {
    const ssize_t got = pread(file, into, bytes, offset);
    if (got <= 0) throw std::runtime_error(kShort);
    into += got, offset += got, bytes -= got;
  }
}

float fromBits(uint32_t bits) {
  float value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}

float fromFloat16(uint16_t half) {
  const uint32_t sign = (half & 0x8000u) << 16, exponent = (half >> 10) & 31, fraction = half & 0x3ffu;
  if (exponent == 31) return fromBits(sign | 0x7f800000u | fraction << 13);
  if (exponent > 0) return fromBits(sign | (exponent + 112) << 23 | fraction << 13);
  const float small = static_cast<float>(fraction) * 0x1p-24f;
  return sign ? -small : small;
}

// Elements `from` to `to` of the tensor that begins at `offset`.
void readRun(int file, int32_t kind, int64_t offset, int64_t from, int64_t to, float* out) {
  if (kind == kFloat32) return readFully(file, reinterpret_cast<char*>(out + from), 4 * (to - from), offset + 4 * from);
  std::vector<uint16_t> halves(to - from);
  readFully(file, reinterpret_cast<char*>(halves.data()), 2 * (to - from), offset + 2 * from);
  for (size_t i = 0; i < halves.size(); ++i) {
    out[from + i] = kind == kFloat16 ? fromFloat16(halves[i]) : fromBits(static_cast<uint32_t>(halves[i]) << 16);
  }
}

// The number of elements.
int64_t expectShape(const Shape& dims) {
  int64_t count = 1;
  for (int64_t n : dims) {
    expect(n >= 0 && !__builtin_mul_overflow(count, n, &count) && count < kMostElements,
           "a shape of 0 to 2^48 elements, got ", textOf(dims));
  }
  return count;
}

void expectBytes(int file, int64_t offset, int64_t bytes) {
  struct stat info;
  expect(fstat(file, &info) == 0 && S_ISREG(info.st_mode), "the descriptor of an open file, got ", file);
  if (info.st_size < offset || info.st_size - offset < bytes) throw std::runtime_error(kShort);
}

// Where a tensor lies: file descriptor, kind, offset in two parts of 30 bits, then the shape.
struct Place {
  int file;
  int32_t kind;
  int64_t offset;
  Shape dims;
  int64_t count;
};

Place placeOf(Call& call, int32_t leastKind) {
  const int32_t* place = call.ints(0);
  expect(call['n'] >= 4 && call['n'] <= 4 + kMostAxes, "place of 4 to ", 4 + kMostAxes, " numbers, got ", call['n']);
  expectBetween("kind", place[1], leastKind, kBfloat16);
  expectBetween("offset's lower part", place[2], 0, (1 << 30) - 1);
  expectBetween("offset's upper part", place[3], 0, 1 << 30);
  const int file = place[0];
  const int32_t kind = place[1];
  const int64_t offset = place[2] + (static_cast<int64_t>(place[3]) << 30);
  const Shape dims(place + 4, place + call['n']);
  const int64_t count = expectShape(dims);
  expectBytes(file, offset, count * (kind == kFloat32 ? 4 : 2));
  return {file, kind, offset, dims, count};
}

// `read` of each run of `step` elements, on all cores.
template <typename Read>
void inRuns(int64_t count, int64_t step, const Read& read) {
  const int64_t runs = (count + step - 1) / step;
  std::atomic<bool> failed{false}; // nothing may be thrown out of a parallel loop
#pragma omp parallel for schedule(dynamic) if (count > kAlone)
  for (int64_t run = 0; run < runs; ++run) {
    try {
      read(run * step, std::min(count, (run + 1) * step));
    } catch (const std::exception&) {
      failed = true;
    }
  }
  if (failed) throw std::runtime_error(kShort);
}

// place -> the tensor in float32
void readTensor(Call& call) {
  const Place place = placeOf(call, kFloat32);
  const auto& [file, kind, offset, dims, count] = place;
  if (kind == kFloat32 && count > 0 && offset % kAlignment == 0) {
    if (TF_Tensor* tensor = mapped(file, TF_FLOAT, offset, dims, 4 * count)) return call.give(tensor);
  }
  float* out = call.output(dims);
  inRuns(count, kChunk / 4, [&place, out](int64_t from, int64_t to) {
    readRun(place.file, place.kind, place.offset, from, to, out);
  });
}

// place, of bfloat16 -> the tensor as it is
void readHalves(Call& call) {
  const Place place = placeOf(call, kBfloat16);
  const auto& [file, kind, offset, dims, count] = place;
  if (count > 0 && offset % kAlignment == 0) {
    if (TF_Tensor* tensor = mapped(file, TF_BFLOAT16, offset, dims, 2 * count)) return call.give(tensor);
  }
  uint16_t* out = call.halfOutput(dims);
  inRuns(count, kChunk / 2, [&place, out](int64_t from, int64_t to) {
    readFully(place.file, reinterpret_cast<char*>(out + from), 2 * (to - from), place.offset + 2 * from);
  });
}

}  // namespace

void registerReadTensor() {
  registerOp<readTensor>("SidlabReadTensor", {"place: int32 [n]"}, {"tensor: float"});
  registerOp<readHalves>("SidlabReadBfloat16", {"place: int32 [n]"}, {"tensor: bfloat16"});
}

}  // namespace sidlab
