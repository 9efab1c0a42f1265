/** The raw formats by name. */

export const RAW_FORMATS = [
  'amazon-2014',
  'amazon-2018',
  'amazon-2023',
  'movielens',
  'recbole',
  'inter-json',
  'csv',
  'parquet',
] as const;
/** A name of `RAW_FORMATS`. */
export type RawFormat = (typeof RAW_FORMATS)[number];
