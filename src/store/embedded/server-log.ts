/** Reads the end of what a server wrote, to be told with an error: it is where PostgreSQL says why it does not start. */
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

const LOG_TAIL_BYTES = 4_096;
const LOG_TAIL_LINES = 12;

/** The last lines that the server wrote, before and after it opened its log file. */
export async function logTail(dataDir: string, startLog: string): Promise<string> {
  const logDir = join(dataDir, 'log');
  const names = await readdir(logDir).catch(() => []);
  const files = await Promise.all(
    names.map(async (name) => ({ path: join(logDir, name), changedMs: (await stat(join(logDir, name))).mtimeMs })),
  );
  const newest = files.sort((a, b) => b.changedMs - a.changedMs)[0];
  // What it says before it opens its log file comes last: where there is more than the usual, the start failed there.
  const paths = newest === undefined ? [startLog] : [newest.path, startLog];
  const texts = await Promise.all(paths.map(readTail));
  return texts.join('\n').trim().split('\n').slice(-LOG_TAIL_LINES).join('\n');
}

async function readTail(path: string): Promise<string> {
  const handle = await open(path, 'r').catch(() => undefined);
  if (handle === undefined) return '';
  try {
    const { size } = await handle.stat();
    const { buffer, bytesRead } = await handle.read({
      buffer: Buffer.alloc(LOG_TAIL_BYTES),
      position: Math.max(0, size - LOG_TAIL_BYTES),
    });
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}
