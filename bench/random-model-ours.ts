/** Writes a model of random weights. Usage: node random-model-ours.js FOLDER CONFIG (as config.json has it) */
import { saveModel, useEngine } from 'sidlab';
import { parseConfig, randomWeights } from 'sidlab/lm';

await useEngine();
const [folder, text] = process.argv.slice(2) as [string, string];
const config = parseConfig(JSON.parse(text), 'config');
saveModel(folder, { config, weights: randomWeights(config, 42) });
console.log(JSON.stringify({ folder }));
