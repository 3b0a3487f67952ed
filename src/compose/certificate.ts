// X.509 certificates (RFC 5280): an authority's own, and those that it signs for servers. Keys are ECDSA on P-256, which every TLS
// client of the last ten years takes.

import { createHash, createPrivateKey, generateKeyPairSync, sign, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  id_kp_serverAuth,
  KeyIdentifier,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from '@peculiar/asn1-x509';
import type { Entropy } from '../model/world.ts';

/** A certificate and its key, both in PEM. */
export interface Credential {
  certificate: string;
  key: string;
}

const dayMs = 24 * 60 * 60 * 1000;
/** Whoever trusts an authority has to be asked again when it ends. */
const authorityDays = 3_650;
/** Browsers take no longer ones than 398; shorter ones are renewed more often, which is then known to work. */
const serverDays = 90;
/** Clocks of clients may be behind. */
const earlierMs = 60 * 60 * 1000;
const ecdsaWithSha256 = '1.2.840.10045.4.3.2';
const commonName = '2.5.4.3';
const serialBytes = 16;

/** Makes an authority that signs for servers. @param name what people read of it */
export function makeAuthority(name: string, now: Date, entropy: Entropy): Credential {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicKey = keyInfoOf(pair.publicKey.export({ type: 'spki', format: 'der' }));
  const extensions = [
    extension(id_ce_basicConstraints, new BasicConstraints({ cA: true, pathLenConstraint: 0 }), true),
    extension(id_ce_keyUsage, new KeyUsage(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign), true),
    extension(id_ce_subjectKeyIdentifier, new SubjectKeyIdentifier(identifierOf(publicKey))),
  ];
  const subject = nameOf(name);
  const key = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  const span = { from: new Date(now.getTime() - earlierMs), days: authorityDays };
  return { certificate: signed({ subject, publicKey, extensions, span }, subject, key, entropy), key };
}

/** Makes a server's certificate. @param hosts the names and addresses that it is reached by */
export function signForServer(
  authority: Credential,
  hosts: readonly string[],
  now: Date,
  entropy: Entropy,
): Credential {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicKey = keyInfoOf(pair.publicKey.export({ type: 'spki', format: 'der' }));
  const issuer = AsnConvert.parse(new X509Certificate(authority.certificate).raw, Certificate).tbsCertificate;
  const keyIdentifier = new KeyIdentifier(identifierOf(issuer.subjectPublicKeyInfo));
  const names = hosts.map((host) => new GeneralName(isIP(host) ? { iPAddress: host } : { dNSName: host }));
  const extensions = [
    extension(id_ce_basicConstraints, new BasicConstraints({ cA: false }), true),
    extension(id_ce_keyUsage, new KeyUsage(KeyUsageFlags.digitalSignature), true),
    extension(id_ce_extKeyUsage, new ExtendedKeyUsage([id_kp_serverAuth])),
    extension(id_ce_subjectAltName, new SubjectAlternativeName(names)),
    extension(id_ce_subjectKeyIdentifier, new SubjectKeyIdentifier(identifierOf(publicKey))),
    extension(id_ce_authorityKeyIdentifier, new AuthorityKeyIdentifier({ keyIdentifier })),
  ];
  const span = { from: new Date(now.getTime() - earlierMs), days: serverDays };
  const parts = { subject: nameOf('Berth'), publicKey, extensions, span };
  const key = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  return { certificate: signed(parts, issuer.subject, authority.key, entropy), key };
}

interface Parts {
  subject: Name;
  publicKey: SubjectPublicKeyInfo;
  extensions: Extension[];
  span: { from: Date; days: number };
}

function signed({ subject, publicKey, extensions, span }: Parts, issuer: Name, key: string, entropy: Entropy): string {
  const algorithm = new AlgorithmIdentifier({ algorithm: ecdsaWithSha256 });
  const serial = Buffer.from(entropy.bytes(serialBytes));
  // Positive, and not shorter for beginning with a zero.
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  const notAfter = new Date(span.from.getTime() + span.days * dayMs);
  const tbsCertificate = new TBSCertificate({
    version: Version.v3,
    serialNumber: bufferOf(serial),
    signature: algorithm,
    issuer,
    validity: new Validity({ notBefore: span.from, notAfter }),
    subject,
    subjectPublicKeyInfo: publicKey,
    extensions: new Extensions(extensions),
  });
  const signature = sign('sha256', Buffer.from(AsnConvert.serialize(tbsCertificate)), createPrivateKey(key));
  const certificate = new Certificate({
    tbsCertificate,
    signatureAlgorithm: algorithm,
    signatureValue: bufferOf(signature),
  });
  return new X509Certificate(Buffer.from(AsnConvert.serialize(certificate))).toString();
}

function extension(extnID: string, value: object, critical = false): Extension {
  return new Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });
}

function nameOf(text: string): Name {
  const value = new AttributeValue({ utf8String: text });
  return new Name([new RelativeDistinguishedName([new AttributeTypeAndValue({ type: commonName, value })])]);
}

const keyInfoOf = (der: Uint8Array) => AsnConvert.parse(der, SubjectPublicKeyInfo);

/** RFC 5280, 4.2.1.2: the SHA-1 of the key's bits. It names a key and protects nothing. */
const identifierOf = ({ subjectPublicKey }: SubjectPublicKeyInfo) =>
  bufferOf(createHash('sha1').update(Buffer.from(subjectPublicKey)).digest());

/** The bytes alone: a Buffer's own may be part of something larger. */
const bufferOf = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer;
