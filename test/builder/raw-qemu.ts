// Boots an image in a bare QEMU, the way someone with nothing but QEMU and an ssh client would, so that the images are
// tested apart from the rest of Berth. Gives the guest's SSH, its serial output and QMP; every wait has a bound.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const execFileAsync = promisify(execFile);

/** A guest that takes seconds where nothing else runs, on two busy cores and without hardware virtualization. */
const waitTimeoutMs = 3 * 60_000;
const toolTimeoutMs = 60_000;
/** A login to a guest that is up; an emulated CPU under load takes seconds for the key exchange. */
const sshTimeoutMs = 60_000;
const serialBytesMax = 4 * 1024 * 1024;

/** Runs a tool to its end and returns what it printed. */
export async function run(program: string, args: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const options = { timeout: toolTimeoutMs, env: { ...process.env, ...env } };
  return (await execFileAsync(program, args, options)).stdout;
}

/** Makes an SSH key pair; `publicKey` is the line for authorized_keys. */
export async function makeKey(directory: string, comment: string): Promise<{ file: string; publicKey: string }> {
  const file = join(directory, 'id_ed25519');
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', file]);
  return { file, publicKey: (await run('ssh-keygen', ['-y', '-f', file])).trim() };
}

/** Writes a NoCloud seed as an ISO 9660 image. */
export async function makeSeed(file: string, instanceId: string, hostname: string, userData: object): Promise<void> {
  const directory = `${file}.files`;
  // xorriso adds to an image that is there instead of writing a new one.
  await rm(file, { force: true });
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'meta-data'), `instance-id: ${instanceId}\nlocal-hostname: ${hostname}\n`);
  await writeFile(join(directory, 'user-data'), `#cloud-config\n${JSON.stringify(userData, null, 2)}\n`);
  await run('xorriso', ['-as', 'mkisofs', '-quiet', '-V', 'cidata', '-J', '-r', '-o', file, directory]);
}

/** Makes a copy-on-write overlay of an image. */
export async function makeOverlay(image: string, file: string, sizeGib: number): Promise<void> {
  await run('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', image, '-F', 'qcow2', file, `${sizeGib}G`]);
}

/** What to boot, and on which of QEMU's machines. */
export interface Hardware {
  directory: string;
  disk: string;
  seed: string;
  machine: 'q35' | 'pc';
  /** How the disk and the seed are attached: as virtio disks, or as a disk and a CD-ROM on the chipset's IDE. */
  bus: 'virtio' | 'ide';
  cores: number;
  memoryMib: number;
}

interface QmpReply {
  return?: unknown;
  error?: { desc: string };
}

/** A running QEMU. `stop` ends it whatever it does; call it in any case. */
export class RawQemu {
  serial = '';
  private readonly qmpSocket: string;
  private readonly child: ChildProcess;
  private readonly ended: Promise<number | null>;

