// Pulling one image: told as it goes, bounded in time, and with an end that says what was wrong.

import type { RegistryAuth } from '../../api/agent/contract/secret.ts';
import { DriverFailure, type Progress } from '../driver.ts';
import { type Engine, EngineRefused, meaningOf } from './engine.ts';
import { oneLine } from './text.ts';

/** Twice a second is as often as a person can read. */
const tellEveryMs = 500;
const saidLengthMax = 300;
const badRequest = 400;

/** What a pull is given. */
export interface PullOptions {
  auth: RegistryAuth | null;
  deadlineMs: number;
  tell: (step: Progress) => void;
  signal: AbortSignal;
}

/** A line of what the Engine says while it pulls. */
interface PullLine {
  status?: string;
  id?: string;
  progressDetail?: { current?: number; total?: number };
  error?: string;
  errorDetail?: { message?: string };
}

/** Why an image could not be pulled, as far as it decides what is done next. */
export class PullFailure extends DriverFailure {
  /** The registry is there and has no such image, or is not there at all: it may be found elsewhere. */
  readonly isElsewhere: boolean;

  constructor(code: string, message: string, permanent: boolean, isElsewhere: boolean) {
    super(code, message, permanent);
    this.isElsewhere = isElsewhere;
  }
}

/**
 * Pulls an image.
 * @param reference whole, see `model/image-reference.ts`
 * @throws PullFailure; DriverAway
 */
export async function pullImage(engine: Engine, reference: string, options: PullOptions): Promise<void> {
  const { auth, deadlineMs, tell, signal } = options;
  const deadline = AbortSignal.timeout(deadlineMs);
  const authconfig = auth && { username: auth.login, password: auth.password, serveraddress: auth.server };
  const timeout = () => {
    const message = `The image ${reference} was not pulled within ${Math.round(deadlineMs / 1000)} s.`;
    return new PullFailure('IMAGE_PULL_TIMEOUT', message, true, false);
  };
  try {
    tell({ kind: 'image.pull', message: `Pulling ${reference}.` });
    const abortSignal = AbortSignal.any([deadline, signal]);
    const stream = await engine.streaming.pull(reference, { ...(authconfig ? { authconfig } : {}), abortSignal });
    const stop = () => (stream as unknown as { destroy(): void }).destroy();
    abortSignal.addEventListener('abort', stop, { once: true });
    try {
      await follow(stream as NodeJS.ReadableStream, reference, tell);
    } finally {
      abortSignal.removeEventListener('abort', stop);
    }
    tell({ kind: 'image.ready', message: `The image ${reference} is there.` });
  } catch (error) {
    if (signal.aborted) throw error;
    if (deadline.aborted) throw timeout();
    if (error instanceof DriverFailure) throw error;
    const meaning = meaningOf(error);
    throw meaning instanceof EngineRefused ? whyNot(reference, meaning, auth !== null) : meaning;
  }
}

async function follow(stream: NodeJS.ReadableStream, reference: string, tell: (step: Progress) => void): Promise<void> {
  const layers = new Map<string, { current: number; total: number }>();
  let toldAtMs = 0;
  let rest = '';
  for await (const chunk of stream) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const text of lines.filter((one) => one.trim() !== '')) {
      const line = JSON.parse(text) as PullLine;
      if (line.error !== undefined) throw new EngineRefused(500, line.errorDetail?.message ?? line.error);
      const { current, total } = line.progressDetail ?? {};
      if (line.id === undefined || current === undefined || total === undefined || line.status !== 'Downloading')
        continue;
      layers.set(line.id, { current, total });
      if (performance.now() - toldAtMs < tellEveryMs) continue;
      toldAtMs = performance.now();
      const sum = (part: 'current' | 'total') => [...layers.values()].reduce((bytes, layer) => bytes + layer[part], 0);
      tell({
        kind: 'image.download',
        message: `Pulling ${reference}.`,
        done: sum('current'),
        total: sum('total'),
      });
    }
  }
}

/** What a registry's or the Engine's words mean for the customer. */
function whyNot(reference: string, { status, message: text }: EngineRefused, hadLogin: boolean): PullFailure {
  const said = oneLine(text, saidLengthMax);
  if (/no space left on device/i.test(said)) {
    return new PullFailure('NO_SPACE', 'The machine has no space left for the image.', true, false);
  }
  const isRefused =
    /unauthorized|authentication required|incorrect username or password|no basic auth credentials|denied/i;
  if (isRefused.test(said)) {
    const message = hadLogin
      ? `The registry refused the login for ${reference}.`
      : `There is no image ${reference}, or its registry wants a login (docker_auth).`;
    return new PullFailure(hadLogin ? 'REGISTRY_AUTH_FAILED' : 'IMAGE_NOT_FOUND', message, true, false);
  }
  if (/manifest unknown|not found|does not exist|repository name not known/i.test(said)) {
    return new PullFailure('IMAGE_NOT_FOUND', `There is no image ${reference}.`, true, true);
  }
  if (status === badRequest || /no matching manifest/i.test(said)) {
    return new PullFailure('IMAGE_NOT_FOUND', `There is no image ${reference} for this machine: ${said}`, true, false);
  }
  return new PullFailure('IMAGE_PULL_TIMEOUT', `The registry of ${reference} can't be reached: ${said}`, false, true);
}
