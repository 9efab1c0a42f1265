/**
 * A gradient tape for deep functions: what a gradient does not need is freed while the value is computed, and what it
 * needs as soon as it has been used.
 *
 * TensorFlow.js's own keeps every intermediate value and every intermediate gradient to the end; for a language model
 * that is more than its weights. Here the function between the variables and its value is a single node of that tape.
 * Every operation on the way must be a `customOp`; one that is not would cut the gradient, so it is an error.
 */
import * as tf from '@tensorflow/tfjs';
import { fromBfloat16, isBfloat16 } from './bfloat16.js';

/** An operation that a tape records. */
export interface RecordedOp {
  /** In the order of the gradients. */
  inputs: tf.Tensor[];
  /** Computes value and saved tensors. */
  forward(): { value: tf.Tensor; saved: tf.Tensor[] };
  /** @param needs which inputs' gradients are asked for; others may be left out */
  backward(dy: tf.Tensor, saved: tf.Tensor[], needs: boolean[]): (tf.Tensor | undefined)[];
  /** Whether `backward` looks at the inputs. */
  keepsInputs: boolean;
  /** Of an operation of one input: its gradient added to what that input has already, which is given up for it. */
  addTo?: ((sum: tf.Tensor, dy: tf.Tensor, saved: tf.Tensor[]) => tf.Tensor) | undefined;
}

interface Node {
  op: RecordedOp;
  saved: tf.Tensor[];
  output: tf.Tensor;
}

let recording: Tape | undefined;

/** The tape that records now, if one does. */
export function activeTape(): Tape | undefined {
  return recording;
}

/**
 * `f()`, whose gradient by the variables is computed by a tape of ours where one is asked for.
 * @param f of the variables and of values made before
 */
export function onTape<R extends tf.Rank>(variables: readonly tf.Variable[], f: () => tf.Tensor<R>): tf.Tensor<R> {
  if (tf.engine().state.gradientDepth === 0 || recording) return f();
  const into = collecting;
  const node = tf.customGrad(() => {
    const tape = new Tape(variables);
    const value = tape.record(f);
    if (into) return { value, gradFunc: (dy) => into.take(variables, tape.reached(dy)) };
    return { value, gradFunc: (dy) => tape.gradients(dy).map(fromBfloat16) };
  });
  return (into ? node(into.anchor) : node(...variables)) as tf.Tensor<R>;
}

/**
 * Where tapes leave the gradients of variables: TensorFlow.js carries none in bfloat16, nor leaves out those that are not
 * reached. For it the tapes are functions of a number of their own.
 */
class Collector {
  readonly anchor = tf.tidy(() => tf.variable(tf.scalar(0)));
  readonly gradients = new Map<tf.Variable, tf.Tensor>();

  /** @param reached by the variables' ids, kept @returns the anchor's gradient */
  take(variables: readonly tf.Variable[], reached: ReadonlyMap<number, tf.Tensor>): tf.Tensor {
    for (const variable of variables) {
      const gradient = reached.get(variable.id);
      if (gradient) this.add(variable, gradient);
    }
    return tf.scalar(0);
  }

  /** @param gradient kept, given up */
  add(variable: tf.Variable, gradient: tf.Tensor): void {
    const before = this.gradients.get(variable);
    this.gradients.set(variable, before ? tf.keep(sumOf(before, gradient)) : gradient);
    if (before) tf.dispose([before, gradient]);
  }
}

let collecting: Collector | undefined;

/** The sum in float32 of two gradients of either precision. */
export function sumOf(a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  return tf.tidy(() => tf.add(fromBfloat16(a), fromBfloat16(b)));
}

/**
 * A loss and its gradients, the caller's; those of products in bfloat16 may be in bfloat16. A variable that the loss does
 * not reach has none.
 * @param loss of the variables, on tapes or otherwise
 */
export function lossAndGradients(
  variables: readonly tf.Variable[],
  loss: () => tf.Scalar,
): { value: tf.Scalar; gradients: Map<tf.Variable, tf.Tensor> } {
  const [outer, own] = [collecting, new Collector()];
  collecting = own;
  try {
    const { value, grads } = tf.variableGrads(loss, [...variables, own.anchor]);
    for (const variable of variables) {
      const direct = grads[variable.name];
      if (direct) own.add(variable, tf.keep(direct));
    }
    grads[own.anchor.name]?.dispose();
    return { value, gradients: own.gradients };
  } catch (error) {
    tf.dispose([...own.gradients.values()]);
    throw error;
  } finally {
    collecting = outer;
    own.anchor.dispose();
  }
}

/**
 * `f()`, of whose way only `x` is kept: for its gradient it is computed once more ("layer checkpointing": Chen et al.,
 * arXiv 1604.06174). Only one layer's values are held at a time, for a second forward pass. Without a tape, `f()` alone, tidied.
 * @param f of x, of variables and of values made before
 * @param again the same numbers once more, where `f` draws random ones
 */
export function recomputed<R extends tf.Rank>(
  x: tf.Tensor,
  f: () => tf.Tensor<R>,
  again: () => tf.Tensor<R> = f,
): tf.Tensor<R> {
  const tape = recording;
  if (!tape) return tf.tidy(f);
  const once = new Tape([], [x]);
  const value = once.record(f);
  once.dispose();
  const inputs = [x, ...once.read];
  const recorded = tape.run({
    inputs,
    forward: () => ({ value, saved: [] }),
    backward(dy, _, needs) {
      const inner = new Tape(
        inputs.filter((_, i) => needs[i]),
        [x],
      );
      inner.record(again).dispose();
      const gradients = inner.gradients(dy);
      return needs.map((need) => (need ? gradients.shift() : undefined));
    },
    keepsInputs: true,
  });
  return recorded as tf.Tensor<R>;
}

