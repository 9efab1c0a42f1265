/**
 * Random inputs for the native operations, valid ones and ones that are broken in a shape, a type, an index or a number.
 * Whatever comes, an operation must compute or refuse with its name; under the sanitizers
 * (`node kernels/setup/sanitize.mjs`) it must not touch memory that is not its own either.
 *
 * Input i of a seed is always the same, so that a failure can be run again by itself.
 */
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { fromBfloat16, toBfloat16 } from '../../lib/ops/bfloat16.js';
import { runFused } from '../../lib/ops/fused.js';
import { Random } from '../../lib/support/random.js';

/** One input of an operation, before it is a tensor. */
interface Draft {
  dtype: 'float32' | 'int32' | 'bfloat16';
  shape: number[];
  data: number[];
}

/** Draws inputs that an operation must accept. */
type Draw = (random: Random) => Draft[];

/** What became of the inputs of one operation. */
export interface FuzzCounts {
  /** Inputs as drawn, all of which must compute. */
  valid: number;
  /** Broken inputs that computed all the same: a number that is as good as another. */
  computed: number;
  /** Broken inputs that were refused. */
  refused: number;
}

const size = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);
const times = <T>(n: number, make: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i));
const between = (random: Random, least: number, most: number): number => least + random.int(most - least + 1);
const ints = (shape: number[], data: number[]): Draft => ({ dtype: 'int32', shape, data });
const scalar = (value: number): Draft => ints([1], [value]);
const halves = (random: Random, ...shape: number[]): Draft => ({ ...floats(random, ...shape), dtype: 'bfloat16' });
const fixed = (...data: number[]): Draft => ({ dtype: 'float32', shape: [data.length], data });

/** Mostly ordinary numbers, some of them extreme; all finite. */
function floats(random: Random, ...shape: number[]): Draft {
  const scale = [1, 1, 1, 100, 1e-30, 1e30][random.int(6)]!;
  return { dtype: 'float32', shape, data: times(size(shape), () => random.normal() * scale) };
}

/** Two matrices that fit. */
function drawProduct(random: Random, transposeA: boolean, transposeB: boolean): Draft[] {
  const [rows, inner, columns] = [random.int(40), random.int(20), random.int(70)];
  const of = (a: number, b: number, turned: boolean): Draft => (turned ? floats(random, b, a) : floats(random, a, b));
  return [of(rows, inner, transposeA), of(inner, columns, transposeB)];
}

/** The two whole numbers that are a float64's bits, each. */
const bits = (values: number[]): number[] => [...new Int32Array(Float64Array.from(values).buffer)];

/** Trees of any shape: what each node sees, and where trees begin. */
function drawForest(random: Random): { nodes: number; rest: Draft[] } {
  const seen: [from: number, to: number][][] = []; // of each node
  const starts = [0];
  for (let tree = random.int(4); tree > 0; tree--) {
    const start = seen.length;
    for (let more = between(random, 0, 20); more > 0; more--) {
      const node = seen.length;
      const parent = random.int(2) ? node - 1 : start + random.int(Math.max(1, node - start));
      if (node === start) seen.push([[node, node + 1]]);
      else if (parent === node - 1) seen.push(seen[parent]!.map(([from, to]) => [from, to === node ? node + 1 : to]));
      else seen.push([...seen[parent]!, [node, node + 1]]);
    }
    starts.push(seen.length);
  }
  const runStart = [0];
  for (const runs of seen) runStart.push(runStart.at(-1)! + runs.length);
  const runs = seen.flat(2);
  return { nodes: seen.length, rest: [ints([runStart.length], runStart), ints([runs.length / 2, 2], runs), ints([starts.length], starts)] }; // prettier-ignore
}

function drawAttention(random: Random): { q: Draft; k: Draft; v: Draft; rest: Draft[] } {
  const { nodes, rest } = drawForest(random);
  const [keyHeads, group, width] = [between(random, 1, 3), random.int(3), between(random, 1, 9)];
  const [q, k, v] = [keyHeads * group, keyHeads, keyHeads].map((heads) => floats(random, nodes, heads, width));
  return { q: q!, k: k!, v: v!, rest };
}

