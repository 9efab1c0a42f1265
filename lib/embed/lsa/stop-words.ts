/** English words that say nothing about an item: articles, pronouns, prepositions, conjunctions, auxiliaries. */
export const STOP_WORDS: ReadonlySet<string> = new Set(
  `about above after again against all almost also although always am among an and another any anyone anything are
  around as at be because been before being below beside besides between both but by can cannot could did do does
  doing done down during each either else enough etc even ever every everything few for from further get give had
  has have having he hence her here hers herself him himself his how however if in indeed into is it its itself
  just least less made many may me might mine more most mostly much must my myself neither never no nor not nothing
  now of off often on once one only onto or other others otherwise our ours ourselves out over own per perhaps
  please put rather same see seem seems several she should since so some something sometimes somewhere still such
  than that the their theirs them themselves then there therefore these they this those though through throughout
  thus to together too toward towards two three four five under until up upon us very via was we well were what
  whatever when where whereas whether which while who whole whom whose why will with within without would yet you
  your yours yourself yourselves`.split(/\s+/),
);
