/**
 * What a killed run is resumed from, bit for bit: the trained weights, the optimizer's state, and where the loop is.
 *
 * Departure from transformers' Trainer: frozen weights are left out (they are the start's), so that a
 * checkpoint of an adapter is as small as the adapter.
 */
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { readJson, writeJson } from '../../files/files.js';
import { SafetensorsFile, writeSafetensors } from '../../files/safetensors.js';
import { trainableWeights, type TrainableModel } from '../../lm/language-model.js';
import { toArrays, type Weights } from '../../lm/weights.js';
import { readTensor } from '../../ops/read-tensor.js';
import type { RunFolder, RunStore } from '../../runs/run-folder.js';
import { InputError } from '../../support/errors.js';
import type { RandomState } from '../../support/random.js';
import type { Optimizer } from '../optim/optimizer.js';
import type { TaskState } from './task.js';

/** The state of training after a step, beside weights and optimizer. */
export interface LoopState {
  /** Updates so far. */
  step: number;
  /** From 0. */
  epoch: number;
  /** Batches of the epoch already done. */
  position: number;
  /** Through the model so far. */
  tokens: number;
  /** Of training so far, pauses left out. */
  seconds: number;
  /** State of the random numbers. */
  random: RandomState;
  /** Step and metrics of the best model so far. */
  best?: { step: number; metrics: Record<string, number> };
  /** Validations since the best. */
  validationsWithoutImprovement: number;
}

/** @param keep checkpoints that are kept at most @param task what it keeps beside the model @throws InputError if there is no room; older ones are kept then */
export function saveCheckpoint(
  folder: RunStore,
  keep: number,
  model: TrainableModel,
  optimizer: Pick<Optimizer, 'save'>,
  state: LoopState,
  task?: TaskState,
): void {
  folder.saveCheckpoint(state.step, keep, (at) => {
    writeSafetensors(join(at, 'model.safetensors'), toArrays(trainableWeights(model)));
    writeSafetensors(join(at, 'optimizer.safetensors'), optimizer.save());
    writeJson(join(at, 'state.json'), state);
    task?.save(at);
  });
}

/** Takes up the last checkpoint, if there is one. @throws InputError if it is not of this model */
export function resumeCheckpoint(
  folder: RunFolder,
  model: TrainableModel,
  optimizer: Optimizer,
  task?: TaskState,
): LoopState | undefined {
  const step = folder.checkpoints().at(-1);
  folder.truncateLog(step ?? -1);
  if (step === undefined) return undefined;
  const at = folder.checkpoint(step);
  restoreWeights(join(at, 'model.safetensors'), trainableWeights(model));
  readOptimizer(folder, step, (read) => optimizer.restore(read));
  task?.restore(at);
  return readJson<LoopState>(join(at, 'state.json'));
}

/** The optimizer's state in the checkpoint of a step. */
export function readOptimizer(
  folder: RunFolder,
  step: number,
  use: (read: (name: string) => tf.Tensor | undefined) => void,
): void {
  withTensors(join(folder.checkpoint(step), 'optimizer.safetensors'), use);
}

/** One weight at a time, so that the file is never in memory as a whole. @throws InputError for weights of another model */
export function restoreWeights(path: string, weights: Weights): void {
  withTensors(path, (read) => {
    for (const [name, weight] of weights) {
      tf.tidy(() => {
        const tensor = read(name);
        if (tensor?.shape.join() !== weight.shape.join()) {
          const got = tensor ? `[${tensor.shape.join(', ')}]` : 'none';
          throw new InputError(`${path}: expected ${name} of [${weight.shape.join(', ')}], got ${got}`);
        }
        weight.assign(tensor);
      });
    }
  });
}

/** Each tensor is in memory once, and mapped where the engine can. */
function withTensors(path: string, use: (read: (name: string) => tf.Tensor | undefined) => void): void {
  const file = new SafetensorsFile(path);
  try {
    use((name) => (file.names.includes(name) ? readTensor(file, name) : undefined));
  } finally {
    file.close();
  }
}
