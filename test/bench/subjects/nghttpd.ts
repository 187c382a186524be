/** nghttpd: the backends that speak HTTP/2 without TLS. They answer calls as well as requests. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { prefixes } from '../rules.js';
import { bodyBytes } from './nginx.js';

/** Command line of one backend; lays out below `directory` what it serves: 1 KiB for each path that probes and loads ask. */
export function http2Backend(port: number, directory: string): string[] {
  const root = join(directory, 'http2');
  const paths = [...prefixes.map((prefix) => `${prefix}/items/1`), '/p3/admin/users'];
  for (const path of paths) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), 'w'.repeat(bodyBytes));
  }
  return ['nghttpd', '--no-tls', '-d', root, '--trailer=grpc-status: 0', String(port)];
}
