/**
 * What a pipeline asks before it begins something costly, where somebody is there to answer. Nothing is asked about
 * what is there already, so that a pipeline that goes on asks only about what is left.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readJson, writeJson } from '../files/files.js';
import { SID_METHODS } from '../sid/methods.js';
import { InputError } from '../support/errors.js';
import type { PipelineConfig } from './config.js';

/** A question and what its answers mean. */
export interface Question<T> {
  /** The stage that it is about. */
  stage: string;
  /** The question, with the answers that there are. */
  text: string;
  /** An empty answer. */
  otherwise: T;
  /** @returns undefined where the answer is not understood: it is asked again */
  read(answer: string): T | undefined;
}

/** Asks, and waits for an answer that is understood. */
export type Ask = <T>(question: Question<T>) => Promise<T>;

/** Answers that decide what a stage makes; they are kept, so that the same command goes on with them. */
interface Kept {
  /** SID method. */
  method?: string;
  /** Prompts of GRPO. */
  sampleSize?: number;
}

/** Yes or no; an empty answer is yes. */
export function yesNo(stage: string, text: string): Question<boolean> {
  return {
    ...{ stage, text: `${text} [Y/n]`, otherwise: true },
    read: (answer) => ({ y: true, yes: true, n: false, no: false })[answer.toLowerCase()],
  };
}

/** A method by its name or number. @param usual the one of an empty answer */
export function methodQuestion(usual: string): Question<string> {
  const list = SID_METHODS.map((name, i) => `${i + 1} ${name}`).join(', ');
  return {
    ...{ stage: 'sid', text: `method of the semantic IDs: ${list} [${usual}]`, otherwise: usual },
    read: (answer) => SID_METHODS[Number(answer) - 1] ?? SID_METHODS.find((name) => name === answer),
  };
}

/** Yes, no, or a number of prompts. */
export function grpoQuestion(): Question<boolean | number> {
  const { stage, read, text, otherwise } = yesNo('grpo', 'reinforcement learning (a number: only so many prompts)?');
  const isCount = (answer: string): boolean => /^\d+$/.test(answer) && Number(answer) > 0;
  return { stage, text, otherwise, read: (answer) => (isCount(answer) ? Number(answer) : read(answer)) };
}

/** Asks the questions of one pipeline; without an `ask` the answers are those of the configuration. */
export class Questions {
  private readonly file: string;
  private readonly kept: Kept;

  constructor(
    out: string,
    private readonly ask?: Ask,
    private readonly again = false,
  ) {
    this.file = join(out, '.stages', 'answers.json');
    this.kept = existsSync(this.file) && !again ? readJson<Kept>(this.file) : {};
  }

  /** The configuration with the answers of earlier. */
  apply(config: PipelineConfig): PipelineConfig {
    const { method, sampleSize } = this.kept;
    return {
      ...config,
      ...(method !== undefined &&
        this.asksMethod(config) && { sid: { ...config.sid, method } as PipelineConfig['sid'] }),
      ...(sampleSize !== undefined && config.grpo && { grpo: { sampleSize, ...config.grpo } }),
    };
  }

  /**
   * Asks which method makes the SIDs, unless the configuration says so or they are there.
   * @param index where they will be @param usual the method that the data decide on
   */
  async method(config: PipelineConfig, index: string, usual: string): Promise<PipelineConfig> {
    if (!this.ask || !this.asksMethod(config) || this.there(index)) return config;
    const method = await this.ask(methodQuestion(usual));
    this.keep({ method });
    return this.apply(config);
  }

  /** @param card what is there where it is done @throws InputError where the answer is no */
  async mayRun(stage: string, text: string, card: string): Promise<void> {
    if (!this.ask || this.there(card) || (await this.ask(yesNo(stage, text)))) return;
    throw new InputError(`pipeline: stopped before ${stage}; the same command goes on from there`);
  }

  /** @returns the configuration, without GRPO where the answer is no */
  async grpo(config: PipelineConfig, card: string): Promise<PipelineConfig> {
    if (!this.ask || !config.grpo || this.there(card)) return config;
    const answer = await this.ask(grpoQuestion());
    if (typeof answer === 'number') this.keep({ sampleSize: answer });
    const { grpo, ...without } = config;
    if (answer === false) return without;
    return typeof answer === 'number' ? { ...config, grpo: { ...grpo, sampleSize: answer } } : config;
  }

  /** @param file what is there where it has begun */
  async anotherRound(round: number, strategies: readonly string[], file: string): Promise<boolean> {
    if (!this.ask || this.there(file)) return true;
    return this.ask(yesNo(`round ${round}`, `train again with ${strategies.join(', ')}?`));
  }

  private asksMethod({ sid = {}, sft }: PipelineConfig): boolean {
    const { seed: _seed, levels: _levels, codebookSize: _size, embeddings: _own, ...rest } = sid;
    return sft?.index === undefined && Object.keys(rest).length === 0;
  }

  private there(file: string): boolean {
    return !this.again && existsSync(file);
  }

  private keep(answers: Kept): void {
    writeJson(this.file, Object.assign(this.kept, answers));
  }
}
