// The files that a QEMU is given when it starts, as open descriptors in the order in which its command line counts them. Its
// user needs no access to any directory of the host, and a guest that has taken QEMU over finds no path to follow.

/** A file to be opened for QEMU. */
export interface OpenedFile {
  path: string;
  access: 'read' | 'write';
  /** What QEMU remembers of it, for whoever asks it later which of its files is which. */
  mark: string;
}

/** Standard input, output and errors come first. */
const firstDescriptor = 3;

/** Collects the files of one command line. */
export class Descriptors {
  readonly files: OpenedFile[] = [];

  /** Takes a file in. @returns the name by which QEMU's other options open it */
  add(file: OpenedFile): string {
    this.files.push(file);
    return fdsetPath(this.files.length);
  }

  /** The options that tell QEMU of its descriptors. */
  arguments(): string[] {
    return this.files.flatMap(({ mark }, index) => [
      '-add-fd',
      `fd=${firstDescriptor + index},set=${index + 1},opaque=${escaped(mark)}`,
    ]);
  }
}

/** The name by which QEMU opens one of its sets of descriptors. */
export function fdsetPath(set: number): string {
  return `/dev/fdset/${set}`;
}

/** QEMU reads a comma as the end of an option, and two as one comma. */
function escaped(value: string): string {
  return value.replaceAll(',', ',,');
}
