// Errors as Bytemark's clients read them: only the statuses that they know, and with 400 a flat object that gives for each
// field what is wrong with it. (Bytemark API: error bodies.)

import Type from 'typebox';
import { type BerthError, type ErrorCode, errorTable, InvalidFields } from '../../model/errors.ts';

export const ErrorSchema = Type.Record(Type.String(), Type.Unknown());

/** Where an error belongs to no field. */
const wholeRequest = 'base';
/** What an error is about may be a field, or something that has an identifier. */
const fieldPattern = /^[a-z][a-z0-9_.]*$/;

/** The statuses of errors that are neither a 400 nor what the table says. */
const statuses: Partial<Record<ErrorCode, number>> = {
  too_many_requests: 503,
  bad_credentials: 403,
  second_factor_needed: 403,
};

const known: ReadonlySet<number> = new Set([401, 403, 404, 500, 503]);

/** An error as this dialect answers it. */
export function bytemarkError(error: BerthError): { status: number; body: object } {
  const status = statuses[error.code] ?? errorTable[error.code].status;
  if (known.has(status)) return { status, body: { error: error.message } };
  if (error instanceof InvalidFields) return { status: 400, body: error.fields };
  const isField = fieldPattern.test(error.subject ?? '');
  return { status: 400, body: { [isField ? (error.subject ?? '') : wholeRequest]: [error.message] } };
}
