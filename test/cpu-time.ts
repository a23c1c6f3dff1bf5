/**
 * Milliseconds that this thread has computed. For tests that something is not exponential: a busy machine makes no difference to it, as it does
 * to a clock.
 */
export function cpuTime(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
