/**
 * The optimizers of RQ-VAEs by PyTorch's formulas and defaults: `adamw`, `adam`, `sgd`, `adagrad`, `rmsprop`, which are
 * MiniOneRec's and LC-Rec's learners. AdamW decays the weights themselves, the others add the decay to the gradient.
 *
 * Adam keeps its moments as `m / (1 - beta1)` and `v / (1 - beta2)`, which saves two passes over every parameter: at these
 * sizes the passes over memory are what an optimizer costs.
 */
import * as tf from '@tensorflow/tfjs';
import type { OptimizerName } from '../choices.js';

/** What an update of one parameter sees. */
export interface Update {
  parameter: tf.Variable;
  gradient: tf.Tensor;
  /** What the rule keeps of this parameter, by the names in `keeps`. */
  kept: Readonly<Record<string, tf.Variable>>;
  /** Updates of this parameter, this one included. */
  step: number;
  /** Learning rate. */
  rate: number;
  weightDecay: number;
}

/** How a parameter moves by its gradient. */
export interface UpdateRule {
  /** Names of what is kept between updates, each of the parameter's shape. */
  keeps: readonly string[];
  /** In place of the parameter and of what is kept; runs inside a `tf.tidy`. */
  update(update: Update): void;
}

const [BETA1, BETA2, ADAM_EPSILON] = [0.9, 0.999, 1e-8];
const ADAGRAD_EPSILON = 1e-10;
const [RMS_ALPHA, RMS_EPSILON] = [0.99, 1e-8];

/** By name. */
export const UPDATE_RULES: Readonly<Record<OptimizerName, UpdateRule>> = {
  adamw: {
    keeps: ['m', 'v'],
    update: (given) => {
      const { parameter, rate, weightDecay } = given;
      moveByMoments(given, weightDecay > 0 ? tf.mul(parameter, 1 - rate * weightDecay) : parameter);
    },
  },
  adam: { keeps: ['m', 'v'], update: (given) => moveByMoments(decayed(given), given.parameter) },
  sgd: {
    keeps: [],
    update: (given) => {
      given.parameter.assign(tf.sub(given.parameter, tf.mul(decayed(given).gradient, given.rate)));
    },
  },
  adagrad: {
    keeps: ['squares'],
    update: (given) => {
      const squares = given.kept.squares!;
      const { gradient } = decayed(given);
      squares.assign(tf.add(squares, tf.square(gradient)));
      moveByRoot(given, gradient, squares, ADAGRAD_EPSILON);
    },
  },
  rmsprop: {
    keeps: ['squares'],
    update: (given) => {
      const squares = given.kept.squares!;
      const { gradient } = decayed(given);
      squares.assign(tf.add(tf.mul(squares, RMS_ALPHA), tf.mul(tf.square(gradient), 1 - RMS_ALPHA)));
      moveByRoot(given, gradient, squares, RMS_EPSILON);
    },
  },
};

function decayed(given: Update): Update {
  const { parameter, gradient, weightDecay } = given;
  return weightDecay > 0 ? { ...given, gradient: tf.add(gradient, tf.mul(parameter, weightDecay)) } : given;
}

function moveByMoments({ parameter, gradient, kept, step, rate }: Update, from: tf.Tensor): void {
  const [m, v] = [kept.m!, kept.v!];
  const spread = Math.sqrt((1 - BETA2) / (1 - BETA2 ** step)); // of v as kept
  const move = (rate * (1 - BETA1)) / (1 - BETA1 ** step);
  m.assign(tf.add(tf.mul(m, BETA1), gradient));
  v.assign(tf.add(tf.mul(v, BETA2), tf.square(gradient)));
  if (move === 0) return; // the end of a schedule: the divisor below would be infinite
  const divisor = tf.add(tf.mul(tf.sqrt(v), spread / move), ADAM_EPSILON / move);
  parameter.assign(tf.sub(from, tf.div(m, divisor)));
}

function moveByRoot({ parameter, rate }: Update, gradient: tf.Tensor, squares: tf.Tensor, epsilon: number): void {
  parameter.assign(tf.sub(parameter, tf.div(tf.mul(gradient, rate), tf.add(tf.sqrt(squares), epsilon))));
}
