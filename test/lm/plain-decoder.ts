/**
 * The decoder in plain JavaScript numbers, one text at a time, after the papers: an oracle that shares no code with the
 * kit but the names of the weights.
 */
import type { LanguageModel } from '../../lib/lm/language-model.js';

type Matrix = number[][];

/** Logits after every token of a text [T][V]. */
export function plainLogits({ config, weights }: LanguageModel, tokens: readonly number[]): Matrix {
  const read = new Map<string, unknown>();
  const values = (name: string): unknown => {
    if (!read.has(name)) read.set(name, weights.get(name)!.arraySync());
    return read.get(name);
  };
  const matrix = (name: string): Matrix => values(name) as Matrix;
  const vector = (name: string): number[] => values(name) as number[];
  const norm = (x: number[], name: string): number[] => {
    const gains = vector(name);
    const scale = 1 / Math.sqrt(x.reduce((sum, v) => sum + v * v, 0) / x.length + config.normEpsilon);
    return x.map((v, i) => v * scale * gains[i]!);
  };
  const table = matrix('model.embed_tokens.weight');
  let x = tokens.map((token) => table[token]!);
  for (let layer = 0; layer < config.layers; layer++) {
    const name = (part: string): string => `model.layers.${layer}.${part}`;
    const normed = x.map((row) => norm(row, name('input_layernorm.weight')));
    const heads = (part: 'q' | 'k' | 'v', count: number): number[][][] =>
      normed.map((row, position) => {
        const flat = times(matrix(name(`self_attn.${part}_proj.weight`)), row);
        const bias = config.architecture === 'qwen2' ? vector(name(`self_attn.${part}_proj.bias`)) : undefined;
        const biased = bias ? flat.map((v, i) => v + bias[i]!) : flat;
        return Array.from({ length: count }, (_, h) => {
          const head = biased.slice(h * config.headDim, (h + 1) * config.headDim);
          if (part === 'v') return head;
          const own = config.architecture === 'qwen3' ? norm(head, name(`self_attn.${part}_norm.weight`)) : head;
          return rotated(own, position, config.ropeTheta);
        });
      });
    const [q, k, v] = [heads('q', config.heads), heads('k', config.keyHeads), heads('v', config.keyHeads)];
    const attended = x.map((_, t) =>
      Array.from({ length: config.heads }, (_, h) => {
        const of = Math.floor(h / (config.heads / config.keyHeads));
        const scores = k.slice(0, t + 1).map((key) => dot(q[t]![h]!, key[of]!) / Math.sqrt(config.headDim));
        const shares = softmax(scores);
        return v[0]![of]!.map((_, d) => shares.reduce((sum, share, s) => sum + share * v[s]![of]![d]!, 0));
      }).flat(),
    );
    x = x.map((row, t) => add(row, times(matrix(name('self_attn.o_proj.weight')), attended[t]!)));
    x = x.map((row) => {
      const into = norm(row, name('post_attention_layernorm.weight'));
      const gate = times(matrix(name('mlp.gate_proj.weight')), into);
      const up = times(matrix(name('mlp.up_proj.weight')), into);
      const inner = gate.map((g, i) => (g / (1 + Math.exp(-g))) * up[i]!);
      return add(row, times(matrix(name('mlp.down_proj.weight')), inner));
    });
  }
  const output = config.tied ? table : matrix('lm_head.weight');
  return x.map((row) => times(output, norm(row, 'model.norm.weight')));
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, v, i) => sum + v * b[i]!, 0);
}

function times(matrix: Matrix, x: readonly number[]): number[] {
  return matrix.map((row) => dot(row, x));
}

function add(a: readonly number[], b: readonly number[]): number[] {
  return a.map((v, i) => v + b[i]!);
}

/** Numbers that sum to 1. */
export function softmax(values: readonly number[]): number[] {
  const top = Math.max(...values);
  const raised = values.map((v) => Math.exp(v - top));
  const sum = raised.reduce((a, b) => a + b, 0);
  return raised.map((v) => v / sum);
}

/** Halves of a head as real and imaginary parts, turned by position * theta ** (-2 i / d). */
function rotated(head: readonly number[], position: number, theta: number): number[] {
  const half = head.length / 2;
  return head.map((v, i) => {
    const angle = position / theta ** ((2 * (i % half)) / head.length);
    const partner = i < half ? -head[i + half]! : head[i - half]!;
    return v * Math.cos(angle) + partner * Math.sin(angle);
  });
}
