/**
 * GRPO as a task of the training loop: prompts are rolled out and rewarded, and each rollout is trained on for one update
 * or several.
 */
import { join } from 'node:path';
import type { Cluster } from '../../cluster/cluster.js';
import type { Row } from '../../data/dataset.js';
import { readJson, writeJson } from '../../files/files.js';
import type { LanguageModel } from '../../lm/language-model.js';
import { dropoutFrom } from '../../ops/dropout.js';
import { Random } from '../../support/random.js';
import { cutInto } from '../../tasks/examples.js';
import type { MicroBatch } from '../loop/gradients.js';
import type { BatchSizes, Objective, Task, TaskState } from '../loop/task.js';
import type { Validator } from '../loop/validate.js';
import type { AdvantageBaseline, AdvantageScope } from './loss/advantages.js';
import { klIntoRewards, withAdvantages } from './loss/group-advantages.js';
import type { Group } from './loss/group.js';
import { groupParts, sliceTokens } from './loss/group-parts.js';
import type { EqualGroups, KlPlace } from './grpo-words.js';
import { grpoLoss, type GrpoLossOptions, scoreGroups } from './loss/grpo-loss.js';
import { addSums, NO_TOKENS, type PolicyLossSettings } from './loss/policy-loss.js';
import { probeGroups, sizedGroup } from './rollout/probe-groups.js';
import type { Reference } from './reference.js';
import { allSums, fromPlain, ownGroups, type PlainGroup, shareLogProbs, toPlain } from './shared-groups.js';
import type { RlTask, TaskRow } from './rollout/rl-task.js';
import { hasEqualRewards, type RewardSources, type RolledGroup, rolledGroups, type RolledGroupOptions } from './rollout/rolled-groups.js'; // prettier-ignore
import { type LoggedGroup, loggedGroup } from './rollout/rollout-log.js';
import { policyMetrics, rolloutMetrics } from './rollout/rollout-metrics.js';
import { largest } from '../../support/extremes.js';

/** Options of the task, all of them decided. */
export interface GrpoTaskOptions extends PolicyLossSettings, Omit<RolledGroupOptions, 'withAnswers'> {
  /** Prompts an update. */
  batchSize: number;
  /** Updates on every rollout. */
  numIterations: number;
  klIn: KlPlace;
  /** Whose mean is subtracted from rewards, and whose deviation divides them. */
  advantages: AdvantageBaseline;
  scaleRewards: AdvantageScope;
  equalGroups: EqualGroups;
  /** Completions that ran out of tokens do not count. */
  maskTruncated: boolean;
  /** Weight of the loss of fine-tuning on the right answers. */
  sftWeight: number;
  /** Groups that are logged of every rollout. */
  logRollouts: number;
  layerCheckpointing: boolean;
  /** On embeddings and residual branches, in the pass that is learned from, in [0, 1). */
  dropout: number;
  seed: number;
}

/** What the task works with. */
export interface GrpoTaskParts {
  /** Trained in place. */
  model: LanguageModel;
  /** Absent where there is no KL. */
  reference?: Reference;
  tasks: readonly RlTask[];
  /** Rows of an epoch, in their order. */
  rows: (epoch: number) => TaskRow[];
  sources: RewardSources;
  validate: Validator;
  /** Receives the groups that are logged. */
  onRollout?: (groups: readonly LoggedGroup[]) => void;
}

/** Some rows, and how often their rollout was trained on before. */
export interface GrpoBatch {
  rows: readonly TaskRow[];
  /** From 0. */
  iteration: number;
}

/** Rounds of drawing other prompts in the place of groups with equal rewards. */
const REDRAWS = 3;

/** The task: its objective waits for rewards. */
export function grpoTask(parts: GrpoTaskParts, options: GrpoTaskOptions): GrpoTask {
  return new GrpoTask(parts, options);
}

/** GRPO for the loop. */
export class GrpoTask implements Task<GrpoBatch> {
  readonly name = 'grpo';
  readonly state: TaskState;
  /** The groups that further updates are made on. */
  private kept: Group[] = [];
  private readonly maxTokens: number;

  constructor(
    private readonly parts: GrpoTaskParts,
    private readonly options: GrpoTaskOptions,
  ) {
    this.maxTokens = largest(parts.tasks.map((task) => task.maxTokens));
    this.state = {
      save: (folder) => this.save(folder),
      restore: (folder) => this.restore(folder),
      share: (cluster) => this.share(cluster),
    };
  }

  batches(epoch: number): GrpoBatch[] {
    const { batchSize, numIterations } = this.options;
    return cutInto(this.parts.rows(epoch), batchSize).flatMap((rows) =>
      Array.from({ length: numIterations }, (_, iteration) => ({ rows, iteration })),
    );
  }

