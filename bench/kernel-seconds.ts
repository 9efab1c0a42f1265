/** Seconds that each kernel of the engine takes, whatever calls it. */
import * as tf from '@tensorflow/tfjs';

/** Times every kernel from here on. @returns the seconds so far, by name, largest first */
export function timeKernels(): () => Record<string, number> {
  const seconds: Record<string, number> = {};
  let depth = 0; // a kernel that calls another is one
  for (const kernel of tf.getKernelsForBackend(tf.getBackend())) {
    const { kernelName: name, backendName, kernelFunc } = kernel;
    tf.unregisterKernel(name, backendName);
    tf.registerKernel({
      ...kernel,
      kernelFunc(params) {
        const start = performance.now();
        depth++;
        try {
          return kernelFunc(params);
        } finally {
          if (--depth === 0) seconds[name] = (seconds[name] ?? 0) + (performance.now() - start) / 1000;
        }
      },
    });
  }
  return () => Object.fromEntries(Object.entries(seconds).sort(([, a], [, b]) => b - a));
}
