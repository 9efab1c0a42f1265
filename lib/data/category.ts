/**
 * What a data set's items are called in a prompt ("office products"), and Amazon's full names behind the short ones that
 * papers use. Both tables are MiniOneRec's; a data set that is not among them is called by its own name.
 */
const PHRASES: Readonly<Record<string, string>> = {
  Industrial_and_Scientific: 'industrial and scientific items',
  Office_Products: 'office products',
  Toys_and_Games: 'toys and games',
  Sports_and_Outdoors: 'sports and outdoors',
  Books: 'books',
};

/** Short names of Amazon's categories. */
export const FULL_NAMES: Readonly<Record<string, string>> = {
  Arts: 'Arts_Crafts_and_Sewing',
  Games: 'Video_Games',
  Industrial: 'Industrial_and_Scientific',
  Instruments: 'Musical_Instruments',
  Office: 'Office_Products',
  Scientific: 'Industrial_and_Scientific',
  Sports: 'Sports_and_Outdoors',
  Toys: 'Toys_and_Games',
};

/**
 * @param dataset NAME of its files
 * @example categoryPhrase('Toys') // 'toys and games'
 * @example categoryPhrase('Arts') // 'arts crafts and sewing'
 * @example categoryPhrase('my-shop') // 'my shop'
 */
export function categoryPhrase(dataset: string): string {
  const full = Object.hasOwn(FULL_NAMES, dataset) ? FULL_NAMES[dataset]! : dataset;
  return Object.hasOwn(PHRASES, full) ? PHRASES[full]! : full.replace(/[_-]+/g, ' ').trim().toLowerCase();
}
