/**
 * The stages of one pipeline, one method each; any of them can be replaced by a cell in a notebook. A stage whose
 * inputs and options have not changed is not run again.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { badCaseReport, type BadCaseReport } from '../badcase/bad-case-report.js';
import { type BaselineReport, baselineStage } from '../baselines/baseline-stage.js';
import type { BaselineName } from '../baselines/baselines.js';
import { type LoadedScorer, loadScorer } from '../baselines/sequence/scorer.js';
import { baselineModel, isArchitecture, withAssistant } from '../baselines/sequence/with-assistant.js';
import { convert, type ConvertReport } from '../data/convert.js';
import { filterOutputs, type FilterReport, filterStage } from '../data/filter/filter-stage.js';
import { type SampleReport, writeSample } from '../data/sample/sample.js';
import { embeddingsName, embedItems, type EmbedReport } from '../embed/embed-items.js';
import { modelStamp } from '../embed/sentence/transformers.js';
import { evaluateStage } from '../evaluate/evaluate-stage.js';
import type { EvaluateReport } from '../evaluate/evaluate.js';
import { modelFile } from '../lm/model.js';
import type { MetricLine } from '../runs/metric-lines.js';
import { modelFiles } from '../runs/inputs.js';
import { runStage, type Stage } from '../runs/stage.js';
import { type ChosenMethod, withMethod } from '../sid/default-method.js';
import { sidOutputs } from '../sid/files/saved-sids.js';
import { type SidReport, sidStage } from '../sid/sid-stage.js';
import { InputError } from '../support/errors.js';
import { grpo, type GrpoReport } from '../train/grpo/grpo.js';
import { rewardParts } from '../train/grpo/rewards/reward-list.js';
import { sft, type SftReport } from '../train/sft/sft.js';
import { checkConfig } from './check-config.js';
import type { PipelineConfig } from './config.js';

type Live = (lines: readonly MetricLine[]) => void;

/** The stages of a configuration one by one, for notebooks: each takes what the one before it wrote. */
export class PipelineStages {
  /** SID index. */
  readonly index: string;
  /** File of item vectors. */
  readonly embeddings: string;
  /** Folder of the runs. */
  readonly runs: string;
  /** Folder of the figures. */
  readonly figures: string;

  constructor(readonly config: PipelineConfig) {
    const { out, dataset, figures, run = 'main' } = config;
    checkConfig(config, 'pipeline');
    this.index = config.sft?.index ?? config.sid?.index ?? join(out, `${dataset}.index.json`);
    const own = config.sid?.embeddings ?? config.embed?.embeddings;
    this.embeddings = own ?? join(out, embeddingsName(dataset, config.embed?.encoder ?? 'lsa'));
    this.runs = join(out, 'runs', run);
    this.figures = figures ?? join(out, 'figures');
  }

  /** Whether the vectors are one's own, so that `embed` has nothing to do. */
  get ownEmbeddings(): boolean {
    return this.ownIndex || this.config.sid?.embeddings !== undefined;
  }

  /** Whether the index is one's own, so that `embed` and `sid` have nothing to do. */
  get ownIndex(): boolean {
    return this.config.sft?.index !== undefined;
  }

  /** Folder of the model that `sft` or `grpo` kept. */
  model(of: 'sft' | 'grpo'): string {
    return join(this.runs, of, 'model');
  }

  /** Results file of a model or a baseline. */
  results(of: string): string {
    return join(this.runs, of, 'results.jsonl');
  }

  /** Reviews and, where there is any, metadata: the configuration's, or the sample's. */
  get raw(): { reviews: string; meta?: string } {
    const { reviews, meta } = this.config.filter ?? {};
    if (reviews !== undefined) return { reviews, ...(meta !== undefined && { meta }) };
    if (!this.config.sample) throw new InputError('pipeline: expected --reviews, or a sample to be written');
    const folder = join(this.config.out, 'raw');
    return { reviews: join(folder, 'reviews.jsonl.gz'), meta: join(folder, 'meta.jsonl.gz') };
  }

