// Which errors an operation can answer: those that every operation of its kind can, which are put together here, and its own, which
// stand beside it. The document names them, and tests hold every answer to that.

import { type ErrorCode, errorTable } from '../../model/errors.ts';
import { sampleId } from './id.ts';

/** What an operation says of itself that its errors depend on. */
export interface RefusalParts {
  /** Below `/berth/v1`, such as `/groups/{group}`. */
  path: string;
  method: string;
  /** The parts of its query. */
  query: object;
  isPublic?: true;
  isForOperators?: true;
  isForUsers?: true;
  /** Its own codes, beside those of its kind. */
  refusals?: readonly ErrorCode[];
}

/** Whatever is asked for: it can't be read, comes too often, or at a bad moment. */
const ofAll: readonly ErrorCode[] = ['malformed', 'too_many_requests', 'internal', 'unavailable'];
const ofBodies: readonly ErrorCode[] = ['payload_too_large', 'unsupported_media_type'];

/** The codes of an operation, each once, in the order of the table. */
export function codesOf({ path, method, query, ...parts }: RefusalParts): ErrorCode[] {
  const { isPublic, isForOperators, isForUsers, refusals = [] } = parts;
  const codes = new Set<ErrorCode>([
    ...ofAll,
    ...(isPublic ? [] : (['unauthenticated'] as const)),
    ...(isForOperators || isForUsers ? (['forbidden'] as const) : []),
    ...(path.includes('{') || 'account' in query ? (['not_found'] as const) : []),
    // A cursor of another list, an id of another kind.
    ...(Object.keys(query).length > 0 ? (['invalid_value'] as const) : []),
    ...(method === 'GET' ? [] : ofBodies),
    ...refusals,
  ]);
  return (Object.keys(errorTable) as ErrorCode[]).filter((code) => codes.has(code));
}

/**
 * What every change can answer beside that: a read-only key is refused, and so are a cookie that another site's page has sent along,
 * an `Idempotency-Key` that is none or another request's, and `If-Match` with what has no `ETag` or has another one by now.
 * @param hasTag whether what is changed has an `ETag`
 */
export const codesOfChange = (hasTag: boolean): readonly ErrorCode[] => [
  ...(['forbidden', 'cross_site', 'invalid_value', 'idempotency_key_reused'] as const),
  hasTag ? 'precondition_failed' : 'unsupported',
];

const sampleRequestId = '8f2b6c1e-5f1d-4b4e-9d5a-0d2c1f3e4a5b';

/** What an error of each code may say of what was wrong. */
const sampleDetails: Record<ErrorCode, string> = {
  unauthenticated: 'There is no such API key or session.',
  bad_credentials: 'Bad login credentials.',
  second_factor_needed: 'Missing 2FA.',
  cross_site:
    'A change that comes with the cookie berth_session needs Sec-Fetch-Site: same-origin, or an Origin that is this site.',
  forbidden: 'You may see account default, but this needs the privilege account_admin on it.',
  not_found: 'There is no group 17.',
  method_not_allowed: '/berth/v1/groups takes GET, HEAD, POST, OPTIONS, and not PUT.',
  malformed: 'name must be string (it is 17).',
  invalid_value: 'name is "Web 1"; a name has letters, digits and "-".',
  unsupported: 'Instance web-1 is a container, of which only the name and the group change.',
  no_suitable_offer: 'No suitable offer found',
  not_enough_offers: 'Not enough offers found',
  insufficient_balance:
    'The balance is too low: the first epoch and the deposit come to 2.5 USD, and 1.25 USD are available.',
  name_taken: 'An instance named "web-1" exists already.',
  slot_not_available: `The slot ${sampleId('slot')} is rented, inactive or without an address to give; choose one that is available.`,
  price_stale: `${sampleId('slotPrice')} is no price that the slot ${sampleId('slot')} has now; read the slot again.`,
  quote_over: `The quote ${sampleId('quote')} was used; ask for a new one.`,
  quote_too_small: `The quote ${sampleId('quote')} is for VMs.`,
  external_id_reused: 'externalId "job-17" was used for a different request.',
  wrong_state: 'The VM web-1 is not on; start it first.',
  precondition_failed: 'If-Match is "a1", but its ETag is "b2" now: it was changed since you read it.',
  idempotency_key_reused: 'This Idempotency-Key was used for a different request; use a new one.',
  payload_too_large: 'The body is larger than this call takes.',
  unsupported_media_type: 'The body must be JSON, with Content-Type: application/json.',
  too_many_requests: 'More than 12000 requests in 60 s; the next is taken in 3 s.',
  internal: `Something went wrong on our side; the request id is ${sampleRequestId}.`,
  unavailable: 'The service is starting or out of reach of its database; try again.',
};

/** A problem of a code, for the document. */
export function sampleProblem(code: ErrorCode): object {
  const { status, advice } = errorTable[code];
  return {
    ...{ type: 'about:blank', title: advice, status, code },
    ...{ detail: sampleDetails[code], requestId: sampleRequestId },
  };
}
