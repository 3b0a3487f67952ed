// A download that is not complete yet: the bytes so far, and beside them what the server said of the whole, so that it can
// be resumed after a lost connection, a killed agent or a power cut. Only bytes known to be on the disk are counted.

import { type FileHandle, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDiskFull } from './failure.ts';
import { writeFileAtomically } from './index-file.ts';
import { SparseWriter } from './sparse-writer.ts';

/** What tells one version of a file on a server from another. */
export interface Validators {
  etag: string | null;
  lastModified: string | null;
}

interface Sidecar extends Validators {
  totalBytes: number | null;
  syncedBytes: number;
}

/** Reads a sidecar; anything but a whole one counts as none. */
async function readSidecar(path: string): Promise<Sidecar | null> {
  try {
    const found = JSON.parse(await readFile(path, 'utf8')) as Partial<Sidecar>;
    const text = (value: unknown) => (typeof value === 'string' ? value : null);
    if (!Number.isSafeInteger(found.syncedBytes)) return null;
    return {
      etag: text(found.etag),
      lastModified: text(found.lastModified),
      totalBytes: Number.isSafeInteger(found.totalBytes) ? (found.totalBytes as number) : null,
      syncedBytes: found.syncedBytes as number,
    };
  } catch {
    return null;
  }
}

export interface PartFileOptions {
  directory: string;
  /** The file's name without ending. */
  key: string;
  syncEveryBytes: number;
  checkSpace: () => Promise<void>;
}

export class PartFile {
  readonly path: string;
  readonly #sidecarPath: string;
  readonly #options: PartFileOptions;
  readonly #file: FileHandle;
  #writer: SparseWriter;
  #sidecar: Sidecar;
  #removed = false;

  private constructor(options: PartFileOptions, file: FileHandle, sidecar: Sidecar) {
    const { path, sidecarPath } = partPaths(options.directory, options.key);
    this.path = path;
    this.#sidecarPath = sidecarPath;
    this.#options = options;
    this.#file = file;
    this.#sidecar = sidecar;
    this.#writer = new SparseWriter(file, sidecar.syncedBytes, options.checkSpace);
  }

  /** Opens what an earlier attempt has left, or an empty one. */
  static async open(options: PartFileOptions): Promise<PartFile> {
    const { path, sidecarPath } = partPaths(options.directory, options.key);
    const found = await readSidecar(sidecarPath);
    const file = await open(path, found ? 'r+' : 'w+', 0o600).catch(async () => {
      await rm(path, { force: true });
      return open(path, 'w+', 0o600);
    });
    try {
      const { size } = await file.stat();
      const usable = found !== null && found.syncedBytes <= size;
      const sidecar = usable ? found : { etag: null, lastModified: null, totalBytes: null, syncedBytes: 0 };
      await file.truncate(sidecar.syncedBytes);
      return new PartFile(options, file, sidecar);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  get bytes(): number {
    return this.#writer.position;
  }

  /** The size of the whole, if the server has said it. */
  get totalBytes(): number | null {
    return this.#sidecar.totalBytes;
  }

  get validators(): Validators {
    return { etag: this.#sidecar.etag, lastModified: this.#sidecar.lastModified };
  }

  /** Forgets the bytes so far and begins again with what the server now says of the whole. */
  async restart(validators: Validators, totalBytes: number | null): Promise<void> {
    this.#sidecar = { ...validators, totalBytes, syncedBytes: 0 };
    await this.#file.truncate(0);
    this.#writer = new SparseWriter(this.#file, 0, this.#options.checkSpace);
    await this.#writeSidecar();
  }

  async append(chunk: Buffer): Promise<void> {
    await this.#writer.write(chunk);
    if (this.bytes - this.#sidecar.syncedBytes >= this.#options.syncEveryBytes) await this.checkpoint();
  }

  /** Makes sure that the bytes so far survive whatever comes. */
  async checkpoint(): Promise<void> {
    if (this.#removed || this.bytes === this.#sidecar.syncedBytes) return;
    await this.#writer.sync();
    this.#sidecar.syncedBytes = this.bytes;
    await this.#writeSidecar();
  }

  /** Notes that this is all of it. */
  async complete(): Promise<void> {
    await this.checkpoint();
    this.#sidecar.totalBytes = this.bytes;
    await this.#writeSidecar();
  }

  /** The first `length` bytes, or as many as there are. */
  async head(length: number): Promise<Buffer> {
    const { buffer, bytesRead } = await this.#file.read(Buffer.alloc(length), 0, length, 0);
    return buffer.subarray(0, bytesRead);
  }

  /** Closes it and keeps the bytes for a later attempt; without any, or without room to note them, nothing stays. */
  async close(): Promise<void> {
    try {
      await this.checkpoint();
      if (this.bytes === 0) await this.remove();
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      await this.remove();
    } finally {
      await this.#file.close();
    }
  }

  /** Removes its files; it still has to be closed. */
  async remove(): Promise<void> {
    this.#removed = true;
    await rm(this.path, { force: true });
    await rm(this.#sidecarPath, { force: true });
  }

  #writeSidecar(): Promise<void> {
    return writeFileAtomically(this.#sidecarPath, JSON.stringify(this.#sidecar));
  }
}

/** Where the files of a part are. */
function partPaths(directory: string, key: string): { path: string; sidecarPath: string } {
  return { path: join(directory, `${key}.part`), sidecarPath: join(directory, `${key}.json`) };
}
