// Fluence's error shape: one field. Where its contract gives a status or a text, that wins over Berth's own table.

import { type BerthError, type ErrorCode, errorTable } from '../../model/errors.ts';

const contractStatus: Partial<Record<ErrorCode, number>> = { unauthenticated: 403 };
const contractText: Partial<Record<ErrorCode, string>> = { unauthenticated: 'Auth failed. No such API Key' };

/** An error as this dialect answers it. */
export function fluenceError(error: BerthError): { status: number; body: { error: string } } {
  return {
    status: contractStatus[error.code] ?? errorTable[error.code].status,
    body: { error: contractText[error.code] ?? error.message },
  };
}
