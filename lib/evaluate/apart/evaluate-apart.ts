/**
 * The data sets of a joined folder one by one by one model: each row is ranked among the items of its own data set, whose
 * results have the ids that it had alone, so that they compare with those of a model of that data set. All of them
 * together, with the joined folder's ids, are what a file of results of that folder holds.
 */
import { first, together } from '../../cluster/alone.js';
import { joinCluster } from '../../cluster/cluster.js';
import { indexOf, loadDataset } from '../../data/load.js';
import { partView } from '../../data/join/parts.js';
import { readIndex } from '../../data/sid-index.js';
import { readJson } from '../../files/files.js';
import { hashInputs } from '../../runs/inputs.js';
import { InputError } from '../../support/errors.js';
import { findTemplate, readTemplates } from '../../tasks/templates.js';
import type { EvaluateStageOptions } from '../evaluate-options.js';
import { type EvaluateReport, reportOf } from '../evaluate.js';
import { readResults, writeResults } from '../results-file.js';
import { type EvaluationKind, type Provenance, resultsFile, writeProvenance } from '../results-place.js';
import { hasPartScorers, type PartScorers, type Scorer, scorerIdentity } from '../scorer.js';
import { trainedWith } from '../trained-with.js';
import { joinedResults, partFile } from './joined-results.js';

/** What an evaluation of one data set says, at least. */
export interface PartReport extends EvaluateReport {
  /** File. */
  results: string;
  /** Prompts that were longer than the limit. */
  truncated: number;
}

/** Whether a joined folder's data sets are ranked apart: rows are, where nobody names a part; items are asked of all. */
export function ranksApart({ model, template, templates }: EvaluateStageOptions): boolean {
  const run = trainedWith(model);
  const all = templates === undefined ? run.templates : readTemplates(templates);
  return findTemplate(template ?? run.template ?? 'sids', all).of === 'rows';
}

/**
 * @param evaluate ranks one part, `options.part`
 * @returns the report over all rows, with those of the data sets in `parts`
 * @throws InputError for options that mean nothing for several data sets, and as `evaluate` does
 */
export async function evaluateApart<R extends PartReport>(
  options: EvaluateStageOptions,
  evaluate: (options: EvaluateStageOptions) => Promise<R>,
): Promise<R & { parts: Record<string, R> }> {
  const cluster = await joinCluster();
  const { data, dataset: name, model, results, limit = 0, split = 'test', preferences } = options;
  const { shard, assistant } = options;
  if (shard !== undefined) throw severalSets('shard', data);
  if (assistant !== undefined && !hasPartScorers(assistant)) throw severalSets('assistant', data);
  const joined = await together(cluster, () => loadDataset(data, name));
  if (joined[split].length === 0) {
    throw new InputError(
      `evaluate: expected rows in ${split}, got none in any data set of ${data}; take another split, or filter again`,
    );
  }
  const start = performance.now();
  const reports: Record<string, R> = {};
  let left = limit > 0 ? limit : Infinity;
  for (const { name: part, rows } of joined.parts!) {
    const some = Math.min(left, rows[split]);
    left -= some;
    if (some === 0) continue;
    const own = results === undefined ? {} : { results: partFile(results, part) };
    const { limit: _limit, assistant: _assistant, ...others } = options;
    const helper = assistant && { assistant: scorerFor(assistant, part) };
    reports[part] = await evaluate({ ...others, ...own, ...helper, part, ...(some < rows[split] && { limit: some }) });
  }
  return first(cluster, async () => {
    const names = Object.keys(reports);
    const [head] = Object.values(reports) as [R];
    const found = names.map(async (part) => ({
      name: part,
      firstItem: partView(joined, part).firstItem,
      results: await readResults(reports[part]!.results),
    }));
    const ranked = joinedResults(await Promise.all(found));
    const indexFile = options.index ?? indexOf(joined);
    const index = readIndex(indexFile, joined.items.length);
    const measured = reportOf(ranked, index, head.beams, (performance.now() - start) / 1000);
    const kind = { ...kindOf(head.results, names, limit), ...(assistant && { assistant: scorerIdentity(assistant) }) };
    const file = results ?? resultsFile(model, kind);
    writeResults(file, ranked);
    const { item, sid, intervals } = measured;
    const hashes = hashInputs({ dataset: joined, index: indexFile, model, ...(preferences !== undefined && { preferences }) }); // prettier-ignore
    const metrics = { item, sid };
    writeProvenance(file, kind, { inputs: hashes, model }, { rows: ranked.length, metrics, intervals }); // prettier-ignore
    const truncated = Object.values(reports).reduce((sum, report) => sum + report.truncated, 0);
    return { ...head, ...measured, truncated, results: file, parts: reports };
  });
}

function severalSets(flag: string, data: string): InputError {
  return new InputError(`--${flag}: ${data} joins several data sets; name one with --part beside it`);
}

function scorerFor({ parts }: PartScorers, part: string): Scorer {
  if (Object.hasOwn(parts, part)) return parts[part]!;
  throw new InputError(`assistant: expected one of each data set, got none of ${part}; there are ${Object.keys(parts).join(', ')}`); // prettier-ignore
}

/** What the first part's file says of the search, of all of them. */
function kindOf(results: string, parts: readonly string[], limit: number): EvaluationKind {
  const beside = readJson<Provenance>(results.replace(/(\.jsonl)?$/, '.json'));
  const { part: _part, limit: _limit, inputs: _inputs, model: _model, rows: _rows, metrics: _metrics, intervals: _intervals, code: _code, version: _version, finished: _finished, ...search } = beside; // prettier-ignore
  return { ...search, ...(limit > 0 && { limit }), apart: parts };
}