/** Starts, options, numbers, bias and mask of attention between sequences, and what they are of. */
function drawSequences(random: Random) {
  const [sequences, heads, causal, softmax] = [random.int(5), between(random, 1, 3), random.int(2), random.int(2)];
  const queries = times(sequences, () => between(random, 1, 6));
  const keys = causal ? queries : times(sequences, () => between(random, 1, 6));
  const starts = (lengths: number[]): Draft => {
    const all = [0];
    for (const length of lengths) all.push(all.at(-1)! + length);
    return ints([all.length], all);
  };
  const weights = queries.reduce((sum, n, b) => sum + n * keys[b]! * heads, 0);
  const bias = random.int(2) ? [[1, heads][random.int(2)]!, Math.max(0, ...queries), Math.max(0, ...keys)] : [0, 0, 0];
  const biases = floats(random, size(bias));
  return {
    tokens: [queries, keys].map((lengths) => lengths.reduce((sum, n) => sum + n, 0)) as [number, number],
    width: heads * between(random, 1, 9),
    weights,
    slopes: softmax ? 0 : weights,
    rest: [
      ...[starts(queries), starts(keys), ints([6], [heads, causal, softmax, ...bias])],
      ...[fixed(0.5, 3), biases, floats(random, random.int(2) ? weights : 0)],
    ],
  };
}

function drawTargets(random: Random): { logits: Draft; row: Draft; token: Draft } {
  const [rows, vocabulary] = [between(random, 1, 5), between(random, 1, 40)];
  const targets = random.int(9);
  const indices = (below: number): Draft =>
    ints(
      [targets],
      times(targets, () => random.int(below)),
    );
  return { logits: floats(random, rows, vocabulary), row: indices(rows), token: indices(vocabulary) };
}

/** Rows with their own places in a table of two parts, either of which may be empty. */
function drawLegal(random: Random): { inputs: Draft[]; count: number } {
  const [rows, width, frozen, trained] = [random.int(6), random.int(40), random.int(9), random.int(9)];
  const counts = times(rows, () => (frozen + trained === 0 ? 0 : random.int(7)));
  const start = [0];
  for (const count of counts) start.push(start.at(-1)! + count);
  const count = start.at(-1)!;
  const at = times(count, () => random.int(frozen + trained));
  const [hidden, old, fresh] = [rows, frozen, trained].map((height) => floats(random, height, width));
  return { inputs: [hidden!, old!, fresh!, ints([rows + 1], start), ints([count], at)], count };
}

/** Limits that `items` can meet, by cluster. */
function drawLimits(random: Random, items: number, clusters: number): { lower: number[]; upper: number[] } {
  const sizes = times(clusters, () => 0);
  for (let i = 0; i < items; i++) sizes[random.int(clusters)]!++;
  const most = [0, 1, 2, 2 ** 31 - 1][random.int(4)]!;
  return {
    lower: sizes.map((n) => random.int(n + 1)),
    upper: sizes.map((n) => Math.min(2 ** 31 - 1, n + most)),
  };
}

/** A file that ReadTensor's inputs name. */
class NumbersFile {
  private readonly folder = mkdtempSync(join(tmpdir(), 'sidlab-fuzz-'));
  readonly bytes = 4096;
  readonly descriptor: number;

  constructor() {
    const path = join(this.folder, 'numbers');
    writeFileSync(path, Buffer.alloc(this.bytes, 7));
    this.descriptor = openSync(path, 'r');
  }

  close(): void {
    closeSync(this.descriptor);
    rmSync(this.folder, { recursive: true });
  }
}

function adamwInputs(random: Random, ofGradient: typeof floats): Draft[] {
  const shape = times(random.int(4), () => random.int(7));
  const [parameter, m, v, decays] = times(4, () => floats(random, ...shape)) as [Draft, Draft, Draft, Draft];
  const numbers = fixed(0.9, 0.99, 1e-8, 0.1, 1, 0.01, 1);
  const half = random.int(2) ? halves(random, ...shape) : halves(random, 0);
  const given = ints(
    [4],
    times(4, () => random.int(2)),
  );
  const gradient = ofGradient(random, ...shape);
  return [parameter, gradient, m, v, random.int(2) ? decays : fixed(1), numbers, half, given];
}

