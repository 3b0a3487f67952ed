// Brings one image's bytes from its server into a part file: resumes, retries with back-off, waits for a server that is
// still building, and gives up in a clear sentence. What the bytes mean is checked afterwards, by others.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../model/world.ts';
import type { Progress } from '../driver.ts';
import { imageFailure, shownBytes, shownExtent, shownUrl } from './failure.ts';
import { headBytes } from './format.ts';
import {
  buildStatus,
  contentRange,
  isTransientStatus,
  promisedBytes,
  retryAfterMs,
  statusFailure,
} from './http-answer.ts';
import { type Answer, get, type Network, Transient } from './http-get.ts';
import type { ImageLimits } from './limits.ts';
import type { PartFile, Validators } from './part-file.ts';

export interface DownloadTask {
  url: URL;
  part: PartFile;
  /** What a cached copy was; given, the server is asked only whether it still is, and only once. */
  known: Validators | null;
  network: Network;
  limits: ImageLimits;
  clock: Clock;
  /** Throws when the first {@link headBytes} bytes show that the rest is not worth fetching. */
  checkHead: (head: Buffer) => void;
  /** Makes sure that so many more bytes fit; throws when they can't. */
  makeRoom: (bytes: number) => Promise<void>;
  emit: (step: Progress) => void;
  signal: AbortSignal;
}

/** `unchanged`: the cached copy is still what the URL holds. `resumed`: some of the bytes came in an earlier call. */
export type DownloadResult = { kind: 'unchanged' } | { kind: 'complete'; validators: Validators; resumed: boolean };

/**
 * Downloads `task.url` into `task.part`.
 * @throws DriverFailure; the signal's reason; errors of the disk as they are
 */
export async function download(task: DownloadTask): Promise<DownloadResult> {
  const { part, limits, signal } = task;
  const resumed = part.bytes > 0;
  let farthestBytes = part.bytes;
  let fruitless = 0;
  let waitedMs = 0;
  let told = '';
  for (;;) {
    try {
      if (part.bytes === 0 || part.bytes !== part.totalBytes) {
        if ((await attempt(task)) === 'unchanged') return { kind: 'unchanged' };
        await part.complete();
      }
      return { kind: 'complete', validators: part.validators, resumed };
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Transient)) throw error;
      if (task.known && part.bytes === 0) throw error.failure;

      let delayMs: number;
      if (error.building !== null) {
        delayMs = Math.min(error.retryAfterMs ?? 0, limits.retryMaxMs);
        delayMs = Math.max(delayMs, limits.retryBaseMs);
        waitedMs += delayMs;
        if (waitedMs > limits.buildWaitMs) throw buildFailure(task.url, limits.buildWaitMs);
        // Asked for every few seconds, of which each would be an event that somebody has to read.
        if (error.building !== told) {
          task.emit({ kind: 'image.build', message: `The image is being built: ${error.building}` });
        }
        told = error.building;
      } else {
        fruitless = part.bytes > farthestBytes ? 1 : fruitless + 1;
        farthestBytes = Math.max(farthestBytes, part.bytes);
        if (fruitless >= limits.attemptsMax) throw error.failure;
        delayMs = Math.min(error.retryAfterMs ?? limits.retryBaseMs * 2 ** (fruitless - 1), limits.retryMaxMs);
      }
      await part.checkpoint();
      await sleep(delayMs, undefined, { signal });
    }
  }
}

function buildFailure(url: URL, buildWaitMs: number): Error {
  const minutes = Math.round(buildWaitMs / 60_000);
  return imageFailure(
    'image.deadline',
    `The image at ${shownUrl(url)} was still being built after ${minutes} minutes.`,
  );
}

/** The value for If-Range, which must name the version beyond doubt; null when the server gave nothing to name it by. */
function versionOf(validators: Validators): string | null {
  return validators.etag && !validators.etag.startsWith('W/') ? validators.etag : validators.lastModified;
}

/** The request's head: a whole image, the rest of one, or only whether it has changed. */
function requestHeaders(task: DownloadTask): Record<string, string> {
  const headers: Record<string, string> = { 'user-agent': 'Berth', accept: '*/*', 'accept-encoding': 'identity' };
  const version = versionOf(task.part.validators);
  if (task.part.bytes > 0) {
    if (version) Object.assign(headers, { range: `bytes=${task.part.bytes}-`, 'if-range': version });
  } else if (task.known?.etag) {
    headers['if-none-match'] = task.known.etag;
  } else if (task.known?.lastModified) {
    headers['if-modified-since'] = task.known.lastModified;
  }
  return headers;
}

/** One request and its whole body. */
async function attempt(task: DownloadTask): Promise<'unchanged' | 'complete'> {
  const { url, part, limits, signal } = task;
  const headers = requestHeaders(task);
  const timeoutMs = task.known ? limits.revalidateTimeoutMs : limits.headerTimeoutMs;
  const answer = await get(url, headers, task.network, { redirectsMax: limits.redirectsMax, timeoutMs }, signal);
  try {
    if (answer.status === 304 && task.known && part.bytes === 0) return 'unchanged';
    if (answer.status === 416 && headers.range) {
      await part.restart({ etag: null, lastModified: null }, null);
      throw new Transient(imageFailure('image.truncated', `The image at ${shownUrl(url)} can't be resumed.`), 0);
    }
    if (answer.status !== 200 && answer.status !== 206) throw await refusal(task, answer);
    await begin(task, answer, headers.range !== undefined);
    await readBody(task, answer);
    return 'complete';
  } finally {
    answer.body.discard();
  }
}

