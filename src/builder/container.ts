// Container images out of Debian's packages, for where no registry can be reached: nginx, which serves plain HTTP on ports 80
// and 443, and busybox. An image is a tar of its root file system; what it runs is said when it is imported.

import { mkdtemp, readdir, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { openApt, unpackPackages } from './apt.ts';
import { runCommand } from './command.ts';
import { packageSources } from './sources.ts';
import { putDirectory, putFile } from './tree.ts';

/** The container images that can be built here. */
export const containerImages = ['nginx', 'busybox'] as const;
export type ContainerImage = (typeof containerImages)[number];

/** What the Engine is told when it imports an image, in the words of a Dockerfile. */
export const importChanges: Record<ContainerImage, readonly string[]> = {
  nginx: ['CMD ["/usr/sbin/nginx", "-g", "daemon off;"]', 'EXPOSE 80'],
  busybox: ['CMD ["/bin/sh"]'],
};

const localTimeoutMs = 5 * 60_000;

const packages: Record<ContainerImage, readonly string[]> = {
  nginx: ['nginx', 'libc6', 'libcrypt1', 'libpcre2-8-0', 'libssl3', 'zlib1g', 'busybox-static'],
  busybox: ['busybox-static'],
};

const nginxConfiguration = `user www-data;
worker_processes auto;
pid /run/nginx.pid;
error_log /dev/stderr notice;
events { worker_connections 1024; }
http {
  access_log off;
  default_type text/html;
  keepalive_requests 100000;
  server {
    listen 80 default_server;
    listen 443 default_server;
    root /var/www/html;
  }
}
`;
const firstPage = '<!doctype html><title>nginx</title><p>nginx serves this page.</p>\n';

/**
 * Builds a container image as a tar, which appears only when it is whole. Needs root, as files in it belong to root.
 * @throws {ImageBuildError} when anything fails
 */
export async function buildContainerImage(image: ContainerImage, outFile: string, signal?: AbortSignal): Promise<void> {
  const file = resolve(outFile);
  const scratch = await mkdtemp(join(dirname(file), 'berth-container-'));
  try {
    const apt = await openApt(join(scratch, 'apt'), await packageSources(), signal);
    const root = join(scratch, 'root');
    await unpackPackages(apt, packages[image], root);
    for (const unneeded of ['usr/share/doc', 'usr/share/man', 'usr/share/lintian', 'lib/systemd', 'etc/init.d']) {
      await rm(join(root, unneeded), { recursive: true, force: true });
    }
    await putShell(root);
    await putFile(root, 'etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33::/var/www:/bin/false\n');
    await putFile(root, 'etc/group', 'root:x:0:\nwww-data:x:33:\n');
    for (const directory of ['root', 'run', 'proc', 'sys', 'dev']) await putDirectory(root, directory);
    await putDirectory(root, 'tmp', 0o1777);
    if (image === 'nginx') {
      await putFile(root, 'etc/nginx/nginx.conf', nginxConfiguration);
      await putFile(root, 'var/www/html/index.html', firstPage);
      await putDirectory(root, 'var/log/nginx');
      await putDirectory(root, 'var/lib/nginx');
    }
    const part = join(scratch, 'image.tar');
    await runCommand({
      program: 'tar',
      args: ['-C', root, '--numeric-owner', '--owner=0', '--group=0', '-cf', part, '.'],
      timeoutMs: localTimeoutMs,
      signal,
    });
    await rename(part, file);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** A link for each of busybox's programs. */
async function putShell(root: string): Promise<void> {
  const list = await runCommand({ program: join(root, 'bin/busybox'), args: ['--list'], timeoutMs: localTimeoutMs });
  const there = new Set(await readdir(join(root, 'bin')));
  for (const name of list.split('\n').filter((one) => one !== '' && !there.has(one))) {
    await symlink('busybox', join(root, 'bin', name));
  }
}