function operations(file: NumbersFile): Record<string, Draw> {
  return {
    SidlabAdamW: (random) => adamwInputs(random, floats),
    SidlabAdamWBfloat16: (random) => adamwInputs(random, halves),
    SidlabAddRows(random) {
      const [height, width, rows] = [between(random, 1, 9), random.int(80), random.int(12)];
      const to = ints(
        [rows],
        times(rows, () => random.int(height)),
      );
      return [floats(random, height, width), floats(random, rows, width), to, scalar(random.int(2))];
    },
    SidlabBalancedAssign(random) {
      const [items, clusters] = [random.int(30), between(random, 1, 6)];
      const most = [2, 1000, 2 ** 31 - 1][random.int(3)]!;
      const costs = times(items * clusters, () => Math.trunc((2 * random.next() - 1) * most));
      const { lower, upper } = drawLimits(random, items, clusters);
      const price = [0, 1000, 2 ** 50][random.int(3)]!;
      const prices = times(clusters, () => Math.trunc((2 * random.next() - 1) * price));
      return [
        ints([items, clusters], costs),
        ints([2, clusters], [...lower, ...upper]),
        ints([2 * clusters], bits(prices)),
        scalar(random.int(9)),
      ];
    },
    SidlabBalancedKmeans(random) {
      const [codes, width] = [between(random, 1, 9), between(random, 1, 20)];
      const rows = between(random, 1, 40);
      const even = Math.floor(rows / codes);
      const enough = bits([random.int(2) ? 0 : 1e-3]);
      const numbers = [random.int(even + 1), even + 1 + random.int(3), random.int(9), ...enough];
      return [floats(random, rows, width), floats(random, codes, width), ints([5], numbers)];
    },
    SidlabForestAttention(random) {
      const { q, k, v, rest } = drawAttention(random);
      return [q, k, v, ...rest];
    },
    SidlabForestAttentionGrad(random) {
      const { q, k, v, rest } = drawAttention(random);
      const [nodes, heads, width] = q.shape as [number, number, number];
      const [dOut, out] = times(2, () => floats(random, nodes, heads * width)) as [Draft, Draft];
      return [dOut, q, k, v, out, floats(random, nodes, heads), ...rest];
    },
    SidlabGruCell(random) {
      const [rows, width] = [random.int(70), random.int(20)];
      const of = (...shape: number[]): Draft => floats(random, ...shape);
      return [of(rows, 3 * width), of(rows, 3 * width), of(3 * width), of(rows, width)];
    },
    SidlabGruCellGrad(random) {
      const [rows, width] = [random.int(70), random.int(20)];
      return [floats(random, rows, width), floats(random, rows, width), floats(random, rows, 4 * width)];
    },
    SidlabKmeansRounds(random) {
      const [rows, codes, width] = [between(random, 1, 40), between(random, 1, 70), between(random, 1, 40)];
      return [floats(random, rows, width), floats(random, codes, width), scalar(random.int(9))];
    },
    SidlabLayerNorm(random) {
      const [rows, width] = [random.int(70), between(random, 1, 40)];
      const affine = random.int(2) * width;
      return [floats(random, rows, width), floats(random, affine), floats(random, affine), fixed(1e-8)];
    },
    SidlabLayerNormGrad(random) {
      const [rows, width] = [random.int(70), between(random, 1, 40)];
      const of = (...shape: number[]): Draft => floats(random, ...shape);
      return [of(rows, width), of(rows, width), of(random.int(2) * width), of(rows, 1), of(rows, 1)];
    },
    SidlabReadBfloat16(random) {
      const shape = times(random.int(4), () => random.int(8));
      const offset = random.int(2) ? 64 * random.int(9) : random.int(500);
      return [ints([4 + shape.length], [file.descriptor, 2, offset, 0, ...shape])];
    },
    SidlabLegalScores: (random) => drawLegal(random).inputs,
    SidlabLegalScoresGrad(random) {
      const { inputs, count } = drawLegal(random);
      return [floats(random, count), ...inputs];
    },
    SidlabMatMulNN: (random) => drawProduct(random, false, false),
    SidlabMatMulNT: (random) => drawProduct(random, false, true),
    SidlabMatMulTN: (random) => drawProduct(random, true, false),
    SidlabMatMulTT: (random) => drawProduct(random, true, true),
    SidlabPathAttention(random) {
      const [prompts, grown] = [random.int(70), random.int(9)];
      const [keyHeads, group, width] = [between(random, 1, 3), random.int(4), between(random, 1, 70)];
      const rows = prompts + grown === 0 ? 0 : random.int(40);
      const runStart = [0];
      const runs: number[] = [];
      for (let row = 0; row < rows; row++) {
        let from = row > 0 && random.int(2) ? runs[2 * runStart[row - 1]!]! : random.int(prompts + grown);
        do {
          const to = between(random, from + 1, prompts + grown);
          runs.push(from, to);
          from = to + random.int(4);
        } while (from < prompts + grown);
        runStart.push(runs.length / 2);
      }
      const of = (nodes: number, heads = keyHeads): Draft => floats(random, nodes, heads, width);
      const keys = [of(prompts), of(prompts), of(grown), of(grown)];
      return [of(rows, keyHeads * group), ...keys, ints([rows + 1], runStart), ints([runs.length / 2, 2], runs)];
    },
    SidlabReadTensor(random) {
      const kind = random.int(3);
      const shape = times(random.int(4), () => random.int(8));
      const offset = random.int(2) ? 64 * random.int(9) : random.int(500);
      return [ints([4 + shape.length], [file.descriptor, kind, offset, 0, ...shape])];
    },
    SidlabDropoutMask(random) {
      const shape = times(random.int(4), () => random.int(9));
      return [
        ints(
          [4],
          times(4, () => random.int(2 ** 32) | 0),
        ),
        ints([shape.length], shape),
        scalar(random.int(65537)),
        fixed(2),
      ];
    },
    SidlabRmsNorm(random) {
      const [rows, width] = [random.int(70), random.int(40)];
      return [floats(random, rows, width), floats(random, width), fixed(1e-6)];
    },
    SidlabRmsNormGrad(random) {
      const [rows, width] = [random.int(70), random.int(40)];
      const of = (...shape: number[]): Draft => floats(random, ...shape);
      return [of(rows, width), of(rows, width), of(width), of(rows, 1)];
    },
    SidlabRotary(random) {
      const [tokens, heads, half] = [random.int(9), random.int(4), between(random, 1, 9)];
      const of = (...shape: number[]): Draft => floats(random, ...shape);
      return [of(tokens, heads, 2 * half), of(tokens, 1, half), of(tokens, 1, half), fixed(1 - 2 * random.int(2))];
    },
    SidlabSequenceAttention(random) {
      const { tokens, width, rest } = drawSequences(random);
      return [...[tokens[0], tokens[1], tokens[1]].map((n) => floats(random, n, width)), ...rest];
    },
    SidlabSequenceAttentionGrad(random) {
      const { tokens, width, weights, slopes, rest } = drawSequences(random);
      const of = [tokens[0], tokens[0], tokens[1], tokens[1]].map((n) => floats(random, n, width));
      return [...of, floats(random, weights), floats(random, slopes), ...rest];
    },
    SidlabSquareSum: (random) => [floats(random, ...times(random.int(4), () => random.int(9)))],
    SidlabSquareSumBfloat16: (random) => [halves(random, ...times(random.int(4), () => random.int(9)))],
    SidlabSwiglu(random) {
      const shape = times(random.int(4), () => random.int(9));
      return [floats(random, ...shape), floats(random, ...shape)];
    },
    SidlabSwigluBfloat16(random) {
      const shape = times(random.int(4), () => random.int(9));
      return times(2, () => halves(random, ...shape));
    },
    SidlabSwigluBfloat16Grad(random) {
      const shape = times(random.int(4), () => random.int(9));
      return [floats(random, ...shape), halves(random, ...shape), halves(random, ...shape)];
    },
    SidlabSwigluGrad(random) {
      const shape = times(random.int(4), () => random.int(9));
      return times(3, () => floats(random, ...shape));
    },
    SidlabTargetLogProbs(random) {
      const { logits, row, token } = drawTargets(random);
      return [logits, row, token];
    },
    SidlabTargetLogProbsGrad(random) {
      const { logits, row, token } = drawTargets(random);
      return [floats(random, row.data.length), logits, row, token, floats(random, logits.shape[0]!)];
    },
  };
}