  async objective({ rows, iteration }: GrpoBatch, random: Random, step: number, cluster?: Cluster): Promise<Objective> {
    if (iteration > 0) return this.policyObjective(this.kept, {}, random, cluster);
    const start = performance.now();
    const seed = String(random.next());
    const { model, sources } = this.parts;
    let ofRewards = 0;
    const rolling = {
      ...{ ...this.options, withAnswers: this.options.sftWeight > 0 },
      onRewards: (seconds: number) => (ofRewards += seconds),
    };
    const rolled = await rolledGroups(model, this.parts.tasks, rows, sources, rolling, seed, cluster);
    const metrics = rolloutMetrics(rolled);
    const trained = await this.settleEqual(rolled, random, (others, round) =>
      rolledGroups(model, this.parts.tasks, others, sources, rolling, `${seed}/${round}`, cluster),
    );
    metrics['seconds rollout'] = (performance.now() - start) / 1000 - ofRewards;
    metrics['seconds rewards'] = ofRewards;
    this.scoreOld(trained.groups, cluster);
    Object.assign(metrics, this.klRewards(trained.groups, cluster), trained.metrics);
    const { advantages: baseline, scaleRewards: scale } = this.options;
    const groups = withAdvantages(trained.groups, { baseline, scale }, this.options);
    this.kept = groups;
    if (!cluster || cluster.isFirst) this.log(step, trained.groups, groups);
    // log p without a mask served advantages and rewards; a ratio of the masked pass to it would not be of two policies
    const learned = this.options.dropout > 0 ? groups.map(({ old: _, ...group }) => group) : groups;
    return this.policyObjective(learned, metrics, random, cluster);
  }

  /** The loss of the groups, in parts that are made one at a time. */
  private policyObjective(
    groups: readonly Group[],
    before: Record<string, number>,
    random: Random,
    cluster?: Cluster,
  ): Objective {
    const { model, reference } = this.parts;
    const { delta, layerCheckpointing, dropout } = this.options;
    const masks = cluster ? new Random(`${random.next()}/${cluster.rank}`) : random; // each process has its own
    const forward = { layerCheckpointing, dropout: dropoutFrom(masks, dropout) };
    let sums = NO_TOKENS;
    let [ofReference, ofPolicy] = [0, 0];
    const options: GrpoLossOptions = {
      ...{ ...this.options, beta: this.lossBeta, maxTokens: this.maxTokens, forward },
      ...(reference && { reference: reference.model }),
      own: (computed) => ownGroups(cluster, computed),
      onSums: (own) => (sums = addSums(sums, own)),
      onReference: (seconds) => (ofReference += seconds),
    };
    function* timed(): Generator<MicroBatch> {
      const start = performance.now();
      yield* grpoLoss(model, groups, options);
      ofPolicy = (performance.now() - start) / 1000 - ofReference;
    }
    const metrics = (): Record<string, number> => {
      if (cluster && this.options.numIterations > 1) shareLogProbs(cluster, groups);
      return {
        ...policyMetrics(allSums(cluster, sums), this.lossBeta !== 0, delta),
        ...before,
        ...(this.lossBeta !== 0 && { 'seconds reference': ofReference }),
        'seconds policy': ofPolicy,
      };
    };
    return { microBatches: timed(), metrics };
  }

  /** Weight of the KL in the loss. */
  private get lossBeta(): number {
    return this.options.klIn === 'loss' ? this.options.beta : 0;
  }

  /** log p at the rollout, where rewards or advantages need it before the loss does. */
  private scoreOld(groups: readonly RolledGroup[], cluster?: Cluster): void {
    const { klIn, beta, advantages, tokenBudget } = this.options;
    if (advantages !== 'policy' && (klIn !== 'reward' || beta === 0)) return;
    const scored = groups as readonly (RolledGroup & Group)[];
    scoreGroups(this.parts.model, ownGroups(cluster, scored), 'old', tokenBudget);
    if (cluster) shareLogProbs(cluster, scored);
  }

  /** The KL as a part of the rewards, where it is to be one. */
  private klRewards(groups: readonly RolledGroup[], cluster?: Cluster): Record<string, number> {
    const { klIn, beta, kl, tokenBudget } = this.options;
    const { reference } = this.parts;
    if (klIn !== 'reward' || beta === 0) return {};
    const start = performance.now();
    const scored = groups as readonly (RolledGroup & Group)[];
    scoreGroups(reference!.model, ownGroups(cluster, scored), 'reference', tokenBudget);
    if (cluster) shareLogProbs(cluster, scored);
    const mean = klIntoRewards(groups, beta, kl);
    return { kl: mean, 'seconds reference': (performance.now() - start) / 1000 };
  }

