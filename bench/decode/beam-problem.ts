/**
 * Items and prompts for constrained beam search at the size of Industrial: 3,686 items of 3 codes from 256 each and a tail
 * of newline and end, prompts of 120 tokens whose first 60, the task's wording, are the same for all users.
 */
import { Random } from 'sidlab';
import type { QwenConfig } from '../qwen.js';

const [ITEMS, LEVELS, CODES, LENGTH, WORDING, NEWLINE] = [3686, 3, 256, 120, 60, 198];

export interface BeamProblem {
  /** Token ids [users][LENGTH]. */
  prompts: number[][];
  /** Tokens at the beginning that all prompts share. */
  wording: number;
  /** Token ids of each item, distinct. */
  items: number[][];
  /** The last token of every item. */
  end: number;
}

/** Codes are the ids below the end of text: the vocabulary keeps its size. */
export function beamProblem(config: QwenConfig, users: number): BeamProblem {
  const random = new Random('beam');
  const end = config.eos_token_id;
  const first = end - LEVELS * CODES;
  const items = new Map<string, number[]>();
  while (items.size < ITEMS) {
    const codes = Array.from({ length: LEVELS }, (_, level) => first + level * CODES + random.int(CODES));
    items.set(codes.join(), [...codes, NEWLINE, end]);
  }
  const text = (length: number): number[] => Array.from({ length }, () => random.int(first));
  const wording = text(WORDING);
  const prompts = Array.from({ length: users }, () => [...wording, ...text(LENGTH - WORDING)]);
  return { prompts, wording: WORDING, items: [...items.values()], end };
}
