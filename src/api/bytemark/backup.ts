// Bytemark's calls of a disc's backups and of the schedules that make them.

import Type, { type Static } from 'typebox';
import { type Caller, reachVm } from '../../app/access.ts';
import { createBackup, deleteBackups, listBackups, readBackup, restoreBackup } from '../../app/backup.ts';
import { addBackupSchedule, removeBackupSchedule } from '../../app/backup-schedule.ts';
import { type DiskRow, diskOf, readVm } from '../../app/overview.ts';
import { BerthError } from '../../model/errors.ts';
import { parseReference } from '../../model/reference.ts';
import type { Api } from '../types.ts';
import { attributesOf } from './attributes.ts';
import { BackupScheduleSchema, BackupSchema, readSchedule, toBackup, toBackupSchedule } from './backup-shape.ts';
import { callerOf } from './caller.ts';
import { DiscParams, discPath } from './path.ts';

const path = `${discPath}/backups` as const;
const schedulesPath = `${discPath}/backup_schedules` as const;

const BackupParams = Type.Object({
  ...DiscParams.properties,
  backup: Type.String({ description: 'Number or label' }),
});
const ScheduleParams = Type.Object({ ...DiscParams.properties, schedule: Type.String({ description: 'Number' }) });

/** A disc that the caller may do this with, and the VM that has it. */
async function reachDisc(
  { context }: Api,
  caller: Caller,
  params: Static<typeof DiscParams>,
  level: 'see' | 'vm_admin',
): Promise<{ instanceId: string; diskId: string; disk: DiskRow; actor: string }> {
  const { vm, principal } = await reachVm(context, caller, params, level);
  const disk = diskOf(await readVm(context, caller, params, true), params.disc);
  return { instanceId: vm.id, diskId: disk.id, disk, actor: principal.actor };
}

/** Adds the routes. */
export function backupRoutes(api: Api): void {
  const { app, context, errors } = api;
  app.get(
    path,
    {
      schema: {
        operationId: 'listBackups',
        summary: 'The backups of a disc, the oldest first',
        params: DiscParams,
        response: { 200: Type.Array(BackupSchema), ...errors(401, 404) },
      },
    },
    async (request) => {
      const { disk } = await reachDisc(api, await callerOf(context, request), request.params, 'see');
      return (await listBackups(context, [disk.id])).map((backup) => toBackup(backup, disk));
    },
  );

  app.post(
    path,
    {
      schema: {
        operationId: 'createBackup',
        summary: 'Back a disc up as it is now; the backup is finished once its grade says so',
        params: DiscParams,
        response: { 200: BackupSchema, ...errors(400, 401, 403, 404) },
      },
    },
    async (request) => {
      const at = await reachDisc(api, await callerOf(context, request), request.params, 'vm_admin');
      return toBackup(await createBackup(context, at, { actor: at.actor, scheduleId: null }), at.disk);
    },
  );

  app.get(
    `${path}/:backup`,
    {
      schema: {
        operationId: 'getBackup',
        summary: 'A backup of a disc',
        params: BackupParams,
        response: { 200: BackupSchema, ...errors(401, 404) },
      },
    },
    async (request) => {
      const { disk } = await reachDisc(api, await callerOf(context, request), request.params, 'see');
      return toBackup(await readBackup(context, disk.id, request.params.backup), disk);
    },
  );

  app.put(
    `${path}/:backup`,
    {
      schema: {
        operationId: 'restoreBackup',
        summary: 'Restore a disc of a virtual machine that is off; what it holds now is backed up first',
        params: BackupParams,
        response: { 200: BackupSchema, ...errors(400, 401, 403, 404) },
      },
    },
    async (request) => {
      const at = await reachDisc(api, await callerOf(context, request), request.params, 'vm_admin');
      const backup = await readBackup(context, at.disk.id, request.params.backup);
      const attributes = attributesOf(request.body);
      const restores = attributes.flag('restore') ?? false;
      attributes.requireReadable();
      if (restores) await restoreBackup(context, at, backup, at.actor);
      return toBackup(backup, at.disk);
    },
  );

  app.delete(
    `${path}/:backup`,
    {
      schema: {
        operationId: 'deleteBackup',
        summary: 'Erase a backup',
        params: BackupParams,
        querystring: Type.Object({ purge: Type.Optional(Type.String()) }),
        response: { 204: Type.Null(), ...errors(401, 403, 404) },
      },
    },
    async (request, reply) => {
      const at = await reachDisc(api, await callerOf(context, request), request.params, 'vm_admin');
      const { id } = await readBackup(context, at.disk.id, request.params.backup);
      await deleteBackups(context, at.instanceId, [id], at.actor);
      return reply.code(204).send(null);
    },
  );

  app.post(
    schedulesPath,
    {
      schema: {
        operationId: 'createBackupSchedule',
        summary: 'Back a disc up again and again',
        params: DiscParams,
        response: { 200: BackupScheduleSchema, ...errors(400, 401, 403, 404) },
      },
    },
    async (request) => {
      const at = await reachDisc(api, await callerOf(context, request), request.params, 'vm_admin');
      const attributes = attributesOf(request.body);
      const schedule = readSchedule(attributes);
      attributes.requireReadable();
      return toBackupSchedule(await addBackupSchedule(context, at.instanceId, at.disk.id, schedule));
    },
  );

  app.delete(
    `${schedulesPath}/:schedule`,
    {
      schema: {
        operationId: 'deleteBackupSchedule',
        summary: 'End a schedule; its backups stay',
        params: ScheduleParams,
        response: { 204: Type.Null(), ...errors(401, 403, 404) },
      },
    },
    async (request, reply) => {
      const at = await reachDisc(api, await callerOf(context, request), request.params, 'vm_admin');
      const id = parseReference(request.params.schedule);
      if (typeof id !== 'bigint') throw new BerthError('not_found', 'The disc has no such schedule.');
      await removeBackupSchedule(context, at.disk.id, id);
      return reply.code(204).send(null);
    },
  );
}
