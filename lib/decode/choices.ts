/** The words that options of the search may be; apart from it, so that `--help` does not load it. */

/** What a length counts. */
export const LENGTHS = ['tokens', 'choices'] as const;
/** A word of `LENGTHS`. */
export type LengthOf = (typeof LENGTHS)[number];
