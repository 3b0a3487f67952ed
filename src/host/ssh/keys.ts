// Who may log in: whoever proves to have the private half of one of some keys.

import { timingSafeEqual } from 'node:crypto';
import ssh2, { type ParsedKey, type PublicKeyAuthContext } from 'ssh2';

/** Public keys that open something. */
export class AuthorizedKeys {
  readonly #keys: readonly ParsedKey[];

  /** @param lines keys as in `id_ed25519.pub`; one of a kind that is not known here lets nobody in */
  constructor(lines: readonly string[]) {
    this.#keys = lines.flatMap((line) => {
      const parsed = ssh2.utils.parseKey(line);
      return parsed instanceof Error ? [] : [parsed];
    });
  }

  /**
   * Whether a client is let in; or, while it only asks whether a key would do, whether it would.
   */
  admits({ key, signature, blob, hashAlgo }: PublicKeyAuthContext): boolean {
    const known = this.#keys.find((candidate) => {
      const data = candidate.getPublicSSH();
      return (
        candidate.type === plainType(key.algo) && data.length === key.data.length && timingSafeEqual(data, key.data)
      );
    });
    if (!known) return false;
    if (signature === undefined) return true;
    return blob !== undefined && known.verify(blob, signature, hashAlgo) === true;
  }
}

/** RSA keys are of one type, whatever their signatures are made with (RFC 8332). */
const plainType = (algorithm: string) => (/^rsa-sha2-(256|512)$/.test(algorithm) ? 'ssh-rsa' : algorithm);
