/**
 * Tasks of fine-tuning: which rows a task has (`taskRows`), its examples as text
 * (`taskExamples(dataset, index, task, split): {prompt, answer, item?}[]`), and mixes of tasks (`parseTasks`,
 * `TaskSet`). The words are in `lib/lm/templates.json`.
 */
export * from './plan-tasks.js';
export * from './task-examples.js';
export * from './task-mix.js';
export { HELD_OUT, taskRows } from '../../lm/index.js';
export * from './task-set.js';
