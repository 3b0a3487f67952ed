// Bytemark's call that tells what can be chosen here. It is for everybody.

import Type from 'typebox';
import { readDefinitions } from '../../app/definition.ts';
import type { Api } from '../types.ts';

const DefinitionSchema = Type.Object({
  id: Type.String(),
  data: Type.Unknown({ description: 'A list of names, or an object that gives for each name a sentence' }),
});

/** Adds the route. */
export function definitionRoutes({ app, context, errors }: Api): void {
  app.get(
    '/definitions',
    {
      schema: {
        operationId: 'listDefinitions',
        summary: 'What can be chosen of images, zones, storage, hardware, keyboards and keys',
        security: [],
        response: { 200: Type.Array(DefinitionSchema), ...errors(503) },
      },
    },
    async () => {
      const { distributions, storageGrades, zones, hardwareProfiles, keymaps, sendkeys } =
        await readDefinitions(context);
      return [
        { id: 'distributions', data: [...distributions.keys()] },
        { id: 'storage_grades', data: [...storageGrades.keys()] },
        { id: 'zone_names', data: [...zones.keys()] },
        { id: 'distribution_descriptions', data: Object.fromEntries(distributions) },
        { id: 'storage_grade_descriptions', data: Object.fromEntries(storageGrades) },
        { id: 'zone_descriptions', data: Object.fromEntries(zones) },
        { id: 'hardware_profiles', data: hardwareProfiles },
        { id: 'keymaps', data: keymaps },
        { id: 'sendkeys', data: sendkeys },
      ];
    },
  );
}
