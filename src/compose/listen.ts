// `HOST:PORT` as a person writes it.

/** Where to listen. */
export interface ListenAddress {
  host: string;
  port: number;
}

/**
 * Reads `127.0.0.1:8080`, `[::1]:8080` or `:8080`.
 * @throws Error that shows the right form
 */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:[\]]*):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (!match || port > 65535)
    throw new Error(`"${text}" is not an address to listen on; write HOST:PORT, such as 127.0.0.1:8080.`);
  return { host: (match[1] || '0.0.0.0').replace(/^\[|\]$/g, ''), port };
}

/** Whether it is every address of this machine that is listened on, so that none of them is the one to name elsewhere. */
export const listensEverywhere = ({ host }: ListenAddress): boolean => ['0.0.0.0', '::'].includes(host);

/** The URL under which this machine reaches what listens there. */
export function urlOf({ host, port }: ListenAddress): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}