  constructor(hardware: Hardware) {
    this.qmpSocket = join(hardware.directory, 'qmp.sock');
    const drives =
      hardware.bus === 'virtio'
        ? ['-device', 'virtio-blk-pci,drive=disk,bootindex=1', '-device', 'virtio-blk-pci,drive=seed']
        : ['-device', 'ide-hd,drive=disk,bus=ide.0,bootindex=1', '-device', 'ide-cd,drive=seed,bus=ide.1'];
    this.child = spawn(
      'qemu-system-x86_64',
      [
        // No HPET, as in Berth's own VMs and most clouds'.
        ...['-machine', `${hardware.machine},hpet=off`, '-accel', 'tcg,thread=multi', '-cpu', 'max'],
        ...['-smp', String(hardware.cores), '-m', String(hardware.memoryMib), '-nodefaults', '-display', 'none'],
        ...['-drive', `if=none,id=disk,format=qcow2,file=${hardware.disk}`],
        ...['-drive', `if=none,id=seed,format=raw,readonly=on,file=${hardware.seed}`, ...drives],
        // QEMU picks a free port of the host itself, so that two runs of the tests never meet.
        ...['-netdev', 'user,id=net,hostfwd=tcp:127.0.0.1:0-:22', '-device', 'virtio-net-pci,netdev=net,romfile='],
        ...['-serial', 'stdio', '-qmp', `unix:${this.qmpSocket},server=on,wait=off`],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.serial = (this.serial + text).slice(-serialBytesMax);
      });
    }
    this.ended = new Promise((resolve) => {
      this.child.once('close', resolve);
      this.child.once('error', (error) => {
        this.serial += `\n${error.message}\n`;
        resolve(null);
      });
    });
  }

  /** One QMP command on a connection of its own; returns what QEMU answered. */
  async qmp(execute: string, args: object = {}): Promise<unknown> {
    const socket = connect(this.qmpSocket);
    const timer = setTimeout(() => socket.destroy(new Error(`QMP: no answer to ${execute}`)), toolTimeoutMs);
    try {
      socket.write(`{"execute":"qmp_capabilities"}\n${JSON.stringify({ execute, arguments: args, id: 'asked' })}\n`);
      let buffered = '';
      for await (const chunk of socket.setEncoding('utf8')) {
        const lines = (buffered + chunk).split('\n');
        buffered = lines.pop() ?? '';
        for (const line of lines) {
          const reply = JSON.parse(line) as QmpReply & { id?: string };
          if (reply.id !== 'asked') continue;
          if (reply.error) throw new Error(`QMP ${execute}: ${reply.error.desc}`);
          return reply.return;
        }
      }
      throw new Error(`QMP: the connection ended before the answer to ${execute}`);
    } finally {
      clearTimeout(timer);
      socket.destroy();
    }
  }

  /** The port on 127.0.0.1 that leads to the guest's port 22. */
  async sshPort(): Promise<number> {
    const table = String(await this.qmp('human-monitor-command', { 'command-line': 'info usernet' }));
    const port = /TCP\[HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)/.exec(table)?.[1];
    if (port === undefined) throw new Error(`QEMU shows no port forward:\n${table}`);
    return Number(port);
  }

  /** Runs a command in the guest through the real ssh client, with a key and nothing else. */
  async ssh(user: string, keyFile: string, command: string): Promise<string> {
    return (await this.sshClient(user, ['-i', keyFile, '-o', 'PreferredAuthentications=publickey'], command)).trim();
  }

  /** The same with a password and no key. */
  async sshWithPassword(user: string, password: string, askpassFile: string, command: string): Promise<string> {
    await writeFile(askpassFile, '#!/bin/sh\nprintf "%s\\n" "$TEST_PASSWORD"\n', { mode: 0o700 });
    const env = { SSH_ASKPASS: askpassFile, SSH_ASKPASS_REQUIRE: 'force', TEST_PASSWORD: password };
    const options = [
      '-o',
      'PreferredAuthentications=password',
      '-o',
      'NumberOfPasswordPrompts=1',
      '-o',
      'BatchMode=no',
    ];
    return (await this.sshClient(user, options, command, env)).trim();
  }

  private async sshClient(user: string, options: readonly string[], command: string, env: Record<string, string> = {}) {
    const fixed = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR', 'ConnectTimeout=20'];
    const args = [
      ...['-F', '/dev/null', '-o', 'IdentitiesOnly=yes', ...fixed.flatMap((option) => ['-o', option])],
      ...[...options, '-o', 'BatchMode=yes', '-p', String(await this.sshPort()), `${user}@127.0.0.1`, command],
    ];
    const all = { timeout: sshTimeoutMs, env: { ...process.env, ...env } };
    return execFileAsync('ssh', args, all).then(
      ({ stdout }) => stdout,
      (error: { code: unknown; stdout: string; stderr: string }) => {
        const said = `${error.stdout}${error.stderr}`.trim();
        throw new Error(`ssh ${user}: "${command.slice(0, 200)}" ended with ${error.code}: ${said.slice(-2000)}`);
      },
    );
  }

  /** Waits until a login works and `accept` takes what the command prints; returns that. */
  async waitForLogin(
    user: string,
    keyFile: string,
    command = 'true',
    accept: (output: string) => boolean = () => true,
    timeoutMs = waitTimeoutMs,
  ): Promise<string> {
    const deadlineMs = Date.now() + timeoutMs;
    let last = 'nothing yet';
    while (Date.now() < deadlineMs && this.child.exitCode === null) {
      try {
        last = await this.ssh(user, keyFile, command);
        if (accept(last)) return last;
      } catch (error) {
        last = (error as Error).message;
      }
      await sleep(500);
    }
    throw new Error(`${user}: "${command}" ended with: ${last}\nThe console ended with:\n${this.serial.slice(-3000)}`);
  }

  /** Waits for QEMU to end by itself; returns its exit status. */
  async waitForEnd(timeoutMs: number): Promise<number | null> {
    const stop = new AbortController();
    const late = sleep(timeoutMs, undefined, { signal: stop.signal }).then(() => {
      throw new Error(`QEMU still runs after ${timeoutMs} ms. Its console ended with:\n${this.serial.slice(-3000)}`);
    });
    try {
      return await Promise.race([this.ended, late]);
    } finally {
      stop.abort();
      late.catch(() => undefined);
    }
  }

  /** Pulls the plug. */
  async stop(): Promise<void> {
    if (this.child.exitCode === null) this.child.kill('SIGKILL');
    await this.ended;
  }
}
