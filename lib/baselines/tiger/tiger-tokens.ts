/** Histories and answers of TIGER as tokens, flat. Token 0 begins an answer; the SIDs' tokens follow in order of items. */
import * as tf from '@tensorflow/tfjs';
import type { SidIndex } from '../../data/sid-index.js';
import { type Sequences, sequencesOf } from '../../ops/sequence/padded-rows.js';

/** The items' SIDs as token numbers. */
export interface TigerTokens {
  /** Of each item. */
  sids: number[][];
  /** V, token 0 among them. */
  vocabSize: number;
}

/** Numbers the tokens of an index from 1. */
export function tigerTokens(index: SidIndex): TigerTokens {
  const numbers = new Map<string, number>();
  const sids = index.map((tokens) =>
    tokens.map((token) => {
      if (!numbers.has(token)) numbers.set(token, numbers.size + 1);
      return numbers.get(token)!;
    }),
  );
  return { sids, vocabSize: numbers.size + 1 };
}

/** Token lists end to end, on the engine. */
export interface FlatTokens {
  /** int32 [N] */
  ids: tf.Tensor1D;
  sequences: Sequences;
}

/** The caller owns the tensors. @param lists each of one token or more */
export function flatTokens(lists: readonly (readonly number[])[]): FlatTokens {
  return {
    ids: tf.tensor1d(Int32Array.from(lists.flat()), 'int32'),
    sequences: sequencesOf(lists.map(({ length }) => length)),
  };
}

/** Frees them. */
export function disposeTokens(...flat: readonly FlatTokens[]): void {
  for (const { ids, sequences } of flat) tf.dispose([ids, sequences.starts]);
}
