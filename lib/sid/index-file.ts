/**
 * `NAME.index.json`: item id -> the tokens of its semantic ID, `{"0": ["<a_12>","<b_200>","<c_7>"]}`.
 * (MiniOneRec's and GRec's format.) In memory row = item id.
 */

/** Tokens of each item's SID; index = item id. Lengths may differ (a rank token), but no SID is another's beginning. */
export type SidIndex = string[][];

/** `[12, 200, 7]` -> `["<a_12>", "<b_200>", "<c_7>"]` */
export function sidTokens(codes: readonly number[]): string[] {
  return codes.map((code, level) => `<${String.fromCharCode(97 + level)}_${code}>`);
}
