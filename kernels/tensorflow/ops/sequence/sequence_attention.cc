// Attention between short sequences of different length, without padding: softmax or silu weights, a trained bias,
// dropout by a mask. lib/ops/sequence/padded-attention.ts has the plain implementation.
//
// N tokens of queries and M of keys in S - 1 sequences, H heads, d = D / H; the K weights lie by sequence, head, query,
// key, n_q * n_k a sequence and head. Bias [1 or H, longest n_q, longest n_k] for the places of query and key, empty
// for none.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "../op.h"

namespace sidlab {
namespace {

struct Attention {
  int64_t sequences, heads, width, dim;
  const int32_t *queryStarts, *keyStarts;
  bool causal, softmax;
  const float* bias;  // null for none
  int64_t biasHeads, biasRows, biasColumns;
  float scale, divisor;
  const float* mask;  // null for none
  std::vector<int64_t> pairs;  // before each sequence, of one head
};

// Inputs from `first`: querystarts, keystarts, options, numbers, bias, mask.
Attention attentionOf(const Call& call, int first) {
  Attention a;
  a.sequences = call['S'] - 1;
  a.dim = call['D'];
  a.queryStarts = call.ints(first);
  a.keyStarts = call.ints(first + 1);
  const int32_t* options = call.ints(first + 2);  // heads, causal, softmax, heads, rows and columns of the bias
  a.heads = options[0];
  expect(a.heads > 0 && a.dim % a.heads == 0, "heads that divide ", a.dim, ", got ", a.heads);
  a.width = a.dim / a.heads;
  a.causal = options[1] != 0;
  a.softmax = options[2] != 0;
  a.scale = call.floats(first + 3)[0];
  a.divisor = call.floats(first + 3)[1];
  const auto check = [&](const char* name, const int32_t* starts, int64_t tokens) {
    expectOffsets(name, starts, a.sequences + 1, a.sequences, tokens);
    for (int64_t b = 0; b < a.sequences; ++b) expect(starts[b] < starts[b + 1], name, " ascending, got an empty sequence");
  };
  check("querystarts", a.queryStarts, call['N']);
  check("keystarts", a.keyStarts, call['M']);
  int64_t rows = 0, columns = 0;
  a.pairs.assign(1, 0);
  for (int64_t b = 0; b < a.sequences; ++b) {
    const int64_t n = a.queryStarts[b + 1] - a.queryStarts[b], m = a.keyStarts[b + 1] - a.keyStarts[b];
    expect(!a.causal || n == m, "as many keys as queries of a causal sequence, got ", m, " and ", n);
    rows = std::max(rows, n);
    columns = std::max(columns, m);
    a.pairs.push_back(a.pairs.back() + n * m);
  }
  a.biasHeads = options[3];
  a.biasRows = options[4];
  a.biasColumns = options[5];
  a.bias = call.size(first + 4) == 0 ? nullptr : call.floats(first + 4);
  if (a.bias != nullptr) {
    expect((a.biasHeads == 1 || a.biasHeads == a.heads) && a.biasRows == rows && a.biasColumns == columns &&
               call.size(first + 4) == a.biasHeads * rows * columns,
           "bias of 1 or ", a.heads, " heads, ", rows, " rows and ", columns, " columns, got ", a.biasHeads, ", ",
           a.biasRows, ", ", a.biasColumns, " and ", call.size(first + 4), " numbers");
  }
  const int64_t masked = call.size(first + 5), weights = a.pairs.back() * a.heads;
  expect(masked == 0 || masked == weights, "mask of ", weights, " numbers, got ", masked);
  a.mask = masked == 0 ? nullptr : call.floats(first + 5);
  return a;
}

// q, k, v, querystarts, keystarts, options, numbers, bias, mask -> out [N, D], weights [K], slopes [K, or 0 of softmax]
void forward(Call& call) {
  const float *q = call.floats(0), *k = call.floats(1), *v = call.floats(2);
  const Attention a = attentionOf(call, 3);
  const int64_t d = a.width, all = a.pairs.back() * a.heads;
  float* out = call.output({call['N'], a.dim});
  float* weights = call.output({all});
  float* slopes = call.output({a.softmax ? 0 : all});
#pragma omp parallel for schedule(dynamic, 8) if (all * d > kAlone)
  for (int64_t task = 0; task < a.sequences * a.heads; ++task) {
    const int64_t b = task / a.heads, head = task % a.heads;
    const int64_t first = a.queryStarts[b], n = a.queryStarts[b + 1] - first;
    const int64_t firstKey = a.keyStarts[b], m = a.keyStarts[b + 1] - firstKey;
    const int64_t at = a.pairs[b] * a.heads + head * n * m;
    for (int64_t i = 0; i < n; ++i) {
      float* row = weights + at + i * m;
      const float* query = q + (first + i) * a.dim + head * d;
      const int64_t seen = a.causal ? i + 1 : m;
      for (int64_t j = 0; j < seen; ++j) {
        const float* key = k + (firstKey + j) * a.dim + head * d;
        float sum = 0;
#pragma omp simd reduction(+ : sum)
        for (int64_t c = 0; c < d; ++c) sum += query[c] * key[c];
        row[j] = sum * a.scale;
      }
      if (a.bias != nullptr) {
        const float* bias = a.bias + ((a.biasHeads == 1 ? 0 : head) * a.biasRows + i) * a.biasColumns;
        for (int64_t j = 0; j < seen; ++j) row[j] += bias[j];
      }
      for (int64_t j = seen; j < m; ++j) row[j] = 0;
      if (a.softmax) {
        float top = row[0], sum = 0;
        for (int64_t j = 1; j < seen; ++j) top = row[j] > top ? row[j] : top;
#pragma omp simd reduction(+ : sum)
        for (int64_t j = 0; j < seen; ++j) {
          row[j] = fastExp(row[j] - top);
          sum += row[j];
        }
        const float share = 1.0f / sum;
        for (int64_t j = 0; j < seen; ++j) row[j] *= share;
      } else {
        float* slope = slopes + at + i * m;
        for (int64_t j = seen; j < m; ++j) slope[j] = 0;
#pragma omp simd
        for (int64_t j = 0; j < seen; ++j) {
          const float s = row[j], sigmoid = 1.0f / (1.0f + fastExp(-s));
          row[j] = s * sigmoid / a.divisor;
          slope[j] = (sigmoid + s * sigmoid * (1.0f - sigmoid)) / a.divisor;
        }
      }
      float* to = out + (first + i) * a.dim + head * d;
      for (int64_t c = 0; c < d; ++c) to[c] = 0;
      for (int64_t j = 0; j < seen; ++j) {
        const float weight = a.mask == nullptr ? row[j] : row[j] * a.mask[at + i * m + j];
        const float* value = v + (firstKey + j) * a.dim + head * d;
#pragma omp simd
        for (int64_t c = 0; c < d; ++c) to[c] += weight * value[c];
      }
    }
  }
}

// dOut, q, k, v, weights, slopes, and the rest as in the forward pass -> dq [N, D], dk [M, D], dv [M, D], dBias
void backward(Call& call) {
  const float *dOut = call.floats(0), *q = call.floats(1), *k = call.floats(2), *v = call.floats(3);
  const float *weights = call.floats(4), *slopes = call.floats(5);
  const Attention a = attentionOf(call, 6);
  const int64_t d = a.width, all = a.pairs.back() * a.heads;
  expect(call.size(4) == all, "weights of ", all, " numbers, got ", call.size(4));
  expect(call.size(5) == (a.softmax ? 0 : all), "slopes of ", a.softmax ? 0 : all, " numbers, got ", call.size(5));
  float* dq = call.output({call['N'], a.dim});
  float* dk = call.output({call['M'], a.dim});
  float* dv = call.output({call['M'], a.dim});
  const int64_t biases = a.bias == nullptr ? 0 : a.biasHeads * a.biasRows * a.biasColumns;
  float* dBias = call.output({biases});
  // Sums of fixed runs of sequences, added in order: the same bits on any number of cores.
  const int64_t runs = a.sequences < 32 ? a.sequences : 32;
  std::vector<float> sums(runs * biases, 0.0f);
#pragma omp parallel if (all * d > kAlone)
  {
    std::vector<float> dScores;
#pragma omp for schedule(dynamic)
    for (int64_t r = 0; r < runs; ++r) {
      for (int64_t task = r * a.sequences / runs * a.heads; task < (r + 1) * a.sequences / runs * a.heads; ++task) {
        const int64_t b = task / a.heads, head = task % a.heads;
        const int64_t first = a.queryStarts[b], n = a.queryStarts[b + 1] - first;
        const int64_t firstKey = a.keyStarts[b], m = a.keyStarts[b + 1] - firstKey;
        const int64_t at = a.pairs[b] * a.heads + head * n * m;
        dScores.resize(m);
        for (int64_t j = 0; j < m; ++j) {
          std::memset(dk + (firstKey + j) * a.dim + head * d, 0, d * sizeof(float));
          std::memset(dv + (firstKey + j) * a.dim + head * d, 0, d * sizeof(float));
        }
        for (int64_t i = 0; i < n; ++i) {
          const float *row = weights + at + i * m, *gradient = dOut + (first + i) * a.dim + head * d;
          const float* mask = a.mask == nullptr ? nullptr : a.mask + at + i * m;
          const int64_t seen = a.causal ? i + 1 : m;
          float along = 0;
          for (int64_t j = 0; j < seen; ++j) {
            const int64_t place = (firstKey + j) * a.dim + head * d;
            const float kept = mask == nullptr ? 1.0f : mask[j], used = row[j] * kept;
            float sum = 0;
#pragma omp simd reduction(+ : sum)
            for (int64_t c = 0; c < d; ++c) {
              sum += gradient[c] * v[place + c];
              dv[place + c] += used * gradient[c];
            }
            dScores[j] = sum * kept;
            along += dScores[j] * row[j];
          }
          for (int64_t j = 0; j < seen; ++j) {
            dScores[j] = a.softmax ? row[j] * (dScores[j] - along) : slopes[at + i * m + j] * dScores[j];
          }
          if (biases > 0) {
            float* bias = sums.data() + r * biases + ((a.biasHeads == 1 ? 0 : head) * a.biasRows + i) * a.biasColumns;
            for (int64_t j = 0; j < seen; ++j) bias[j] += dScores[j];
          }
          const float* query = q + (first + i) * a.dim + head * d;
          float* to = dq + (first + i) * a.dim + head * d;
          for (int64_t c = 0; c < d; ++c) to[c] = 0;
          for (int64_t j = 0; j < seen; ++j) {
            const int64_t place = (firstKey + j) * a.dim + head * d;
            const float ds = dScores[j] * a.scale;
#pragma omp simd
            for (int64_t c = 0; c < d; ++c) {
              to[c] += ds * k[place + c];
              dk[place + c] += ds * query[c];
            }
          }
        }
      }
    }
  }
  for (int64_t i = 0; i < biases; ++i) dBias[i] = 0;
  for (int64_t r = 0; r < runs; ++r)
    for (int64_t i = 0; i < biases; ++i) dBias[i] += sums[r * biases + i];
}

}  // namespace

void registerSequenceAttention() {
  registerOp<forward>("SidlabSequenceAttention",
                      {"q: float [N, D>0]", "k: float [M, D]", "v: float [M, D]", "querystarts: int32 [S>0]",
                       "keystarts: int32 [S]", "options: int32 [6]", "numbers: float [2]", "bias: float [P]",
                       "mask: float [Q]"},
                      {"out: float", "weights: float", "slopes: float"});
  registerOp<backward>("SidlabSequenceAttentionGrad",
                       {"dout: float [N, D>0]", "q: float [N, D]", "k: float [M, D]", "v: float [M, D]",
                        "weights: float [K]", "slopes: float [L]", "querystarts: int32 [S>0]", "keystarts: int32 [S]",
                        "options: int32 [6]", "numbers: float [2]", "bias: float [P]", "mask: float [Q]"},
                       {"dq: float", "dk: float", "dv: float", "dbias: float"});
}

}  // namespace sidlab
