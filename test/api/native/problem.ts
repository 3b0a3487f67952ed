// What tests of Berth's own API hold refusals to.

import assert from 'node:assert/strict';
import type { Answer } from '../../support/berth.ts';

/** A problem as it is answered. */
export interface Problem {
  status: number;
  code: string;
  detail: string;
  pointer?: string;
  parameter?: string;
  requestId: string;
  errors?: { detail: string; pointer: string }[];
}

/** Holds an answer to be a problem of this status and code. */
export function assertProblem(answer: Answer<unknown>, status: number, code: string): Problem {
  const problem = answer.body as Problem;
  const shown = JSON.stringify(problem);
  assert.deepEqual([answer.status, problem?.status, problem?.code], [status, status, code], shown);
  assert.equal(answer.headers.get('content-type')?.split(';')[0], 'application/problem+json');
  assert.equal(problem.requestId, answer.headers.get('request-id'));
  return problem;
}
