// What Berth asks of whatever runs instances: virtual machines or containers, on this host or, through an operator's cluster
// engine, on a whole cluster of them; so nothing here speaks of processes, files or this machine. Every call is
// level-triggered: it says what should be, may be repeated, and finds out for itself what is already there.

/**
 * An instance as it is. `off` was switched off or ended by itself; `dead` lost what ran it, or failed, without being asked to.
 */
export interface Found {
  instanceId: string;
  power: 'running' | 'off' | 'dead';
  /** Why it is dead, or what keeps it from going on, where that is known. */
  reason?: string;
  /** Set with a reason that no restart mends: for programs, what it is. */
  failureCode?: string;
  /** Dead, and the driver was not there to see how: the host's own services may be to blame rather than the instance. */
  unwitnessed?: boolean;
  /** The address it uses, where that can be seen. */
  address?: string;
  /** Which start of it runs, or ran when it went off; 1 where nobody counted. */
  bootNumber?: number;
  /** While a VM runs: what it was started with. */
  size?: { vcpus: number; memoryMib: number };
  /** While it runs: how long it has done so without a break, whoever has watched and whatever the date was set to. */
  runningMs?: number;
}

/**
 * What an instance that runs has used so far, as counters that only grow for as long as one run of it lasts. Null is what nobody
 * counts, which is not nothing.
 */
export interface Counters {
  instanceId: string;
  /** Tells one run from the next, in which everything is counted anew. */
  run: string;
  cpuSeconds: number | null;
  /** What it takes of memory now. */
  memoryBytes: number | null;
  diskReadBytes: number | null;
  diskWriteBytes: number | null;
  diskReads: number | null;
  diskWrites: number | null;
  /** What came to the instance, and what it sent. */
  networkReceiveBytes: number | null;
  networkSendBytes: number | null;
}

/** Something worth telling the customer while an instance comes up. */
export interface Progress {
  /** A kind of event, such as `image.download`. */
  kind: string;
  message: string;
  /** Bytes so far and in all, for a download. */
  done?: number;
  total?: number;
  /** Whatever else a program may want to know. */
  data?: Record<string, unknown>;
}

/**
 * An instance can't be brought up. `permanent` means that trying again can't help (a bad image, say); otherwise the caller
 * retries with back-off. `message` is for the customer.
 */
export class DriverFailure extends Error {
  readonly code: string;
  readonly permanent: boolean;

  constructor(code: string, message: string, permanent: boolean, options?: ErrorOptions) {
    super(message, options);
    this.name = 'DriverFailure';
    this.code = code;
    this.permanent = permanent;
  }
}

/**
 * What runs the instances does not answer: nothing is known of them, and nothing can be done. It is asked again for as long
 * as it takes; no attempt of an instance's is used up.
 */
export class DriverAway extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'DriverAway';
  }
}

/** Runs instances of one kind, each described by a `Spec`. Every call may throw {@link DriverAway}. */
export interface Driver<Spec> {
  /** Every instance that exists here in whatever state, found by looking rather than by remembering. */
  observe(): Promise<Found[]>;
  /** One instance as {@link observe} would show it now; undefined when nothing of it is here. */
  inspect(instanceId: string): Promise<Found | undefined>;
  /**
   * Makes the instance exist, run, and have exactly these open ports. One that runs is not restarted.
   * @throws DriverFailure
   */
  run(spec: Spec, progress: (step: Progress) => void, signal: AbortSignal): Promise<void>;
  /** Asks it to end, ends it after `graceMs`, then removes all that is left of it. Done on nothing is done. */
  erase(instanceId: string, graceMs: number, progress: (step: Progress) => void): Promise<void>;
  /** What those that run have used. One that can't be looked at now is left out. */
  usage(): Promise<Counters[]>;
  /** What is here that belongs to no instance or disk of `known`: processes and files. Nothing is done about it. */
  strays(known: ReadonlySet<string>): Promise<string[]>;
  /** Calls back when an instance's state has changed by itself. */
  onChange(listener: (instanceId: string) => void): void;
  /** Lets go of everything and leaves the instances running. */
  close(): Promise<void>;
}
