// Runs until somebody says stop: the first Ctrl-C or SIGTERM stops cleanly, the second at once.

import type { Logger } from 'pino';

/** A clean stop that takes longer than this is not going to end. */
const stopTimeoutMs = 60_000;

/**
 * Starts something and waits for SIGINT or SIGTERM, then stops it.
 * @param start resolves to what stops it again; its signal aborts when stopping is asked for while it still starts
 */
export async function untilStopped(
  logger: Pick<Logger, 'info' | 'error'>,
  start: (signal: AbortSignal) => Promise<() => Promise<void>>,
): Promise<void> {
  const stopping = new AbortController();
  const stopped = new Promise<void>((resolve) => {
    const stop = (name: NodeJS.Signals) => {
      if (stopping.signal.aborted) process.exit(130);
      logger.info({ signal: name }, 'stopping');
      stopping.abort();
      resolve();
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
  });
  const close = await start(stopping.signal);
  await stopped;
  const bound = setTimeout(() => {
    logger.error({}, 'stopping took too long');
    process.exit(1);
  }, stopTimeoutMs);
  await close();
  clearTimeout(bound);
}
