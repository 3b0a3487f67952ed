// Every bound of the image store in one place, each with its reason. An operator or a test may change any of them; the
// code that enforces them takes the whole set and never a number of its own.

const kib = 1024;
const mib = 1024 * kib;
const gib = 1024 * mib;
const second = 1000;
const minute = 60 * second;

export interface ImageLimits {
  downloadBytesMax: number;
  virtualBytesMax: number;
  cacheBytesMax: number;
  freeBytesMin: number;
  downloadsMax: number;
  redirectsMax: number;
  attemptsMax: number;
  retryBaseMs: number;
  retryMaxMs: number;
  headerTimeoutMs: number;
  revalidateTimeoutMs: number;
  stallTimeoutMs: number;
  deadlineMs: number;
  buildWaitMs: number;
  freshMs: number;
  holdMs: number;
  partAgeMs: number;
  syncEveryBytes: number;
  unpackMs: number;
  unpackMemoryBytes: number;
  checkMs: number;
  checkMemoryBytes: number;
}

export const defaultImageLimits: ImageLimits = {
  /** The largest public cloud images are below 5 GB; four times that leaves room for customers' own. */
  downloadBytesMax: 20 * gib,
  /** What an image may claim or expand to. It bounds the work that a decompression bomb can cause. */
  virtualBytesMax: 64 * gib,
  /** Some tens of images; disk space on a host is for the VMs. */
  cacheBytesMax: 100 * gib,
  /** Left free on the file system, for overlays that grow and for whatever else lives there. */
  freeBytesMin: 1 * gib,
  /** More downloads at once share the same line and only finish later. */
  downloadsMax: 4,
  /** Mirrors redirect once or twice; browsers stop at 20, a loop shows itself sooner. */
  redirectsMax: 5,
  /** In a row and without one more byte received; progress starts the count again. */
  attemptsMax: 6,
  retryBaseMs: 1 * second,
  retryMaxMs: 30 * second,
  headerTimeoutMs: 30 * second,
  /** Shorter, because a good copy is at hand and a customer is waiting. */
  revalidateTimeoutMs: 10 * second,
  stallTimeoutMs: 60 * second,
  /** For one image from the first request to the last byte: 20 GiB at 3 MB/s. */
  deadlineMs: 120 * minute,
  /** Building a full distribution under emulation takes minutes; twenty is far past all of them. */
  buildWaitMs: 20 * minute,
  /** A cached image is used without asking its server again for this long. */
  freshMs: 10 * minute,
  /** From handing out a base until an overlay must show that it uses it. */
  holdMs: 15 * minute,
  /** A half download that nobody has come back for. */
  partAgeMs: 24 * 60 * minute,
  /** How much of a download a power cut may cost. */
  syncEveryBytes: 32 * mib,
  unpackMs: 30 * minute,
  /** `xz -9` needs 65 MiB; a file made to need gigabytes is refused. */
  unpackMemoryBytes: 256 * mib,
  checkMs: 60 * second,
  /** Address space, most of it libraries; an image that makes qemu-img need more is hostile. */
  checkMemoryBytes: 1 * gib,
};
