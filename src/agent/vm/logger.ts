// What the driver asks of a logger: the part of pino's that it uses, so that a test can pass a plain object.

/** One entry: what it is about, then the sentence. */
type Entry = (about: object, message: string) => void;

export interface VmLogger {
  info: Entry;
  warn: Entry;
  error: Entry;
}
