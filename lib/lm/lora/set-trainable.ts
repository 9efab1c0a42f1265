/** Which of a model's weights learn: the engine's own mark on each variable, and their names. */
import type { LanguageModel } from '../language-model.js';

/** Marks the variables; those that do not learn get no gradient. @returns the model with its `trainable` names */
export function setTrainable(model: LanguageModel, learns: (name: string) => boolean): LanguageModel {
  for (const [name, variable] of model.weights) variable.trainable = learns(name);
  return { ...model, trainable: new Set([...model.weights.keys()].filter(learns)) };
}
