/**
 * TIGER's beam search under the items' trie: every beam ends as an item, no item comes twice; equal scores go to the
 * smaller item, items that share a SID follow one another.
 *
 * Log-probabilities are normalised over the whole vocabulary. The decoder is run anew at each step, over all beams of a
 * history at once, which attend to the history's keys as one sequence: answers are a few tokens long.
 *
 * Shapes: M tokens of histories, V vocabulary.
 */
import * as tf from '@tensorflow/tfjs';
import { BestCandidates } from '../../decode/best-candidates.js';
import { buildTrie, type ItemTrie } from '../../decode/item-trie.js';
import { closedNodes } from '../../decode/trie-paths.js';
import { sequencesOf } from '../../ops/sequence/padded-rows.js';
import { tableLogits } from '../../ops/split-table.js';
import { valuesOf } from '../../support/values-of.js';
import { type TigerNetwork, TigerPass } from './tiger-model.js';
import { flatTokens, type TigerTokens } from './tiger-tokens.js';

/** A model that can be searched. */
export interface TigerModel extends TigerNetwork {
  tokens: TigerTokens;
}

interface Beam {
  node: number;
  score: number;
  /** Token 0 first. */
  tokens: number[];
}

/** The trie of a model's items. */
export function tigerTrie({ sids }: TigerTokens): ItemTrie {
  return buildTrie(sids);
}

/**
 * The best items after each history.
 * @param histories item ids, each of one or more @param most items of a list, and beams of a step
 * @param exclude of each history items that it is not given; no beam ends in them alone. Default none
 */
export function tigerSearch(
  model: TigerModel,
  trie: ItemTrie,
  histories: readonly (readonly number[])[],
  most: number,
  exclude?: readonly ReadonlySet<number>[],
): { items: number[]; scores: number[] }[] {
  const { tokens, precision } = model;
  const closed = exclude?.map((items) => {
    const nodes = closedNodes(trie, items);
    return nodes.has(0) ? undefined : nodes; // who has everything is searched for all the same, and given nothing
  });
  const pass = new TigerPass(model);
  const best = new BestCandidates(Math.min(most, trie.leaves));
  return tf.tidy(() => {
    const read = flatTokens(histories.map((history) => history.flatMap((item) => tokens.sids[item]!)));
    const encoded = pass.encode(read.ids, read.sequences);
    let beams = histories.map((): Beam[] => [{ node: 0, score: 0, tokens: [0] }]);
    while (beams.some((of) => of.some(({ node }) => !isLeaf(trie, node)))) {
      const logProbs = valuesOf(() => {
        const written = flatTokens(beams.flat().map((beam) => beam.tokens));
        const groups = sequencesOf(beams.map((of) => of.reduce((sum, beam) => sum + beam.tokens.length, 0)));
        const hidden = pass.decode(written.ids, written.sequences, groups, encoded, read.sequences);
        const starts = written.sequences.starts;
        const ends = tf.sub<tf.Tensor1D>(tf.slice(starts, 1), tf.scalar(1, 'int32')); // the last token of each beam
        return tf.logSoftmax(tableLogits(tf.gather(hidden, ends), pass.table(), precision));
      });
      let row = 0;
      beams = beams.map((of, u) => {
        const first = row;
        row += of.length;
        const logProb = (beam: number, token: number): number => logProbs[(first + beam) * tokens.vocabSize + token]!;
        return expand(trie, of, best, { logProb, closed: closed?.[u] });
      });
    }
    return beams.map((of, u) => listOf(trie, of, most, exclude?.[u]));
  });
}

function isLeaf({ childStart }: ItemTrie, node: number): boolean {
  return childStart[node] === childStart[node + 1];
}

/** The best continuations; a beam that is complete stays as it is. */
function expand(
  trie: ItemTrie,
  beams: readonly Beam[],
  best: BestCandidates,
  { logProb, closed }: { logProb: (beam: number, token: number) => number; closed: ReadonlySet<number> | undefined },
): Beam[] {
  const { childStart, childToken, firstItem } = trie;
  beams.forEach(({ node, score }, beam) => {
    if (isLeaf(trie, node)) best.offer(score, firstItem[node]!, node, beam);
    for (let edge = childStart[node]!; edge < childStart[node + 1]!; edge++) {
      if (closed?.has(edge + 1)) continue;
      best.offer(score + logProb(beam, childToken[edge]!), firstItem[edge + 1]!, edge + 1, beam);
    }
  });
  const { score, node, beam } = best.take();
  return Array.from(node, (to, i) => {
    const from = beams[beam[i]!]!;
    const tokens = to === from.node ? from.tokens : [...from.tokens, childToken[to - 1]!];
    return { node: to, score: score[i]!, tokens };
  });
}

function listOf(
  { itemStart, items }: ItemTrie,
  beams: readonly Beam[],
  most: number,
  exclude?: ReadonlySet<number>,
): { items: number[]; scores: number[] } {
  const list = beams.flatMap(({ node, score }) =>
    [...items.subarray(itemStart[node], itemStart[node + 1])].map((item) => ({ item, score })),
  );
  const kept = list.filter(({ item }) => !exclude?.has(item)).slice(0, most);
  return { items: kept.map(({ item }) => item), scores: kept.map(({ score }) => score) };
}
