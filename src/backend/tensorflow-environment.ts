/**
 * TensorFlow reads these when its library is loaded, from the environment of the process. A worker thread only has a
 * copy of that environment: the main thread must set them before it starts the worker.
 */
export function tensorflowEnvironment(threads: number): Record<string, string> {
  return {
    TF_NUM_INTRAOP_THREADS: String(threads),
    TF_NUM_INTEROP_THREADS: '1',
    // Fatal errors only: TensorFlow greets every start with several lines, three of them called errors.
    TF_CPP_MIN_LOG_LEVEL: '3',
    // Same inputs, same bytes, on a GPU too.
    TF_DETERMINISTIC_OPS: '1',
    // TensorFlow multiplies matrices in TF32 where a GPU has it: 10 bits of fraction instead of the 23 of every other
    // backend. This is the switch that the libraries of CUDA read; the binding has none.
    NVIDIA_TF32_OVERRIDE: '0',
    TF_FORCE_GPU_ALLOW_GROWTH: 'true',
  }
}
