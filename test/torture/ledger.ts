// What the clients know: which requests were accepted, which refused, and which were never answered. It is the word that
// Berth has given, and the checker holds Berth to it.

/** One deployment as its client sees it. `open` is still being asked; `unknown` was never answered. */
export interface Request {
  key: string;
  name: string;
  count: number;
  body: object;
  outcome: 'open' | 'accepted' | 'refused' | 'unknown';
  ids: readonly string[];
}

/** One accepted instance. */
export interface Promised {
  id: string;
  request: Request;
  /** Its open ports, sorted and joined; null while the answer to a change is not known. */
  ports: string | null;
  deletion: 'none' | 'ordered' | 'unknown';
  /** Whether it was last switched on or off, whether it is deleted and can be brought back, and its cores; null unknown. */
  power: 'on' | 'off' | null;
  hidden: boolean | null;
  cores: number | null;
  /** A customer waits for the answer to a change of it, and the others leave it alone meanwhile. */
  busy: boolean;
  /** It was seen running; from then on it must never fail. */
  ran: boolean;
  /** A database that was put back to an older copy may not know that it was deleted. */
  mayBeLost: boolean;
}

/** Everything the clients of one world know. */
export class Ledger {
  readonly requests = new Set<Request>();
  readonly promised = new Map<string, Promised>();
  /** Deletions that were never answered: each is done wholly or not at all. */
  readonly openDeletions = new Set<readonly string[]>();
  /** Instances that the database has forgotten: what the host still has of them is nobody's, and must be shown as that. */
  readonly forgotten = new Set<string>();
  /** Those of them that ran and that nobody had asked to delete: they must run on. */
  readonly orphans = new Set<string>();
  /** Everything that may have been erased: ordered away, asked to be, or failed. */
  readonly mayBeErased = new Set<string>();
  /** Instances whose records the agent has closed for ever, so that a checker need not read them again. */
  readonly closedRecords = new Set<string>();
  /** Answers that contradict each other or the API's contract. */
  readonly complaints: string[] = [];

  /** Notes that a request was accepted. */
  accept(request: Request, ids: readonly string[], ports: string | null): void {
    request.outcome = 'accepted';
    request.ids = ids;
    if (ids.length !== request.count) this.complain(`${request.name}: ${ids.length} of ${request.count} were accepted`);
    for (const id of ids) {
      if (this.promised.has(id)) this.complain(`${id} was given to two requests`);
      const stands = { deletion: 'none', power: 'on', hidden: false, cores: null, busy: false } as const;
      this.promised.set(id, { id, request, ports, ...stands, ran: false, mayBeLost: false });
    }
  }

  /** Notes what was answered to a deletion; `unknown` when nothing was. */
  orderDeletion(ids: readonly string[], deletion: 'ordered' | 'unknown'): void {
    for (const id of ids) {
      this.mayBeErased.add(id);
      const instance = this.promised.get(id);
      if (instance && instance.deletion !== 'ordered') instance.deletion = deletion;
    }
    if (deletion === 'unknown') this.openDeletions.add(ids);
  }

  /** Instances that nobody has asked to delete. */
  live(): Promised[] {
    return [...this.promised.values()].filter(({ deletion }) => deletion === 'none');
  }

  complain(message: string): void {
    this.complaints.push(message);
  }
}

/** Ports in one comparable form; 22/tcp, which is open unless a change closes it, is named like the others. */
export function portsText(ports: readonly { port: number; protocol: string }[]): string {
  return ports
    .map(({ port, protocol }) => `${port}/${protocol}`)
    .sort()
    .join(' ');
}
