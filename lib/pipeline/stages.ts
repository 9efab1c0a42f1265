/**
 * The stages of one pipeline, one method each; any of them can be replaced by a cell in a notebook. A stage whose
 * inputs and options have not changed is not run again.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { badCaseReport, type BadCaseReport } from '../badcase/bad-case-report.js';
import { type BaselineReport, baselineStage } from '../baselines/baseline-stage.js';
import { type BaselineName, baselineOf } from '../baselines/baselines.js';
import { type LoadedScorer, loadScorer } from '../baselines/sequence/scorer.js';
import {
  type AssistantPlace,
  assistantModels,
  isArchitecture,
  withAssistant,
} from '../baselines/sequence/with-assistant.js';
import { convert, type ConvertReport } from '../data/convert.js';
import { ALL_PARTS } from '../data/join/parts.js';
import { embedItems, type EmbedReport } from '../embed/embed-items.js';
import { modelStamp } from '../embed/sentence/transformers.js';
import { evaluateStage } from '../evaluate/evaluate-stage.js';
import type { EvaluateReport } from '../evaluate/evaluate.js';
import { modelFile } from '../lm/model.js';
import type { MetricLine } from '../runs/metric-lines.js';
import { modelFiles } from '../runs/inputs.js';
import { setAside } from '../runs/run-folder.js';
import { type ChosenMethod, withMethod } from '../sid/default-method.js';
import { sidOutputs } from '../sid/files/saved-sids.js';
import { type SidReport, sidStage } from '../sid/sid-stage.js';
import { InputError } from '../support/errors.js';
import { grpo, type GrpoReport } from '../train/grpo/grpo.js';
import { sft, type SftReport } from '../train/sft/sft.js';
import type { PipelineConfig } from './config.js';
import { rewardNeeds } from './reward-needs.js';
import { SourceStages } from './source-stages.js';

type Live = (lines: readonly MetricLine[]) => void;

/** The stages of a configuration one by one, for notebooks: each takes what the one before it wrote. */
export class PipelineStages extends SourceStages {
  /** Item texts -> vectors. */
  async embed(): Promise<EmbedReport> {
    const { out: data, dataset, embed = {} } = this.config;
    const { encoder = 'lsa', sidsOf } = embed;
    if (this.ownEmbeddings) {
      throw new InputError('embed: sid.embeddings, sft.index or import brings your own; nothing to do');
    }
    this.refuseForeign('embed', embed.embeddings, 'sid.embeddings');
    // another model in the same folder makes other vectors
    const options = encoder === 'lsa' ? embed : { ...embed, model: modelStamp(encoder) };
    const inputs = [this.file('item.json'), ...(sidsOf === undefined ? [] : [sidsOf])];
    return this.once('embed', options, inputs, [this.embeddings], () =>
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
    if (this.ownIndex) throw new InputError('sid: sft.index or import brings your own index; nothing to do');
    this.refuseForeign('sid', sid.index, 'sft.index');
    const own = [startIndex, collaborative].filter((file) => file !== undefined);
    const inputs = [this.embeddings, ...own];
    return this.once('sid', sid, inputs, outputs, () => {
      const { run } = sid;
      if (this.config.again && run !== undefined && existsSync(join(run, 'config.json'))) setAside(run, '--again');
      return sidStage({ ...sid, embeddings: this.embeddings, index: this.index });
    });
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
    const vectors = options.embeddings === undefined && this.readsVectors && { embeddings: this.embeddings };
    const scorer = this.trainsScorer ? await this.scorer() : undefined;
    try {
      return await grpo(
        {
          ...{ ...options, ...(template !== undefined && { template }), ...vectors, ...own, ...(onLog && { onLog }) },
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
    return this.config.grpo?.scorer === undefined && rewardNeeds(this.config, 'scorer');
  }

  /** Whether a reward reads item vectors: those of the pipeline, where none are named. */
  private get readsVectors(): boolean {
    return rewardNeeds(this.config, 'vectors');
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
    const place: AssistantPlace = { data, dataset };
    if (isArchitecture(named)) {
      const run = this.baselineRun(named);
      const trained = { ...this.baselineOptions(named), ...run, baseline: named, data, dataset };
      await baselineStage(trained, { whenStale: 'replace' });
      if (run) place.runs = dirname(run.run);
      inputs.push(...[...assistantModels(named, place).values()].map(modelFile));
    }
    return this.once(`evaluate-${of}`, [options, template], [...new Set(inputs)], [results], () =>
      withAssistant(named, place, (assistant) =>
        evaluateStage({
          ...{ ...options, ...(assistant && { assistant }) },
          ...(template !== undefined && { template }),
          ...(preferences !== undefined && { preferences }),
          ...{ data, dataset, index: this.index, model, results },
        }),
      ),
    );
  }

  /** SASRec's are the configuration's; the others take its seed, which is one for all that are trained. */
  private baselineOptions(name: BaselineName): NonNullable<PipelineConfig['sasrec']> {
    const { sasrec = {} } = this.config;
    if (name === 'sasrec') return sasrec;
    const trained = Object.hasOwn(baselineOf(name).options ?? {}, 'seed');
    return trained && sasrec.seed !== undefined ? { seed: sasrec.seed } : {};
  }

  /** What a baseline is ranked with: as it was trained, and without the history where the models beside it are. */
  rankingOptions(name: BaselineName): NonNullable<PipelineConfig['sasrec']> & { excludeHistory?: true } {
    const { excludeHistory = false } = this.config.evaluate ?? {};
    return { ...this.baselineOptions(name), ...(excludeHistory && { excludeHistory }) };
  }

  /** Where a baseline is trained: of the runs with a name of their own beside them, since their options may be others. */
  private baselineRun(called: string): { run: string } | undefined {
    const { run = 'main' } = this.config;
    return run === 'main' ? undefined : { run: join(this.runs, `baseline-${called}`) };
  }

  /** Ranks the test rows by a baseline. @param part of a joined folder, as `baselineStage` takes it */
  baseline(name: BaselineName, part?: string): Promise<BaselineReport> {
    const { out: data, dataset, again } = this.config;
    const one = this.source === 'join' && part !== undefined ? { part } : {};
    const options = { ...this.rankingOptions(name), ...one };
    const called = Object.values({ name, ...one }).join('-');
    const results = this.results(called);
    const known = baselineOf(name).options ?? {};
    const anew = again && 'again' in known && { again };
    const own = 'index' in known && { index: this.index };
    const folder = 'run' in known && this.baselineRun(called);
    const inputs = [...this.splits(), ...(own ? [this.index] : [])];
    return this.once(`baseline-${called}`, options, inputs, [results], () =>
      baselineStage(
        { ...options, ...anew, ...own, ...folder, baseline: name, data, dataset, results },
        { whenStale: 'replace' },
      ),
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
}
