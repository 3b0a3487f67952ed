// Time-based one-time passwords (RFC 6238) as every authenticator app makes them: SHA-1, six digits, steps of 30 seconds.

import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Entropy } from './world.ts';

const stepSeconds = 30;
const digits = 6;
/** As long as SHA-1's output, which RFC 4226 recommends. */
const secretBytes = 20;
/** How far a phone's clock may be off, in steps to either side. */
const stepsOff = 1;

const base32Alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** A fresh secret, in base32 as apps take it. */
export function newTotpSecret(entropy: Entropy): string {
  const bits = [...entropy.bytes(secretBytes)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return (bits.match(/.{5}/g) ?? []).map((five) => base32Alphabet[Number.parseInt(five, 2)]).join('');
}

/** What an app reads from a QR code to add the secret. */
export function totpUri(secret: string, issuer: string, username: string): string {
  const label = `${encodeURIComponent(issuer)}:${encodeURIComponent(username)}`;
  const query = new URLSearchParams({
    secret,
    issuer,
    algorithm: 'SHA1',
    digits: `${digits}`,
    period: `${stepSeconds}`,
  });
  return `otpauth://totp/${label}?${query}`;
}

/** The code of a moment. */
export function totpCode(secret: string, at: Date): string {
  return codeOf(secret, stepOf(at));
}

/**
 * The time step that a code belongs to, about a moment.
 * @param takenStep the step of the newest code that was taken; that one and older ones are taken no more
 * @returns null where the code is wrong, or over
 */
export function matchTotp(secret: string, code: string, at: Date, takenStep: bigint | null): bigint | null {
  const given = Buffer.from(code);
  for (let off = -stepsOff; off <= stepsOff; off += 1) {
    const step = stepOf(at) + BigInt(off);
    const right = Buffer.from(codeOf(secret, step));
    const isRight = given.length === right.length && timingSafeEqual(given, right);
    if (isRight && (takenStep === null || step > takenStep)) return step;
  }
  return null;
}

const stepOf = (at: Date) => BigInt(Math.floor(at.getTime() / 1000 / stepSeconds));

/** HOTP of a counter (RFC 4226, 5.3). */
function codeOf(secret: string, step: bigint): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(step);
  const hash = createHmac('sha1', decodeBase32(secret)).update(counter).digest();
  const offset = hash.readUInt8(hash.length - 1) & 0x0f;
  const number = (hash.readUInt32BE(offset) & 0x7fff_ffff) % 10 ** digits;
  return String(number).padStart(digits, '0');
}

function decodeBase32(text: string): Buffer {
  const bits = [...text].map((letter) => base32Alphabet.indexOf(letter).toString(2).padStart(5, '0')).join('');
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((eight) => Number.parseInt(eight, 2)));
}
