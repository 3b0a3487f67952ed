// Errors as grpc-gateway writes them, with the field that Hiveon's older documentation shows beside: `code` and `message` are
// google.rpc.Status, `error` repeats the message. Only the documented statuses are answered, and those that any client of such
// an API knows. (Hiveon API: error body.)

import Type from 'typebox';
import type { BerthError, ErrorCode } from '../../model/errors.ts';

export const ErrorSchema = Type.Object({
  code: Type.Integer(),
  message: Type.String(),
  details: Type.Array(Type.Object({ '@type': Type.String() }, { additionalProperties: true })),
  error: Type.String(),
});

/** Numbers of google.rpc.Code. */
const rpc = {
  invalidArgument: 3,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;

const statuses: Record<number, number> = {
  [rpc.invalidArgument]: 400,
  [rpc.failedPrecondition]: 400,
  [rpc.unauthenticated]: 401,
  [rpc.permissionDenied]: 403,
  [rpc.notFound]: 404,
  [rpc.alreadyExists]: 409,
  [rpc.resourceExhausted]: 429,
  [rpc.internal]: 500,
  [rpc.unavailable]: 503,
};

/** What each error is here, with the reason that a program reads where the code alone does not tell. */
const codes: Record<ErrorCode, readonly [code: number, reason?: string]> = {
  unauthenticated: [rpc.unauthenticated],
  bad_credentials: [rpc.unauthenticated],
  second_factor_needed: [rpc.unauthenticated],
  cross_site: [rpc.permissionDenied],
  forbidden: [rpc.permissionDenied],
  not_found: [rpc.notFound],
  method_not_allowed: [rpc.notFound],
  malformed: [rpc.invalidArgument],
  invalid_value: [rpc.invalidArgument],
  unsupported: [rpc.invalidArgument],
  no_suitable_offer: [rpc.failedPrecondition, 'MACHINE_NOT_AVAILABLE'],
  not_enough_offers: [rpc.failedPrecondition, 'MACHINE_NOT_AVAILABLE'],
  insufficient_balance: [rpc.failedPrecondition, 'INSUFFICIENT_BALANCE'],
  name_taken: [rpc.alreadyExists],
  slot_not_available: [rpc.failedPrecondition, 'MACHINE_NOT_AVAILABLE'],
  price_stale: [rpc.failedPrecondition, 'MACHINE_PRICE_STALE'],
  quote_over: [rpc.failedPrecondition, 'QUOTE_OVER'],
  quote_too_small: [rpc.failedPrecondition, 'QUOTE_TOO_SMALL'],
  external_id_reused: [rpc.alreadyExists, 'EXTERNAL_ID_REUSED'],
  wrong_state: [rpc.failedPrecondition, 'WRONG_STATE'],
  precondition_failed: [rpc.failedPrecondition],
  idempotency_key_reused: [rpc.invalidArgument],
  payload_too_large: [rpc.invalidArgument],
  unsupported_media_type: [rpc.invalidArgument],
  too_many_requests: [rpc.resourceExhausted],
  internal: [rpc.internal],
  unavailable: [rpc.unavailable],
};

/** A field may end in a key of the customer's own, which has no bound. */
const subjectLengthMax = 256;

/** An error as this dialect answers it. */
export function hiveonError(error: BerthError): { status: number; body: object } {
  const { message } = error;
  const subject = error.subject?.slice(0, subjectLengthMax);
  const [code, reason] = codes[error.code];
  const details = [];
  if (code === rpc.invalidArgument && subject !== undefined) {
    const fieldViolations = [{ field: subject, description: message }];
    details.push({ '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations });
  }
  if (reason !== undefined) {
    const metadata = subject === undefined ? {} : { subject };
    details.push({ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, domain: 'berth', metadata });
  }
  return { status: statuses[code] ?? 500, body: { code, message, details, error: message } };
}
