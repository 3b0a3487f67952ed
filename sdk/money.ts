// Money with what is no JSON: a statement and revenue for spreadsheets.

import { MoneyApi } from './generated/resources.ts';
import { errorOfResponse, type Options, type Transport } from './transport.ts';

/** Money, and statements and revenue as CSV. */
export class Money extends MoneyApi {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    super(transport);
    this.#transport = transport;
  }

  /**
   * Every transaction of a span of time with the balance after it, as CSV.
   * @throws BerthError where the server refuses
   */
  async statementCsv(
    account: string,
    query: { from?: string | undefined; to?: string | undefined } = {},
    { signal }: Options = {},
  ): Promise<string> {
    return this.#csv(`/berth/v1/accounts/${encodeURIComponent(account)}/statement`, query, signal);
  }

  /**
   * What was earned, as CSV: with `per` a row for each period, else one for whoever earned.
   * @throws BerthError where the server refuses
   */
  async revenueCsv(
    query: NonNullable<Parameters<MoneyApi['getRevenue']>[0]> = {},
    { signal }: Options = {},
  ): Promise<string> {
    return this.#csv('/berth/v1/revenue', query, signal);
  }

  async #csv(
    path: string,
    query: Record<string, string | number | undefined>,
    signal: AbortSignal | undefined,
  ): Promise<string> {
    const response = await this.#transport.send('GET', path, { query }, { accept: 'text/csv' }, signal);
    if (!response.ok) throw await errorOfResponse(response, `GET ${this.#transport.url}${path}`);
    return response.text();
  }
}