  /** What becomes of groups whose rewards are equal. */
  private async settleEqual(
    groups: RolledGroup[],
    random: Random,
    roll: (rows: TaskRow[], round: number) => Promise<RolledGroup[]>,
  ): Promise<{ groups: RolledGroup[]; metrics: Record<string, number> }> {
    const { equalGroups } = this.options;
    if (equalGroups === 'keep') return { groups, metrics: {} };
    const kept = groups.filter((group) => !hasEqualRewards(group));
    let pool: TaskRow[] | undefined; // of all training rows: made where a group must be drawn anew
    let redrawn = 0;
    for (let round = 0; round < REDRAWS && equalGroups === 'redraw' && kept.length < groups.length; round++) {
      const count = groups.length - kept.length;
      pool ??= this.rowsBeside(groups, [], random);
      if (pool.length < count) pool.push(...this.rowsBeside(kept, pool, random)); // all were tried: those that were equal, again
      const rows = pool.splice(0, count);
      redrawn += rows.length;
      kept.push(...(await roll(rows, round)).filter((group) => !hasEqualRewards(group)));
    }
    return {
      groups: kept,
      metrics: { 'groups trained': kept.length, ...(equalGroups === 'redraw' && { 'groups redrawn': redrawn }) },
    };
  }

  /** Rows that no such group is of, and that are not among the waiting, in a random order. */
  private rowsBeside(groups: readonly RolledGroup[], waiting: readonly TaskRow[], random: Random): TaskRow[] {
    const { tasks, rows } = this.parts;
    const keyOf = ({ task, row }: TaskRow): string => rowKey(tasks[task]!.name, row);
    const taken = new Set([...groups.map(({ task, row }) => rowKey(task, row)), ...waiting.map(keyOf)]);
    return random.shuffle(rows(0).filter((row) => !taken.has(keyOf(row))));
  }

  private log(step: number, rolled: readonly RolledGroup[], groups: readonly Group[]): void {
    const { onRollout, sources } = this.parts;
    const count = this.options.logRollouts;
    if (!onRollout || count === 0) return;
    const titles = sources.texts ?? [];
    onRollout(rolled.slice(0, count).map((of, g) => loggedGroup(step, of, groups[g]!, sources.tokenizer, titles)));
  }

  updated(step: number): void {
    this.parts.reference?.updated?.(step);
  }

  validate(cluster?: Cluster): Promise<Record<string, number>> {
    return this.parts.validate(cluster);
  }

  validRows(): Validator['rows'] {
    return this.parts.validate.rows;
  }

  /** Groups of their full size; those that share texts are smaller. */
  batchSizes({ rows, iteration }: GrpoBatch): BatchSizes<GrpoBatch> {
    const groups = rows.map((row) => sizedGroup(this.parts.tasks, row, this.options));
    const tokens = groupParts(groups, this.options.tokenBudget).map((slices) =>
      slices.reduce((sum, slice) => sum + sliceTokens(slice), 0),
    );
    return { tokens, examples: rows.length, first: (count) => ({ rows: rows.slice(0, count), iteration }) };
  }

  /** Beams with made-up advantages: the search, the reference and the gradient cost what they will. */
  probe({ rows }: GrpoBatch, random: Random): Iterable<MicroBatch> {
    const { model, tasks } = this.parts;
    return this.policyObjective(probeGroups(model, tasks, rows, this.options), {}, random).microBatches;
  }

  private save(folder: string): void {
    this.parts.reference?.state?.save(folder);
    if (this.options.numIterations === 1) return;
    writeJson(join(folder, FILE), toPlain(this.kept, this.parts.tasks));
  }

  private restore(folder: string): void {
    this.parts.reference?.state?.restore(folder);
    if (this.options.numIterations === 1) return;
    this.kept = fromPlain(readJson<PlainGroup<Group>[]>(join(folder, FILE)), this.parts.tasks);
  }

  private async share(cluster: Cluster): Promise<void> {
    await this.parts.reference?.state?.share?.(cluster);
    const kept = await cluster.first(() => toPlain(this.kept, this.parts.tasks));
    if (!cluster.isFirst) this.kept = fromPlain(kept, this.parts.tasks);
  }
}

const FILE = 'rollout.json';

/** Equal for one row of one task. */
function rowKey(task: string, { user, history, target }: Row): string {
  return JSON.stringify([task, user, history, target]);
}