const INTS = [-1, 0, 1, 2, 7, 1000, 2 ** 31 - 1, -(2 ** 31)];
const FLOATS = [NaN, Infinity, -Infinity, 3.4e38, -3.4e38, 1e-45, 0];

function setNumber(random: Random, draft: Draft): void {
  if (draft.data.length === 0) return;
  const values = draft.dtype === 'int32' ? INTS : FLOATS;
  draft.data[random.int(draft.data.length)] = values[random.int(values.length)]!;
}

/** Another shape, and as many numbers as it has: the first ones, or the first once more. */
function reshape(draft: Draft, shape: number[]): void {
  const { data } = draft;
  draft.data = times(size(shape), (i) => data[i % Math.max(1, data.length)] ?? 0);
  draft.shape = shape;
}

/** Breaks one thing, or two. */
function breakInputs(random: Random, inputs: Draft[]): void {
  for (let n = between(random, 1, 2); n > 0; n--) {
    const draft = inputs[random.int(inputs.length)];
    if (draft === undefined) return;
    const axis = random.int(Math.max(1, draft.shape.length));
    switch (random.int(6)) {
      case 0: // an axis of another size
        reshape(draft, draft.shape.map((n, i) => (i === axis ? [0, 1, n + 1, n - 1, 2 * n][random.int(5)]! : n)).map((n) => Math.max(0, n))); // prettier-ignore
        break;
      case 1: // another rank
        reshape(draft, random.int(2) ? [...draft.shape, 1] : draft.shape.slice(1));
        break;
      case 2: // another type
        draft.dtype = ({ int32: 'float32', float32: 'bfloat16', bfloat16: 'int32' } as const)[draft.dtype];
        break;
      case 3: // an input too few
        if (random.int(4) === 0) inputs.splice(inputs.indexOf(draft), 1);
        break;
      default: // another number
        for (let k = between(random, 1, 3); k > 0; k--) setNumber(random, draft);
    }
  }
}