  /** Writes the sample catalogue. */
  sample(): Promise<SampleReport> {
    const options = this.config.sample ?? {};
    const out = join(this.config.out, 'raw');
    return this.once('sample', options, [], Object.values(this.raw), () => writeSample({ ...options, out }));
  }

  /** Raw files -> items and rows. */
  filter(): Promise<FilterReport> {
    const { out, dataset, filter = {} } = this.config;
    const raw = this.raw;
    const outputs = filterOutputs(out, dataset);
    return this.once('filter', filter, Object.values(raw), outputs, () =>
      filterStage({ ...filter, ...raw, out, dataset }),
    );
  }

  /** Item texts -> vectors. */
  async embed(): Promise<EmbedReport> {
    const { out: data, dataset, embed = {} } = this.config;
    const { encoder = 'lsa' } = embed;
    if (this.ownEmbeddings) throw new InputError('embed: sid.embeddings or sft.index names your own; nothing to do');
    this.refuseForeign('embed', embed.embeddings, 'sid.embeddings');
    // another model in the same folder makes other vectors
    const options = encoder === 'lsa' ? embed : { ...embed, model: modelStamp(encoder) };
    return this.once('embed', options, [this.file('item.json')], [this.embeddings], () =>
      embedItems({ ...embed, embeddings: this.embeddings, data, dataset }),
    );
  }

  /** Options of `sid`, with the method that the data decide where the configuration leaves it to them. */
  get sidOptions(): { options: NonNullable<PipelineConfig['sid']>; chosen?: ChosenMethod } {
    const { sid = {} } = this.config;
    const { chosen, options } = withMethod(sid, this.embeddings);
    // stages that were run before there was a choice are those of residual k-means
    return chosen?.method === 'rqkmeans' ? { options: sid, chosen } : { options, ...(chosen && { chosen }) };
  }

  /** Vectors -> semantic IDs. */
  async sid(): Promise<SidReport> {
    const sid = this.sidOptions.options;
    const { method = 'rqkmeans', codebookSize, startIndex, collaborative } = sid;
    const { levels = typeof codebookSize === 'object' ? codebookSize.length : 3 } = sid;
    const one = startIndex !== undefined || method === 'one-code'; // the levels of the former are its index's
    const outputs = sidOutputs(this.index, method, one ? 1 : levels);
    if (this.ownIndex) throw new InputError('sid: sft.index names your own index; nothing to do');
    this.refuseForeign('sid', sid.index, 'sft.index');
    const own = [startIndex, collaborative].filter((file) => file !== undefined);
    const inputs = [this.embeddings, ...own];
    return this.once('sid', sid, inputs, outputs, () =>
      sidStage({ ...sid, embeddings: this.embeddings, index: this.index }),
    );
  }

  /** Rows and index -> MiniOneRec's files. */
  convert(): Promise<ConvertReport> {
    const { out, dataset } = this.config;
    const outputs = [
      join(out, 'info', `${dataset}.txt`),
      ...['train', 'valid', 'test'].map((split) => join(out, split, `${dataset}.csv`)),
    ];
    return this.once('convert', {}, [this.index, ...this.splits()], outputs, () =>
      convert({ data: out, dataset, index: this.index }),
    );
  }

  /** Supervised fine-tuning. */
  sft(onLog?: Live): Promise<SftReport> {
    const { out: data, dataset, sft: options = {}, again } = this.config;
    const run = join(this.runs, 'sft');
    const { coldTargets = 0, embeddings = this.embeddings } = options;
    const vectors = coldTargets > 0 && { embeddings };
    const own = { data, dataset, index: this.index, run, again, ...vectors, ...(onLog && { onLog }) };
    return sft({ ...options, ...own }, { whenStale: 'replace' });
  }

  /** Reinforcement learning from the fine-tuned model. */
  async grpo(onLog?: Live): Promise<GrpoReport> {
    const { out: data, dataset, grpo: options = {}, sft: start, again } = this.config;
    const template = options.template ?? start?.template;
    const own = { data, dataset, index: this.index, run: join(this.runs, 'grpo'), model: this.model('sft'), again };
    const scorer = this.trainsScorer ? await this.scorer() : undefined;
    try {
      return await grpo(
        {
          ...{ ...options, ...(template !== undefined && { template }), ...own, ...(onLog && { onLog }) },
          ...(scorer && { scorer }),
        },
        { whenStale: 'replace' },
      );
    } finally {
      scorer?.dispose();
    }
  }