function recordOn<R extends tf.Rank>(tape: Tape, f: () => tf.Tensor<R>): tf.Tensor<R> {
  const outer = recording;
  recording = tape;
  try {
    return f();
  } finally {
    recording = outer;
  }
}

/** Records operations, and computes their gradients backwards. */
export class Tape {
  private readonly nodes: Node[] = [];
  /** Ids of the tensors that depend on a variable. */
  private readonly tracked: Set<number>;
  /** Ids of tensors that a gradient looks at. */
  private readonly needed = new Set<number>();
  /** What the tape holds beside its nodes: values that depend on no variable. */
  private readonly constants: tf.Tensor[] = [];
  private readonly known: Set<number>;
  /** The variables that its operations used. */
  readonly read = new Set<tf.Variable>();
  private value: tf.Tensor | undefined;
  private swept = 0;

  /**
   * @param sources of which gradients are asked for
   * @param given values made before that operations may use, beside the sources and variables
   */
  constructor(
    private readonly sources: readonly tf.Tensor[],
    given: readonly tf.Tensor[] = [],
  ) {
    this.tracked = new Set(sources.map(({ id }) => id));
    this.known = new Set([...sources, ...given].map(({ id }) => id));
  }

  /** @returns the value, the caller's */
  record<R extends tf.Rank>(f: () => tf.Tensor<R>): tf.Tensor<R> {
    try {
      this.value = recordOn(this, f);
      this.sweep(this.value);
      return this.value.clone() as tf.Tensor<R>;
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  run(op: RecordedOp): tf.Tensor {
    for (const input of op.inputs) {
      if (input instanceof tf.Variable) this.read.add(input);
      else if (!this.known.has(input.id)) {
        throw new Error('tape: expected every input to come from an operation on the tape or a variable');
      }
    }
    const made: tf.Tensor[] = [];
    const output = tf.tidy(() => {
      const { value, saved } = op.forward();
      made.push(...saved.map((tensor) => tf.keep(tensor)));
      return tf.keep(value);
    });
    this.known.add(output.id);
    if (!op.inputs.some(({ id }) => this.tracked.has(id))) {
      tf.dispose(made.filter((tensor) => tensor !== output));
      this.constants.push(output);
      return output;
    }
    this.tracked.add(output.id);
    if (op.keepsInputs) for (const { id } of op.inputs) this.needed.add(id);
    if (made.includes(output)) this.needed.add(output.id);
    this.nodes.push({ op, saved: made, output });
    return output;
  }

  /** Frees the values so far that no gradient looks at; `live` is all that later operations will. */
  sweep(live: tf.Tensor): void {
    for (; this.swept < this.nodes.length; this.swept++) {
      const { output } = this.nodes[this.swept]!;
      if (output === live) return; // the next sweep's business
      if (!this.needed.has(output.id)) output.dispose();
    }
  }

  /** @param dy of the value @returns one gradient a source, zeros where it was not reached; the tape is used up */
  gradients(dy: tf.Tensor): tf.Tensor[] {
    const sums = this.reached(dy);
    return this.sources.map(({ id, shape }) => {
      const sum = sums.get(id);
      if (!sum) return tf.zeros(shape);
      const mine = sum.clone(); // in the caller's scope; ours was kept
      sum.dispose();
      return mine;
    });
  }

  /** @param dy of the value @returns the gradients of the sources that it reaches, by their ids, kept; the tape is used up */
  reached(dy: tf.Tensor): Map<number, tf.Tensor> {
    const sums = new Map<number, tf.Tensor>([[this.value!.id, tf.keep(dy.clone())]]);
    for (let node = this.nodes.pop(); node; node = this.nodes.pop()) {
      const own = sums.get(node.output.id);
      sums.delete(node.output.id);
      if (own) this.spread(node, own, sums);
      own?.dispose();
      this.free(node);
    }
    this.dispose();
    return sums;
  }

  /** Adds a node's gradients to its inputs'. */
  private spread({ op, saved }: Node, dy: tf.Tensor, sums: Map<number, tf.Tensor>): void {
    const needs = op.inputs.map(({ id }) => this.tracked.has(id));
    tf.tidy(() => {
      const already = op.addTo && sums.get(op.inputs[0]!.id);
      if (already) {
        const floats = isBfloat16(already) ? fromBfloat16(already) : already;
        sums.set(op.inputs[0]!.id, tf.keep(op.addTo!(floats, dy, saved)));
        already.dispose();
        return;
      }
      op.backward(dy, saved, needs).forEach((gradient, i) => {
        if (!needs[i]) return;
        const { id } = op.inputs[i]!;
        const before = sums.get(id);
        sums.set(id, tf.keep(before ? sumOf(before, gradient!) : gradient!.clone()));
        before?.dispose();
      });
    });
  }

  private free({ saved, output }: Node): void {
    for (const tensor of [...saved, output]) if (!tensor.isDisposed) tensor.dispose();
  }

  dispose(): void {
    for (const node of this.nodes.splice(0)) this.free(node);
    for (const tensor of this.constants.splice(0)) if (!tensor.isDisposed) tensor.dispose();
  }
}
