/** Servers that weft did not write, started in pods: nginx, Python's http.server, redis, websockets. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LabProcess } from './lab-process.js';
import type { Pod } from './pod.js';
import { runCommand } from './run-command.js';

/** Debian's own interpreter: its packages (websockets, prometheus_client) are installed for it. */
export const python = '/usr/bin/python3';

/** Test programs in Python; they run from the source tree. */
export function fixture(name: string): string {
  return join(import.meta.dirname, '../../../../test/netns/fixtures', name);
}

export interface Service {
  readonly process: LabProcess;
  /** The server's own log of requests, where it writes one to a file. */
  readonly accessLog: string;
  /** Unix socket where nginx tells its counts, else empty. */
  readonly status: string;
}

export interface NginxOptions {
  readonly port: number;
  /** Lines of the `server` block. Default: answer every path with the pod's name and what it saw. */
  readonly server?: string;
  readonly listen?: readonly string[];
  readonly workers?: number;
  /** Default: true. Off where the log itself would be the load. */
  readonly log?: boolean;
  /** Words before `nginx`: nice(1), chrt(1). */
  readonly under?: readonly string[];
}

/** What nginx says of a request unless told otherwise: who answers, method, host, path and query, real client. */
export const describeRequest =
  'location / { default_type text/plain; return 200 "$hostname_of_pod $request_method $host $request_uri from $remote_addr\\n"; }';

/** Starts nginx in the foreground with all its files below the pod's folder. */
export async function startNginx(pod: Pod, options: NginxOptions): Promise<Service> {
  const folder = join(pod.folder, 'nginx');
  mkdirSync(folder, { recursive: true });
  const accessLog = join(folder, 'access.log');
  const status = join(folder, 'status.sock');
  const listen = options.listen ?? [`${options.port} backlog=4096`, `[::]:${options.port} backlog=4096`];
  const server = (options.server ?? describeRequest).replaceAll('$hostname_of_pod', pod.name);
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off;
user root;
worker_processes ${options.workers ?? 1};
pid ${folder}/pid;
error_log ${folder}/error.log warn;
events { worker_connections 8192; }
http {
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${folder}/${kind};`).join('\n  ')}
  log_format seen '$remote_addr $remote_port $request_method $host $request_uri $status $http_traceparent';
  access_log ${options.log === false ? 'off' : `${accessLog} seen`};
  keepalive_requests 1000000;
  client_max_body_size 0;
  server {
    ${listen.map((address) => `listen ${address};`).join('\n    ')}
    server_name _;
    ${server}
  }
  server { listen unix:${status}; access_log off; location / { stub_status; } }
}
`,
  );
  const argv = ['nginx', '-p', folder, '-c', join(folder, 'nginx.conf'), '-e', `${folder}/error.log`];
  const process = pod.spawn([...(options.under ?? []), ...argv], { name: 'nginx' });
  await pod.awaitPort(process, options.port);
  return { process, accessLog, status };
}

/** Requests that nginx has answered (stub_status' third figure, without the question itself). */
export async function countRequests(service: Service): Promise<number> {
  const text = await runCommand(['curl', '-sS', '--unix-socket', service.status, 'http://nginx/']);
  return Number(/\s*\d+ \d+ (\d+)/.exec(text.split('requests')[1] ?? '')?.[1] ?? Number.NaN) - 1;
}

/** `python3 -m http.server` over a folder with the given files; its log goes to standard error, kept by the process. */
export async function startHttpServer(
  pod: Pod,
  port: number,
  files: Readonly<Record<string, string>>,
): Promise<Service> {
  const folder = join(pod.folder, 'www');
  for (const [path, text] of Object.entries(files)) {
    const file = join(folder, path);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, text);
  }
  const argv = [python, '-u', '-m', 'http.server', String(port), '--bind', '::', '--directory', folder];
  const process = pod.spawn(argv, { name: 'http.server' });
  await pod.awaitPort(process, port);
  return { process, accessLog: '', status: '' };
}

export async function startRedis(pod: Pod, port = 6379): Promise<Service> {
  const argv = [
    'redis-server',
    '--port',
    String(port),
    '--bind',
    '0.0.0.0',
    '::',
    '--save',
    '',
    '--protected-mode',
    'no',
  ];
  const process = pod.spawn([...argv, '--dir', pod.folder], { name: 'redis' });
  await pod.awaitPort(process, port);
  return { process, accessLog: '', status: '' };
}

/** A program of test/netns/fixtures that listens on a port. */
export async function startFixture(
  pod: Pod,
  name: string,
  port: number,
  args: readonly string[] = [],
): Promise<Service> {
  const process = pod.spawn([python, '-u', fixture(name), String(port), ...args], { name });
  await pod.awaitPort(process, port);
  return { process, accessLog: '', status: '' };
}
