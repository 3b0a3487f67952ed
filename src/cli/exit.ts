// How commands end: what went wrong as a sentence with what to do next, and an exit code that a program can go by.

import {
  AccessError,
  BerthError,
  ConflictError,
  ConnectionError,
  type ErrorCode,
  ForeignAnswerError,
  InvalidError,
  NotFoundError,
  RateLimitError,
  RefusedError,
  StaleError,
  TimeUpError,
} from '../../sdk/error.ts';

/** Exit codes, as `berth --help` lists them. */
export const exitCodes = {
  failed: 1,
  usage: 2,
  access: 3,
  notFound: 4,
  conflict: 5,
  unreachable: 6,
  /** As shells have it for Ctrl-C. */
  interrupted: 130,
  /** As shells have it for SIGTERM. */
  terminated: 143,
} as const;

/** The command line itself is wrong. */
export class UsageError extends Error {}
/** Somebody was asked, and pressed Ctrl-C. */
export class CancelledError extends Error {}
/** Nothing of this name is there. */
export class NotThereError extends Error {}
/** Nobody has logged in. */
export class NobodyError extends Error {}
/** Where the command stood that went wrong, for what it says to do next. */
export interface Whence {
  /** The command, as it is typed: `berth vm show`. */
  path: string;
  /** The command that lists what it is about, where there is one: `berth vm list`. */
  list: string | null;
  /** Where its key is from. */
  key: 'environment' | 'profile' | 'session' | null;
}

const helpOf = ({ path }: Whence) => `"${path} --help" shows what it takes.`;
const newLogin = {
  environment: 'The key is what BERTH_API_KEY in the environment says; take that away to ask as "berth login" does.',
  profile: 'Was the key revoked, or has it expired? "berth login" takes another; "berth profile list" shows where to.',
  session: 'A session ends after an hour without use; "berth login --username NAME" opens another.',
};

/** What to do about each error that the API answers. */
const hints: Record<ErrorCode, string | ((whence: Whence) => string)> = {
  unauthenticated: ({ key }) => newLogin[key ?? 'profile'],
  bad_credentials: 'Try again; after some failures each attempt has to wait.',
  second_factor_needed: '"berth login --username NAME --code CODE" takes a code of your second factor.',
  cross_site: 'What stands in front of this Berth changes Host or Origin; who runs it has to let them pass.',
  forbidden:
    '"berth me" shows as whom you ask and what you may do; "berth login --profile NAME" makes another profile.',
  not_found: ({ list }) =>
    `What belongs to others looks the same. ${list ? `"${list}" shows what there is.` : ''}`.trim(),
  malformed: helpOf,
  invalid_value: helpOf,
  unsupported: helpOf,
  no_suitable_offer: '"berth offer explain" with the same options says why, and what would work.',
  not_enough_offers: 'Ask for fewer; "berth offer explain" with the same options says what would work.',
  insufficient_balance: '"berth balance" shows what there is; who runs this Berth credits accounts.',
  name_taken: ({ list }) => `Take another name, or delete what has it${list ? `; "${list}" shows it` : ''}.`,
  slot_not_available: '"berth slot list --available" shows those that are free.',
  price_stale: '"berth slot show" has the prices as they are now.',
  quote_over: '"berth quote create" makes a new one.',
  quote_too_small: '"berth quote show" says what it holds; ask for that or less, or for a new quote.',
  external_id_reused: 'Give another --external-id; the same request under the same one is no error.',
  wrong_state: 'Bring it into that state first, or wait: "berth operation list" shows what is under way.',
  precondition_failed: 'Somebody has changed it meanwhile. Look at it, and try again.',
  idempotency_key_reused: 'Run the command again.',
  method_not_allowed: 'Are this command line and that Berth of one version? "berth --version" says which this is.',
  payload_too_large: 'Give a smaller file.',
  unsupported_media_type: 'Are this command line and that Berth of one version? "berth --version" says which this is.',
  too_many_requests: 'Wait a little, and ask less often.',
  internal: 'That is a fault of Berth. Try again; if it stays, tell the request to who runs it.',
  unavailable: 'Try again in a moment.',
};

/** Certificates that Node does not take, by how their codes begin. */
const untrusted = /^(DEPTH_ZERO_SELF|SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)|CERT_UNTRUSTED)/;

