/**
 * Where an evaluation's results go, and what they are of: one file for each split, task, number of beams, kind of prompts and control,
 * so that no evaluation overwrites another, and beside it `NAME.json` with the hashes of what went in.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readJson, writeJson } from '../files/files.js';
import { isGguf } from '../files/gguf/gguf-file.js';
import { codeVersion, packageVersion } from '../runs/code-version.js';
import { type PromptKind, promptTags } from './prompt-kind.js';

/** What tells one evaluation of a model from another. */
export interface EvaluationKind extends PromptKind {
  split: 'valid' | 'test';
  /** Name of the task. */
  template: string;
  numBeams: number;
  normalize: 'full' | 'legal';
  /** Only the first so many rows. */
  limit?: number | undefined;
  /** Without the items of the history. */
  excludeHistory?: boolean;
  lengthPenalty?: number;
  /** tau. */
  logitAdjustment?: number;
  /** Where a SID's probability is split among its items. */
  sharedSids?: 'split';
  /** Where it is not all tokens that a length counts. */
  lengthOf?: 'choices';
  /** What the assistant is, and its share. */
  assistant?: string;
  assistantWeight?: number;
  /** Which of the task's wordings, where it is not the first. */
  wording?: number;
  /** Of a joined folder: the data set that was ranked, or `all` as one. */
  part?: string;
  /** Of a joined folder: the data sets that were ranked each by itself. */
  apart?: readonly string[];
  /** One of several shares, such as `2/8`. */
  shard?: string | undefined;
  /** Of the large products. Default float32. */
  precision?: 'float32' | 'bfloat16';
  /** Seed of the control with histories of other rows, if it is one. */
  shuffleHistories?: number | undefined;
}

/**
 * The default file, beside the model of a run or a GGUF file, else inside the model's folder: nothing is written outside of what was
 * named.
 * @example resultsFile('runs/a/model', { split: 'test', template: 'sids', numBeams: 50, normalize: 'full' })
 * // 'runs/a/results-test-sids-50.jsonl'
 */
export function resultsFile(model: string, kind: EvaluationKind): string {
  const { split, template, numBeams, normalize, precision = 'float32', shuffleHistories: seed } = kind;
  const { limit = 0, excludeHistory = false, lengthPenalty = 0, lengthOf, wording = 1, shard, part } = kind;
  const { logitAdjustment = 0, sharedSids, assistant, assistantWeight } = kind;
  const parts = [
    ...[split, template, numBeams],
    ...(normalize === 'full' ? [] : [normalize]),
    ...(precision === 'float32' ? [] : [precision]),
    ...(excludeHistory ? ['without-history'] : []),
    ...(lengthPenalty === 0 ? [] : [`length-${lengthPenalty}`]),
    ...(logitAdjustment === 0 ? [] : [`adjusted-${logitAdjustment}`]),
    ...(sharedSids === undefined ? [] : ['split-sids']),
    ...(lengthOf === undefined ? [] : [lengthOf]),
    ...(assistant === undefined ? [] : [`assistant-${assistantWeight}-${assistant.slice(0, 8)}`]),
    ...promptTags(kind),
    ...(wording === 1 ? [] : [`wording-${wording}`]),
    ...(limit === 0 ? [] : [`first-${limit}`]),
    ...(seed === undefined ? [] : [`shuffled-${seed}`]),
    ...(part === undefined ? [] : [part]),
  ];
  const whole = `results-${parts.join('-')}.jsonl`;
  return join(
    isGguf(model) || isRun(dirname(model)) ? dirname(model) : model,
    shard === undefined ? whole : shardFile(whole, shard),
  );
}

/** Where a share's results go. @param shard such as `2/8` @example shardFile('a.jsonl', '2/8') // 'a-shard-2-of-8.jsonl' */
export function shardFile(results: string, shard: string): string {
  return results.replace(/(\.jsonl)?$/, `-shard-${shard.replace('/', '-of-')}.jsonl`);
}

function isRun(folder: string): boolean {
  const file = join(folder, 'config.json');
  return existsSync(file) && typeof readJson<{ stage?: unknown }>(file)?.stage === 'string';
}

/** What a file of results is of, whatever was asked: all that a metric computed from it depends on. */
export interface ProvenanceBase {
  /** SHA-256 by file name: rows, items, index, every file of the model. */
  inputs: Record<string, string>;
  model: string;
  rows: number;
  metrics: object;
  /** Of the metrics, where they have any. */
  intervals?: object;
  code: { hash: string; commit: string | null };
  version: string;
  /** When it was done, ISO 8601. */
  finished: string;
}

/** Provenance of an evaluation's results. */
export interface Provenance extends ProvenanceBase, EvaluationKind {
  metrics: { item: object; sid: object };
  /** 95 % bootstrap intervals of both, over users. */
  intervals: { item: object; sid: object };
}

/**
 * Writes `NAME.json` beside `NAME.jsonl`.
 * @param kind what was asked
 * @param evaluated hashes of the inputs, taken before they were read, and the model's folder
 * @returns the file
 */
export function writeProvenance(
  results: string,
  kind: object,
  { inputs, model }: Pick<ProvenanceBase, 'inputs' | 'model'>,
  { rows, metrics, intervals }: Pick<ProvenanceBase, 'rows' | 'metrics' | 'intervals'>,
): string {
  const file = results.replace(/(\.jsonl)?$/, '.json');
  const { hash, commit } = codeVersion();
  writeJson(file, {
    ...kind,
    inputs,
    model,
    rows,
    metrics,
    ...(intervals && { intervals }),
    code: { hash, commit },
    version: packageVersion(),
    finished: new Date().toISOString(),
  } satisfies ProvenanceBase);
  return file;
}
