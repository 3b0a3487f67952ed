// Looking at a VM's screen as a VNC client does, over whatever leads there.

import assert from 'node:assert/strict';
import type { Duplex } from 'node:stream';

/** Reads so many bytes. */
type Read = (bytes: number) => Promise<Buffer>;

/** As much of a VNC client as it takes to see a picture (RFC 6143). */
export class Screen {
  readonly version: string;
  readonly width: number;
  readonly height: number;
  readonly #read: Read;
  readonly #socket: Duplex;

  private constructor(socket: Duplex, read: Read, version: string, size: Buffer) {
    this.#socket = socket;
    this.#read = read;
    this.version = version;
    this.width = size.readUInt16BE(0);
    this.height = size.readUInt16BE(2);
  }

  /** Begins with what a server of VNC says first. */
  static async over(socket: Duplex): Promise<Screen> {
    const bytes = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    let rest = Buffer.alloc(0);
    const read = async (count: number) => {
      while (rest.length < count) {
        const { value, done } = await bytes.next();
        if (done) throw new Error('the connection is over');
        rest = Buffer.concat([rest, value]);
      }
      const piece = rest.subarray(0, count);
      rest = rest.subarray(count);
      return piece;
    };
    const version = (await read(12)).toString();
    socket.write('RFB 003.008\n');
    const kinds = await read((await read(1)).readUInt8());
    assert.ok(kinds.includes(1), 'no password is asked for');
    socket.write(Buffer.from([1]));
    assert.equal((await read(4)).readUInt32BE(), 0);
    socket.write(Buffer.from([1]));
    const size = await read(20);
    const start = await read(4);
    await read(start.readUInt32BE());
    return new Screen(socket, read, version, size);
  }

  /** The pixels of all of it. */
  async update(): Promise<Buffer> {
    const request = Buffer.alloc(10);
    request.writeUInt8(3, 0);
    request.writeUInt16BE(this.width, 6);
    request.writeUInt16BE(this.height, 8);
    this.#socket.write(request);
    const header = await this.#read(4 + 12);
    assert.equal(header.readUInt8(0), 0, 'a framebuffer update');
    assert.equal(header.readInt32BE(12), 0, 'raw pixels');
    return this.#read(header.readUInt16BE(8) * header.readUInt16BE(10) * 4);
  }

  close(): void {
    this.#socket.destroy();
  }
}
