// Berth's own error shape: problem details (RFC 9457) with a stable code.

import { type BerthError, errorTable } from '../../model/errors.ts';

/** An error as Berth's own API answers it. */
export function nativeError(error: BerthError): { status: number; body: object } {
  const { status, advice } = errorTable[error.code];
  const pointer = error.subject === undefined ? {} : { subject: error.subject };
  return {
    status,
    body: { type: 'about:blank', title: advice, status, code: error.code, detail: error.message, ...pointer },
  };
}
