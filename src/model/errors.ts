// The one table of everything that can be answered as an error: which code, which HTTP status, and what the reader can
// do about it. A dialect maps a code to its own shape and, where its contract differs, its own status; it never restates it.

/** Every error that Berth answers on purpose, with its default HTTP status and the advice that belongs to it. */
export const errorTable = {
  unauthenticated: { status: 401, advice: 'Send a valid API key.' },
  bad_credentials: { status: 401, advice: 'Check the username and the password, and the code where one is needed.' },
  second_factor_needed: { status: 401, advice: "Log in again with a code of the user's second factor." },
  cross_site: {
    status: 403,
    advice: 'Send it from a page of the same site, or without a cookie and with a token in the header Authorization.',
  },
  forbidden: { status: 403, advice: 'Use a key that carries this permission.' },
  not_found: { status: 404, advice: 'Check the identifier; it must belong to your account.' },
  method_not_allowed: { status: 405, advice: 'Use one of the methods that the header Allow names.' },
  malformed: { status: 400, advice: 'Send what is documented: the query, and a body of its shape.' },
  invalid_value: { status: 422, advice: 'Correct the named field and send the request again.' },
  unsupported: { status: 422, advice: 'Leave the named field out, or set it to null.' },
  no_suitable_offer: { status: 422, advice: 'Relax the constraints, or try again when capacity is free.' },
  not_enough_offers: { status: 422, advice: 'Ask for fewer instances, or relax the constraints.' },
  insufficient_balance: { status: 402, advice: 'Credit the account, or deploy something cheaper.' },
  name_taken: { status: 409, advice: 'Choose another name, or delete the instance that has it.' },
  slot_not_available: { status: 409, advice: 'Choose one that is available.' },
  price_stale: { status: 409, advice: 'Read it again, and use a price that it has now.' },
  quote_over: { status: 409, advice: 'Ask for a new quote.' },
  quote_too_small: { status: 422, advice: 'Ask for what the quote holds or less, or for a new quote.' },
  external_id_reused: { status: 409, advice: 'Use a new id for a different deployment.' },
  wrong_state: { status: 409, advice: 'Wait until the instance has reached a state that allows this.' },
  precondition_failed: {
    status: 412,
    advice: 'Read it again, and send the change with the ETag of what you have seen.',
  },
  idempotency_key_reused: { status: 422, advice: 'Use a new Idempotency-Key for a different request.' },
  payload_too_large: { status: 413, advice: 'Send a smaller body.' },
  unsupported_media_type: { status: 415, advice: 'Send JSON with Content-Type: application/json.' },
  too_many_requests: { status: 429, advice: 'Slow down and try again.' },
  internal: { status: 500, advice: 'Try again; tell the operator the request id if it stays.' },
  unavailable: { status: 503, advice: 'Try again in a moment.' },
} as const;

/** The code of an error in {@link errorTable}. */
export type ErrorCode = keyof typeof errorTable;

/** An error that is meant to be read by whoever made the request. Its message holds no secret. */
export class BerthError extends Error {
  readonly code: ErrorCode;
  /** The field or identifier at fault, as the customer wrote it, where there is one. */
  readonly subject: string | undefined;

  /**
   * @param code which row of {@link errorTable} this is
   * @param message what was wrong, with which value, and what would be right
   * @param subject the path of the field, such as `vmConfiguration.name`, or an identifier
   */
  constructor(code: ErrorCode, message: string, subject?: string) {
    super(message);
    this.name = 'BerthError';
    this.code = code;
    this.subject = subject;
  }
}

/** What is wrong with each field of a request: sentences, or for a list of parts such an object for each of them. */
export interface FieldFaults {
  [field: string]: readonly string[] | readonly FieldFaults[];
}

/** A request with faults in several fields, or in the parts of a list, which are all told at once. */
export class InvalidFields extends BerthError {
  readonly fields: FieldFaults;

  constructor(fields: FieldFaults) {
    super('invalid_value', `These fields are not right: ${Object.keys(fields).join(', ')}.`, Object.keys(fields)[0]);
    this.name = 'InvalidFields';
    this.fields = fields;
  }
}

const shownLengthMax = 80;

/**
 * A value as it may stand in an error message: JSON, cut to a length that a terminal line holds. A private key pasted into
 * the wrong field is not repeated.
 * @param value whatever was sent
 */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  if (text.includes('PRIVATE KEY')) return 'a private key';
  return text.length > shownLengthMax ? `${text.slice(0, shownLengthMax)}… (${text.length} characters)` : text;
}
