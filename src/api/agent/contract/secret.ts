// What a host asks for when it needs it, and never keeps.

import Type, { type Static } from 'typebox';
import { Count } from './field.ts';

/** The login that goes with a container's image; null where none does. Never kept beyond the pull. */
export const RegistryAuthSchema = Type.Object({
  auth: Type.Union([
    Type.Object({ server: Type.String(), login: Type.String(), password: Type.String() }),
    Type.Null(),
  ]),
});
export type RegistryAuth = NonNullable<Static<typeof RegistryAuthSchema>['auth']>;

/** What a guest is told when it first runs on a newly imaged disk; null where nothing is secret. Never kept beyond that. */
export const ImagingSecretsSchema = Type.Object({
  secrets: Type.Union([
    Type.Object({
      // Which imaging they are for.
      imaging: Count,
      rootPassword: Type.Union([Type.String(), Type.Null()]),
      firstBootScript: Type.Union([Type.String(), Type.Null()]),
    }),
    Type.Null(),
  ]),
});
export type ImagingSecrets = NonNullable<Static<typeof ImagingSecretsSchema>['secrets']>;
