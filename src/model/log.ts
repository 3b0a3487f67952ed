// One line of what an instance has said.

/** The kind of event that keeps the last lines of a container that is no more, in `data.lines`. */
export const lastWordsKind = 'container.last_words';

/** A line of output. */
export interface LogLine {
  /** RFC 3339, with as many digits of a second as are known. */
  timestamp: string;
  stream: 'stdout' | 'stderr' | 'system';
  line: string;
}
