/**
 * Tasks of fine-tuning: which rows a task has (`taskRows`), and its examples as text
 * (`taskExamples(dataset, index, task, split): {prompt, answer, item?}[]`). The words are in `lib/lm/templates.json`.
 */
export * from './task-examples.js';
export * from './task-rows.js';
