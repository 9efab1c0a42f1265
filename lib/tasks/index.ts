/**
 * Tasks of fine-tuning: which rows a task has (`taskRows`), its examples as text
 * (`taskExamples(dataset, index, task, split): {prompt, answer, item?}[]`), and mixes of tasks (`parseTasks`,
 * `TaskSet`). The prompt templates are in `templates.json`.
 */
export * from './cold-targets.js';
export * from './cut-histories.js';
export * from './example-options.js';
export * from './examples.js';
export * from './import/import-options.js';
export * from './import/import-templates.js';
export * from './plan-tasks.js';
export * from './preference-text.js';
export * from './preferences-file.js';
export * from './prompt-words.js';
export * from './prompts.js';
export * from './task-examples.js';
export * from './task-mix.js';
export * from './task-rows.js';
export * from './task-set.js';
export * from './templates.js';
export * from './weights/load-weights.js';
export * from './weights/row-columns.js';
export * from './weights/row-weights.js';
export * from './weights/weight-factors.js';
export * from './weights/weighted-draw.js';
