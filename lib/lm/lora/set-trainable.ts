/** Which of a model's weights are trained: the engine's own mark on each variable, and their names. */
import type { LanguageModel } from '../language-model.js';

/** Marks the variables; frozen ones get no gradient. @returns the model with its `trainable` names */
export function setTrainable(model: LanguageModel, isTrained: (name: string) => boolean): LanguageModel {
  for (const [name, variable] of model.weights) variable.trainable = isTrained(name);
  return { ...model, trainable: new Set([...model.weights.keys()].filter(isTrained)) };
}
