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
import { answersFile, enrich, enrichEstimate, type EnrichEstimate, type EnrichReport } from '../data/enrich/enrich.js';
import type { EnrichOptions } from '../data/enrich/enrich-options.js';
import { filterOutputs, type FilterReport, filterStage } from '../data/filter/filter-stage.js';
import type { ImportConvertedReport } from '../data/import-converted.js';
import type { JoinReport } from '../data/join/join-datasets.js';
import { ALL_PARTS } from '../data/join/parts.js';
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
import { importStage, joinStage, sourceOf, type SourceName, type SourceStage } from './source.js';

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
    // published SIDs keep their file where a pipeline makes others
    const own = this.source === 'import' && !this.ownIndex ? `${dataset}.own.index.json` : `${dataset}.index.json`;
    this.index = config.sft?.index ?? config.sid?.index ?? join(out, own);
    const vectors = config.sid?.embeddings ?? config.embed?.embeddings;
    this.embeddings = vectors ?? join(out, embeddingsName(dataset, config.embed?.encoder ?? 'lsa'));
    this.runs = join(out, 'runs', run);
    this.figures = figures ?? join(out, 'figures');
  }

  /** Whether the vectors are one's own, so that `embed` has nothing to do. */
  get ownEmbeddings(): boolean {
    return this.ownIndex || this.config.sid?.embeddings !== undefined;
  }

  /** Whether the index is one's own or imported, so that `embed` and `sid` have nothing to do. */
  get ownIndex(): boolean {
    const { sft, sid, embed } = this.config;
    return sft?.index !== undefined || (this.source === 'import' && !sid && !embed);
  }

  /** The stage that the data come from. */
  get source(): SourceName {
    return sourceOf(this.config);
  }

  /** File of preferences, where `enrich` writes one. */
  get preferences(): string | undefined {
    const { enrich, sft } = this.config;
    return sft?.preferences ?? (enrich?.what === 'preferences' ? this.file('preferences.jsonl') : undefined);
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
    return this.fromSource('filter', {
      options: filter,
      inputs: Object.values(raw),
      outputs: filterOutputs(out, dataset),
      work: () => filterStage({ ...filter, ...raw, out, dataset }),
    });
  }

  /** Published files -> items, rows and index. */
  import(): Promise<ImportConvertedReport> {
    return this.fromSource('import', importStage(this.config));
  }

  /** Several data folders -> items and rows of all. */
  join(): Promise<JoinReport> {
    return this.fromSource('join', joinStage(this.config));
  }

  /** A chat model's texts; what is answered is in the file of answers, so that nothing is asked twice. */
  enrich(): Promise<EnrichReport> {
    return enrich(this.enrichOptions);
  }

  /** What it would ask, and what that would cost. */
  enrichEstimate(): Promise<EnrichEstimate> {
    return enrichEstimate(this.enrichOptions);
  }

  /** File of the chat model's answers. */
  get answers(): string {
    const { out, dataset, enrich: { answers, what = 'items' } = {} } = this.config;
    return answers ?? answersFile(out, dataset, what);
  }

  private get enrichOptions(): EnrichOptions {
    const { out: data, dataset, enrich: options } = this.config;
    if (!options) throw new InputError('pipeline: expected enrich in the configuration, with the name of a chat model');
    return { ...options, data, dataset };
  }

  /** `enrich` adds to the items that a source has written, which are no sign then that the source is out of date. */
  private async fromSource<T>(name: SourceName, { options, inputs, outputs, work }: SourceStage<T>): Promise<T> {
    const { enrich: added, again = false } = this.config;
    const items = this.file('item.json');
    const changed = added && (added.what ?? 'items') === 'items';
    const own = changed ? outputs.filter((path) => path !== items) : outputs;
    return this.once(name, options, inputs, own, work, again || !existsSync(items));
  }

  /** Item texts -> vectors. */
  async embed(): Promise<EmbedReport> {
    const { out: data, dataset, embed = {} } = this.config;
    const { encoder = 'lsa' } = embed;
    if (this.ownEmbeddings) {
      throw new InputError('embed: sid.embeddings, sft.index or import brings your own; nothing to do');
    }
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
    const { method = 'rqkmeans', codebookSize, startIndex } = sid;
    const { levels = typeof codebookSize === 'object' ? codebookSize.length : 3 } = sid;
    const one = startIndex !== undefined || method === 'one-code'; // the levels of the former are its index's
    const outputs = sidOutputs(this.index, method, one ? 1 : levels);
    if (this.ownIndex) throw new InputError('sid: sft.index or import brings your own index; nothing to do');
    this.refuseForeign('sid', sid.index, 'sft.index');
    const inputs = [this.embeddings, ...(startIndex === undefined ? [] : [startIndex])];
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
    const { preferences } = this;
    const texts = preferences !== undefined && { preferences };
    const own = { data, dataset, index: this.index, run, again, ...vectors, ...texts, ...(onLog && { onLog }) };
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
    // it scores the items of all data sets, where several are joined
    const { training } = await this.baseline('sasrec', ALL_PARTS);
    return loadScorer(training!.model);
  }

  /** Ranks the test rows by a run's model; an assistant that is named is trained first. */
  async evaluate(of: 'sft' | 'grpo'): Promise<EvaluateReport & { results: string }> {
    const { out: data, dataset, evaluate: options = {}, sft: start } = this.config;
    const model = this.model(of);
    const results = this.results(of);
    const inputs = [modelFile(model), ...modelFiles(model).map(([, path]) => path), this.index, ...this.splits()];
    const template = start?.template;
    const { preferences } = this;
    if (preferences !== undefined) inputs.push(preferences);
    const { assistant: named } = options;
    if (isArchitecture(named)) {
      await baselineStage({ ...this.baselineOptions(named), baseline: named, data, dataset });
      inputs.push(modelFile(baselineModel(data, named)));
    }
    return this.once(`evaluate-${of}`, [options, template], [...new Set(inputs)], [results], () =>
      withAssistant(named, data, (assistant) =>
        evaluateStage({
          ...{ ...options, ...(assistant && { assistant }) },
          ...(template !== undefined && { template }),
          ...(preferences !== undefined && { preferences }),
          ...{ data, dataset, index: this.index, model, results },
        }),
      ),
    );
  }

  private baselineOptions(name: BaselineName): PipelineConfig['sasrec'] & object {
    return name === 'sasrec' ? (this.config.sasrec ?? {}) : {};
  }

  /** Ranks the test rows by a baseline. @param part of a joined folder, as `baselineStage` takes it */
  baseline(name: BaselineName, part?: string): Promise<BaselineReport> {
    const { out: data, dataset, again } = this.config;
    const one = this.source === 'join' && part !== undefined ? { part } : {};
    const options = { ...this.baselineOptions(name), ...one };
    const called = Object.values({ name, ...one }).join('-');
    const results = this.results(called);
    const anew = again && isArchitecture(name) && { again };
    return this.once(`baseline-${called}`, options, this.splits(), [results], () =>
      baselineStage({ ...options, ...anew, baseline: name, data, dataset, results }),
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
    const endings = ['item.json', 'train.inter', 'valid.inter', 'test.inter'];
    return [...endings, ...(this.source === 'join' ? ['parts.json'] : [])].map((ending) => this.file(ending));
  }

  private async once<T>(
    name: string,
    options: unknown,
    inputs: string[],
    outputs: string[],
    work: () => T | Promise<T>,
    again = this.config.again === true,
  ): Promise<T> {
    for (const input of inputs) {
      if (!existsSync(input)) throw new InputError(`${name}: ${input}: no such file; run the stage before it`);
    }
    const dir = name.startsWith('evaluate') || name.startsWith('ba') ? this.runs : this.config.out;
    const stage: Stage = { name, dir, inputs, options, outputs, again };
    return (await runStage(stage, work)).result;
  }
}
