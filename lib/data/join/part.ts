/** What is known of a data set that was joined with others. */

/** One of the data sets of a joined folder. */
export interface Part {
  /** NAME that it had alone. */
  name: string;
  /** How many. */
  items: number;
  rows: Record<'train' | 'valid' | 'test', number>;
  /** SHA-256 of its own files, by name. */
  sources: Record<string, string>;
}
