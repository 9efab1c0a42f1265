/** Ours of `load`, in a process of its own. Usage: node load-ours.js FILE */
import * as tf from '@tensorflow/tfjs';
import { useEngine } from 'sidlab';
import { SafetensorsFile } from 'sidlab/files';
import { readTensor } from 'sidlab/ops';

await useEngine();
tf.tidy(() => tf.sum(tf.ones([8])).dataSync()); // the engine has started
const before = process.resourceUsage().maxRSS;
const start = performance.now();
const file = new SafetensorsFile(process.argv[2]!);
const tensors = file.names.map((name) => readTensor(file, name));
file.close();
const sums = tensors.map((tensor) => tf.tidy(() => tf.sum(tensor).dataSync()[0]!));
const seconds = (performance.now() - start) / 1000;
const peak = (process.resourceUsage().maxRSS - before) * 1024;
console.log(JSON.stringify({ seconds, peak, sum: sums.reduce((a, b) => a + b, 0) }));
