/** Words of commands that are told, as a shell reads them. */

/** @example shellQuote('my data') // "'my data'", and `data/toys` as it is */
export function shellQuote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
