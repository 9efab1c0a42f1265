/** Batches of an evaluation's rows, planned over all rows before any is ranked. */
import { commonPrefix, compareTokens } from '../lm/shared-forest.js';

/** Batches come by so many, so that two, four or eight processes get as many each ... */
const TOGETHER = 8;
/** ... where each has at least so many tokens. */
const FEWEST = 2048;

/**
 * Prompts that begin alike together, so that what they share goes through the model once; batches of about as many tokens
 * each, so that processes that share them are done at the same time.
 * @param budget distinct tokens of a batch at most; a larger row is a batch by itself
 * @param numBeams tokens of a row beside its prompt
 * @returns places of the prompts, in batches that do not depend on the number of processes
 */
export function cutByTokens(prompts: readonly (readonly number[])[], budget: number, numBeams: number): number[][] {
  const order = [...prompts.keys()].sort((a, b) => compareTokens(prompts[a]!, prompts[b]!)); // stable
  const added = order.map((row, i) => {
    const prompt = prompts[row]!;
    return prompt.length - (i === 0 ? 0 : commonPrefix(prompts[order[i - 1]!]!, prompt)) + numBeams;
  });
  let left = added.reduce((sum, tokens) => sum + tokens, 0);
  let open = batchCount(left, budget);
  const batches: number[][] = [];
  let [used, even] = [Infinity, 0];
  order.forEach((row, i) => {
    const more = added[i]!;
    // as near to an even share as whole rows allow
    if (used + more > budget || used + more / 2 > even) {
      even = open > 1 ? left / open : Infinity;
      open--;
      used = prompts[row]!.length + numBeams;
      batches.push([row]);
    } else {
      used += more;
      batches.at(-1)!.push(row);
    }
    left -= more;
  });
  return batches;
}

/** The fewest batches within the budget; a multiple of `TOGETHER` where that leaves none of them too small. */
function batchCount(tokens: number, budget: number): number {
  const fewest = Math.ceil(tokens / budget);
  const together = TOGETHER * Math.ceil(fewest / TOGETHER);
  return tokens / together >= FEWEST ? together : fewest;
}