/** What to do where nothing has answered, by what the machine said. */
const connectionHints: readonly (readonly [code: RegExp, hint: string])[] = [
  [/^ECONNREFUSED/, 'Nothing listens there. Is Berth up ("berth up"), and is that its port?'],
  [/^(ENOTFOUND|EAI_AGAIN)/, 'No such host is known here. Is the name right? "berth profile list" shows the URLs.'],
  [
    /^(EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT)/,
    'There is no way there. Is a VPN or firewall between?',
  ],
  [
    untrusted,
    'Who signed its certificate is unknown here. NODE_EXTRA_CA_CERTS=FILE names an authority to trust: a\nBerth of its own has it in tls/ca.crt of its data directory.',
  ],
  [/^CERT_HAS_EXPIRED/, 'Its certificate has expired; who runs this Berth has to renew it.'],
  [/^ERR_TLS_CERT_ALTNAME/, 'Its certificate is for another name; use the URL that it is for.'],
  [/^(EPROTO|ERR_SSL)/, 'That port speaks no TLS; is the URL http:// in place of https://?'],
  [
    /^(ECONNRESET|UND_ERR_SOCKET|EPIPE|HPE_)/,
    'It hung up. Is it an HTTP server at all, or is the URL https:// in place of http://?',
  ],
  [/^TimeoutError/, 'It took too long. Is the server under load, or something between that swallows requests?'],
];

/** What Node calls the reason that fetch hides. */
function codeOf(error: unknown): string {
  for (let one = error as { cause?: unknown; code?: unknown; name?: unknown } | undefined; one; ) {
    if (typeof one.code === 'string') return one.code;
    if (one.name === 'TimeoutError') return 'TimeoutError';
    one = one.cause as typeof one;
  }
  return '';
}

function foreignHint({ status }: ForeignAnswerError): string {
  if (status >= 502 && status <= 504) return 'A proxy in front of Berth answers for it. Is Berth itself up?';
  return 'Is that the URL of a Berth, without a path? "berth profile list" shows where you are logged in.';
}

/** The lines that tell of an error. */
export function sentenceOf(error: unknown, whence: Whence): string {
  if (error instanceof RefusedError) {
    const { errors = [], detail, parameter, pointer, requestId } = error.problem;
    const place = parameter ?? pointer?.replace(/^#\//, '');
    const told = place === undefined || detail.includes(place) ? detail : `${place}: ${detail}`;
    const all = errors.length > 1 ? errors.map((one) => `\n  ${one.detail}`).join('') : told;
    // One that is newer than these commands says itself what to do.
    const hint = hints[error.code] ?? error.problem.title;
    const lines = [all, typeof hint === 'string' ? hint : hint(whence)];
    if (error.status >= 500 && requestId) lines.push(`The request was ${requestId}.`);
    return lines.filter(Boolean).join('\n');
  }
  if (error instanceof ForeignAnswerError) return `${error.message}\n${foreignHint(error)}`;
  if (error instanceof ConnectionError) {
    const code = codeOf(error);
    const [, hint = 'Is Berth up, and is that its address?'] = connectionHints.find(([one]) => one.test(code)) ?? [];
    return `${error.message}\n${hint}`;
  }
  return error instanceof Error ? error.message : String(error);
}

/** The market has nothing now, which is no fault of the command line's. */
const conflicts: ReadonlySet<string> = new Set(['no_suitable_offer', 'not_enough_offers', 'quote_too_small']);

/** The exit code of an error. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof RefusedError && conflicts.has(error.code)) return exitCodes.conflict;
  if (error instanceof CancelledError) return exitCodes.interrupted;
  if (error instanceof UsageError || error instanceof InvalidError) return exitCodes.usage;
  if (error instanceof NotFoundError || error instanceof NotThereError) return exitCodes.notFound;
  if (error instanceof AccessError || error instanceof NobodyError) return exitCodes.access;
  if (error instanceof ConflictError || error instanceof StaleError) return exitCodes.conflict;
  if (error instanceof ConnectionError || error instanceof ForeignAnswerError) return exitCodes.unreachable;
  if (error instanceof RateLimitError) return exitCodes.unreachable;
  if (error instanceof TimeUpError || (error instanceof BerthError && error.status >= 500))
    return exitCodes.unreachable;
  return exitCodes.failed;
}
