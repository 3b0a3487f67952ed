// What goes wrong, as classes: a refusal has the server's problem with its stable code; no answer at all has none.

import type { Problem } from './generated/types.ts';

/** The codes that an answer of the server's may bear. */
export type ErrorCode = Problem['code'];

/** Whatever went wrong. Its message is for people. */
export class BerthError extends Error {
  /** The HTTP status; 0 where there was no answer. */
  readonly status: number = 0;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The server could not be reached, or did not answer in time. */
export class ConnectionError extends BerthError {}

/** The time that was given for waiting is up; what was waited for goes on. */
export class TimeUpError extends BerthError {}

/** Something answered that is not Berth's API: a proxy that does not reach it, or another program at this URL. */
export class ForeignAnswerError extends BerthError {
  override readonly status: number;
  /** What its body is, such as `text/html`. */
  readonly contentType: string;

  constructor(what: string, { status, headers }: Response) {
    const contentType = headers.get('content-type')?.split(';')[0] ?? '';
    super(`${what} was answered ${status}${contentType && ` with ${contentType}`}, not by Berth's API.`);
    this.status = status;
    this.contentType = contentType;
  }
}

/** The server has refused. */
export class RefusedError extends BerthError {
  override readonly status: number;
  /** For programs; stays as it is from version to version. */
  readonly code: ErrorCode;
  /** What the server said, whole. */
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.status = problem.status;
    this.code = problem.code;
    this.problem = problem;
  }
}

/** Nobody, or not allowed (401, 403). */
export class AccessError extends RefusedError {}
/** There is no such thing, or none that you see (404). */
export class NotFoundError extends RefusedError {}
/** It can't be done as things stand (402, 409). */
export class ConflictError extends RefusedError {}
/** It was changed since it was read (412). */
export class StaleError extends RefusedError {}
/** The request is not right (400, 413, 415, 422). */
export class InvalidError extends RefusedError {}
/** Too often (429). */
export class RateLimitError extends RefusedError {}
/** The server can't at the moment (5xx). */
export class ServerError extends RefusedError {}

const classes: Record<number, new (problem: Problem) => RefusedError> = {
  400: InvalidError,
  401: AccessError,
  402: ConflictError,
  403: AccessError,
  404: NotFoundError,
  409: ConflictError,
  412: StaleError,
  413: InvalidError,
  415: InvalidError,
  422: InvalidError,
  429: RateLimitError,
};

/** The error of an answer's problem. */
export function errorOf(problem: Problem): RefusedError {
  const Refused = classes[problem.status] ?? ServerError;
  return new Refused(problem);
}
