// The one call that the demo shows as a customer's own tool would make it, in that tool's dialect. All else it does by the SDK: what is
// one instance there is one here.

/** A dialect's answer that was no success. */
class DialectRefusal extends Error {}

/** A call of a dialect, as `curl` makes it. */
export interface DialectCall {
  /** Below Berth's URL, such as `/vms/v3`. */
  path: string;
  headers: Record<string, string>;
  body: object;
}

/**
 * Posts it.
 * @param url Berth's
 * @throws Error with what the server said
 */
export async function callDialect<Answer>(url: string, { path, headers, body }: DialectCall): Promise<Answer> {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const answer = (await response.json()) as Answer & { error?: string; message?: string };
  if (response.ok) return answer;
  const said = answer.error ?? answer.message ?? `POST ${path} was answered ${response.status}.`;
  throw new DialectRefusal(said);
}

/** What Berth's own API calls a VM of Fluence's. */
export const nativeIdOf = (vmId: string): string => vmId.replace(/^0x/, 'ins_');

/** What hosts and Fluence's API call an instance of Berth's own. */
export const vmIdOf = (id: string): string => id.replace(/^ins_/, '0x');
