// Hiveon's calls of a deployment's life.

import Type from 'typebox';
import {
  findContainer,
  findContainerByExternalId,
  listContainers,
  startContainer,
  stopContainer,
} from '../../app/container.ts';
import { quoteHeader, readQuoteHeader } from '../quote-header.ts';
import type { Api } from '../types.ts';
import { deploymentObject, startFields, statusesOf, toStartRequest } from './mapping.ts';
import * as schema from './schema.ts';

const path = '/vendors/v1/machines/deployments';
/** A script of a megabyte is refused for what it is rather than cut off in the middle. */
const startBytesMax = 4 * 1024 * 1024;

/** Adds the routes. */
export function deploymentRoutes({ app, context, principalOf, errors }: Api): void {
  app.post(
    `${path}/start`,
    {
      bodyLimit: startBytesMax,
      schema: {
        operationId: 'startDeployment',
        summary: 'Rent a machine and start a container on it',
        headers: Type.Object(quoteHeader),
        body: schema.StartSchema,
        response: { 200: schema.DeploymentIdSchema, ...errors(400, 401, 403, 404, 409, 500, 503) },
      },
    },
    async (request) => {
      const quote = readQuoteHeader(request);
      const asked = { ...toStartRequest(request.body), ...(quote ? { quote } : {}) };
      const { deploymentId } = await startContainer(context, principalOf(request), asked, startFields);
      return { deployment_id: deploymentId };
    },
  );

  app.get(
    path,
    {
      schema: {
        operationId: 'listDeployments',
        summary: 'List deployments, those that are over included, oldest first',
        querystring: schema.DeploymentQuerySchema,
        response: { 200: schema.DeploymentListSchema, ...errors(400, 401) },
      },
    },
    async (request) => {
      const { status, machine_id: slotId, external_deployment_id: externalId } = request.query;
      const window = schema.windowOf(request.query);
      const statuses = statusesOf(status);
      const filter = {
        ...(statuses ? { statuses } : {}),
        ...(slotId ? { slotId } : {}),
        ...(externalId ? { externalId } : {}),
      };
      const { total, rows } = await listContainers(context, principalOf(request), filter, window);
      return { ...schema.pagingOf(total, window), deployments: rows.map(deploymentObject) };
    },
  );

  app.get(
    `${path}/:id`,
    {
      schema: {
        operationId: 'readDeployment',
        summary: 'One deployment, by its id or else by the external id that it was started with',
        params: Type.Object({ id: Type.String() }),
        response: { 200: schema.DeploymentSchema, ...errors(401, 404) },
      },
    },
    async (request) => deploymentObject(await findContainer(context, principalOf(request), request.params.id)),
  );

  app.get(
    `${path}/by-external-id/:externalId`,
    {
      schema: {
        operationId: 'readDeploymentByExternalId',
        summary: 'One deployment, by the external id that it was started with',
        params: Type.Object({ externalId: Type.String() }),
        response: { 200: schema.DeploymentSchema, ...errors(401, 404) },
      },
    },
    async (request) => {
      const { externalId } = request.params;
      return deploymentObject(await findContainerByExternalId(context, principalOf(request), externalId));
    },
  );

  app.post(
    `${path}/:id/stop`,
    {
      schema: {
        operationId: 'stopDeployment',
        summary: 'End a deployment; one that is over stays as it is',
        params: Type.Object({ id: Type.String() }),
        body: schema.StopSchema,
        response: { 200: schema.DeploymentIdSchema, ...errors(400, 401, 403, 404) },
      },
    },
    async (request) => {
      const { deploymentId } = await stopContainer(context, principalOf(request), request.params.id);
      return { deployment_id: deploymentId };
    },
  );
}
