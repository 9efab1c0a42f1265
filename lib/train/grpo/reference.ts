/**
 * The reference of the KL term: the model that the policy is held near.
 *
 *   frozen        the model that the run started from
 *   synchronised  it moves after the policy: every n updates, reference = w policy + (1 - w) reference (Gorbatovski et
 *                 al., "Learn your reference model", arXiv 2404.09656; MiniOneRec: 512 and 0.6)
 *   base          the model beneath the adapters, switched off: no weights of its own. From a whole model that is what
 *                 `frozen` gives; from an adapter it is the model before its fine-tuning
 *   none          there is none, and no memory for it
 *
 * What is not trained the reference shares with the policy.
 */
import * as tf from '@tensorflow/tfjs';
import type { LanguageModel } from '../../lm/language-model.js';
import { trainableWeights } from '../../lm/language-model.js';
import { AdaptedWeights } from '../../lm/lora/adapted-weights.js';
import { disposeWeights, type Weights } from '../../lm/weights.js';
import type { TaskState } from '../loop/task.js';
import { copyWeights, weightsState } from '../loop/copied-weights.js';

/** A reference, and what moves it. */
export interface Reference {
  model: LanguageModel;
  /** To be called after every update. @param step its number, from 1 */
  updated?(step: number): void;
  /** Of one that moves. */
  state?: TaskState;
  /** Frees the weights that it does not share. */
  dispose(): void;
}

/** A reference that never moves. @param model its own, freed with it */
export function frozenReference(model: LanguageModel): Reference {
  return { model, dispose: () => disposeWeights(model.weights) };
}

/** What the policy is now, its frozen weights shared; it stays when the policy moves. */
export function referenceOf(policy: LanguageModel): Reference {
  const own = copyWeights(trainableWeights(policy));
  return { model: withWeights(policy, own), dispose: () => disposeWeights(own) };
}

/** The policy without its adapters; tables that are trained beside them as they are now. @throws Error without adapters */
export function baseReference(policy: LanguageModel): Reference {
  const { weights } = policy;
  if (!(weights instanceof AdaptedWeights) || !weights.adapters) {
    throw new Error('baseReference: expected a model with adapters');
  }
  const tables = new Map([...trainableWeights(policy)].filter(([name]) => !/\.lora_[AB]\.weight$/.test(name)));
  const own = copyWeights(tables);
  const { config } = policy;
  const bare = new AdaptedWeights([...weights, ...own], undefined, weights.newRows);
  return { model: { config, weights: bare }, dispose: () => disposeWeights(own) };
}

/** @param every updates from one move to the next @param share of the policy in a move, in (0, 1] */
export function synchronisedReference(policy: LanguageModel, every: number, share: number): Reference {
  const trained = trainableWeights(policy);
  const own = copyWeights(trained);
  return {
    model: withWeights(policy, own),
    updated(step) {
      if (step % every !== 0) return;
      for (const [name, weight] of trained) {
        const mine = own.get(name)!;
        tf.tidy(() => mine.assign(tf.add(tf.mul(weight, share), tf.mul(mine, 1 - share))));
      }
    },
    state: weightsState(own, 'reference.safetensors'),
    dispose: () => disposeWeights(own),
  };
}

/** The same model with some weights in place of its own. */
function withWeights({ config, weights }: LanguageModel, own: Weights): LanguageModel {
  const all = [...weights, ...own];
  return {
    config,
    weights:
      weights instanceof AdaptedWeights ? new AdaptedWeights(all, weights.adapters, weights.newRows) : new Map(all),
  };
}