/** What an answer without an image in it means. */
async function refusal(task: DownloadTask, answer: Answer): Promise<Error> {
  const waitMs = retryAfterMs(answer.headers['retry-after'], task.clock.now());
  const said = await buildStatus(answer);
  const failure = statusFailure(task.url, answer, said.failed);
  if (!isTransientStatus(answer.status)) return failure;
  const building = answer.status === 503 && waitMs !== null ? (said.step ?? 'its server asks to wait') : null;
  return new Transient(failure, waitMs, building);
}

/** Makes the part ready for an answer's body. */
async function begin(task: DownloadTask, answer: Answer, resuming: boolean): Promise<void> {
  const { part, url, limits } = task;
  const odd = (why: string) => imageFailure('image.http', `The image server ${why} for ${shownUrl(url)}.`);
  const encoding = answer.headers['content-encoding'];
  if (encoding && encoding.toLowerCase() !== 'identity') {
    throw odd(`answered with Content-Encoding ${JSON.stringify(encoding)}, though only identity was accepted,`);
  }
  let totalBytes = promisedBytes(answer.headers['content-length']);
  const validators = { etag: answer.headers.etag ?? null, lastModified: answer.headers['last-modified'] ?? null };
  if (answer.status === 206) {
    const range = contentRange(answer.headers['content-range']);
    if (!resuming || !range) throw odd('answered 206 Partial Content without a range that was asked');
    const same =
      range.firstByte === part.bytes &&
      (part.totalBytes === null || range.totalBytes === null || range.totalBytes === part.totalBytes) &&
      (versionOf(validators) === null || versionOf(validators) === versionOf(part.validators));
    if (!same) {
      await part.restart({ etag: null, lastModified: null }, null);
      throw new Transient(odd('answered with a part of another file'), 0);
    }
    totalBytes = range.totalBytes ?? part.totalBytes;
  }
  if (totalBytes !== null && totalBytes > limits.downloadBytesMax) throw tooLarge(url, totalBytes, limits);
  if (answer.status === 200) await part.restart(validators, totalBytes);
  if (totalBytes !== null) await task.makeRoom(totalBytes - part.bytes);
}

function tooLarge(url: URL, bytes: number | null, limits: ImageLimits): Error {
  const size = bytes === null ? 'larger than' : `${shownBytes(bytes)}; at most`;
  return imageFailure(
    'image.too-large',
    `The image at ${shownUrl(url)} is ${size} ${shownBytes(limits.downloadBytesMax)}${bytes === null ? ', the most that is' : ' are'} allowed.`,
  );
}

/** Reads a body into the part, to the end that was promised and not a byte more. */
async function readBody(task: DownloadTask, answer: Answer): Promise<void> {
  const { part, url, limits, signal } = task;
  // A 206 answer may have been promised less than the rest; what counts is the whole.
  const totalBytes = answer.status === 200 ? promisedBytes(answer.headers['content-length']) : wholeOf(task, answer);
  const tell = () => {
    const message = `Downloading ${shownUrl(url)}: ${shownExtent(part.bytes, totalBytes)}`;
    task.emit({
      kind: 'image.download',
      message,
      done: part.bytes,
      ...(totalBytes === null ? {} : { total: totalBytes }),
    });
  };
  const tooLong = () =>
    imageFailure(
      'image.too-long',
      `The image server sent more than the ${totalBytes ?? part.bytes} bytes it had promised for ${shownUrl(url)}.`,
    );
  let headChecked = false;
  let stalled = false;
  const stall = setTimeout(() => {
    stalled = true;
    answer.body.discard();
  }, limits.stallTimeoutMs);

  tell();
  try {
    for await (const chunk of answer.body) {
      signal.throwIfAborted();
      if (totalBytes !== null && part.bytes + chunk.length > totalBytes) throw tooLong();
      if (part.bytes + chunk.length > limits.downloadBytesMax) throw tooLarge(url, null, limits);
      await part.append(chunk);
      tell();
      if (!headChecked && part.bytes >= headBytes) {
        headChecked = true;
        task.checkHead(await part.head(headBytes));
      }
      stall.refresh();
    }
  } finally {
    clearTimeout(stall);
  }
  signal.throwIfAborted();
  const extent = shownExtent(part.bytes, totalBytes);
  if (stalled) {
    const seconds = Math.round(limits.stallTimeoutMs / 1000);
    throw new Transient(
      imageFailure(
        'image.timeout',
        `The image server sent nothing for ${seconds} s after ${extent} of ${shownUrl(url)}.`,
      ),
    );
  }
  if (answer.body.complete && answer.sentMore()) throw tooLong();
  if (!answer.body.complete || (totalBytes !== null && part.bytes < totalBytes)) {
    throw new Transient(imageFailure('image.truncated', `The download of ${shownUrl(url)} ended after ${extent}.`));
  }
}

function wholeOf(task: DownloadTask, answer: Answer): number | null {
  return contentRange(answer.headers['content-range'])?.totalBytes ?? task.part.totalBytes;
}