  /** Whether a reward asks another recommender, and none is given: then a SASRec is trained for it. */
  get trainsScorer(): boolean {
    const { reward = 'ranking', scorer } = this.config.grpo ?? {};
    return scorer === undefined && (rewardParts(reward) ?? []).some(({ named }) => named?.needs === 'scorer');
  }

  private async scorer(): Promise<LoadedScorer> {
    const { training } = await this.baseline('sasrec');
    return loadScorer(training!.model);
  }

  /** Ranks the test rows by a run's model; an assistant that is named is trained first. */
  async evaluate(of: 'sft' | 'grpo'): Promise<EvaluateReport & { results: string }> {
    const { out: data, dataset, evaluate: options = {}, sft: start } = this.config;
    const model = this.model(of);
    const results = this.results(of);
    const inputs = [modelFile(model), ...modelFiles(model).map(([, path]) => path), this.index, ...this.splits()];
    const template = start?.template;
    const { assistant: named } = options;
    if (isArchitecture(named)) {
      await baselineStage({ baseline: named, data, dataset });
      inputs.push(modelFile(baselineModel(data, named)));
    }
    return this.once(`evaluate-${of}`, [options, template], [...new Set(inputs)], [results], () =>
      withAssistant(named, data, (assistant) =>
        evaluateStage({
          ...{ ...options, ...(assistant && { assistant }) },
          ...(template !== undefined && { template }),
          ...{ data, dataset, index: this.index, model, results },
        }),
      ),
    );
  }

  /** Ranks the test rows by a baseline. */
  baseline(name: BaselineName): Promise<BaselineReport> {
    const { out: data, dataset } = this.config;
    const results = this.results(name);
    return this.once(`baseline-${name}`, {}, this.splits(), [results], () =>
      baselineStage({ baseline: name, data, dataset, results }),
    );
  }

  /** Where a run's model fails. */
  badcase(of: 'sft' | 'grpo'): Promise<BadCaseReport> {
    const { out: data, dataset, badcase = {} } = this.config;
    const results = this.results(of);
    const report = join(this.figures, 'badcase_report.json');
    const embeddings = existsSync(this.embeddings) ? [this.embeddings] : []; // with an index of one's own there may be none
    const files = { index: this.index, model: this.model(of), ...(embeddings[0] && { embeddings: embeddings[0] }) };
    return this.once(`badcase-${of}`, badcase, [results, this.index, ...embeddings, ...this.splits()], [report], () =>
      badCaseReport({ ...badcase, ...files, data, dataset, results, out: this.figures }),
    );
  }

  /** A file that the configuration names to be written, but that no stage of this pipeline wrote, is somebody's work. */
  private refuseForeign(stage: string, file: string | undefined, own: string): void {
    if (file === undefined || !existsSync(file) || existsSync(join(this.config.out, '.stages', `${stage}.json`)))
      return;
    throw new InputError(`${stage}: ${file} is there and was not written by this pipeline; to use it, name it ${own}`);
  }

  private file(ending: string): string {
    return join(this.config.out, `${this.config.dataset}.${ending}`);
  }

  private splits(): string[] {
    return ['item.json', 'train.inter', 'valid.inter', 'test.inter'].map((ending) => this.file(ending));
  }

  private async once<T>(
    name: string,
    options: unknown,
    inputs: string[],
    outputs: string[],
    work: () => T | Promise<T>,
  ): Promise<T> {
    for (const input of inputs) {
      if (!existsSync(input)) throw new InputError(`${name}: ${input}: no such file; run the stage before it`);
    }
    const dir = name.startsWith('evaluate') || name.startsWith('ba') ? this.runs : this.config.out;
    const stage: Stage = { name, dir, inputs, options, outputs, again: this.config.again === true };
    return (await runStage(stage, work)).result;
  }
}
