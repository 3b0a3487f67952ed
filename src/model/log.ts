// One line of what an instance has said.

/** A line of output. */
export interface LogLine {
  /** RFC 3339, with as many digits of a second as are known. */
  timestamp: string;
  stream: 'stdout' | 'stderr' | 'system';
  line: string;
}