function toTensor({ dtype, shape, data }: Draft): tf.Tensor {
  if (dtype === 'int32') return tf.tensor(Int32Array.from(data), shape, dtype);
  const floats = tf.tensor(Float32Array.from(data), shape);
  return dtype === 'bfloat16' ? toBfloat16(floats) : floats;
}

/** Whether the operation computed; its outputs are read, so that none of them is without memory. */
function computes(name: string, inputs: readonly Draft[]): boolean {
  return tf.tidy(() => {
    try {
      for (const output of runFused(name, inputs.map(toTensor))) fromBfloat16(output).dataSync();
      return true;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (message.startsWith(`${name}: `) && !message.includes('\n')) return false;
      throw new Error(`expected one line that begins with ${name}, got ${message}`);
    }
  });
}

/**
 * @param count inputs in all, of each operation in turn
 * @param seed of the inputs
 * @param first the first input to run; those before it are left out
 * @throws Error that names the input, for one that is refused though valid, or fails without the operation's name
 */
export function fuzzNative(count: number, seed: number, first = 0): Record<string, FuzzCounts> {
  const file = new NumbersFile();
  const all = Object.entries(operations(file));
  const counts: Record<string, FuzzCounts> = {};
  try {
    for (let i = first; i < count; i++) {
      const [name, draw] = all[i % all.length]!;
      const random = new Random(`${seed}:${i}`);
      const inputs = draw(random);
      const valid = random.int(4) === 0;
      if (!valid) breakInputs(random, inputs);
      const own = (counts[name] ??= { valid: 0, computed: 0, refused: 0 });
      try {
        const done = computes(name, inputs);
        if (valid && !done) throw new Error(`expected ${name} to take valid inputs`);
        own[valid ? 'valid' : done ? 'computed' : 'refused']++;
      } catch (error) {
        throw new Error(`input ${i} of seed ${seed}, ${JSON.stringify(inputs).slice(0, 2000)}`, { cause: error });
      }
    }
    return counts;
  } finally {
    file.close();
  }
}
