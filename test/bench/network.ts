/** Network namespaces that stand for pods, on a bridge of their own. */
import { execFileSync } from 'node:child_process';

const prefix = 'weft-b';
const bridge = `${prefix}-br`;

/** One namespace with one address. */
export interface Pod {
  readonly namespace: string;
  readonly address: string;
}

/** Peers run beside their client and server as sidecars do; weft's pods are apart, so that it captures only them. */
export interface Network {
  readonly client: Pod;
  readonly server: Pod;
  /** A source that the authorization denies. */
  readonly other: Pod;
  readonly weftClient: Pod;
  readonly weftServer: Pod;
  /** A backend for weft that is never enrolled. */
  readonly weftBackend: Pod;
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

function addPod(name: string, host: number): Pod {
  const pod = { namespace: `${prefix}-${name}`, address: `10.213.77.${host}` };
  const link = `${prefix}-v${host}`;
  ip('netns', 'add', pod.namespace);
  ip('link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', pod.namespace);
  ip('link', 'set', link, 'master', bridge, 'up');
  ip('-n', pod.namespace, 'link', 'set', 'lo', 'up');
  ip('-n', pod.namespace, 'addr', 'add', `${pod.address}/24`, 'dev', 'eth0');
  ip('-n', pod.namespace, 'link', 'set', 'eth0', 'up');
  // Virtual addresses need a route to be connected to; nothing answers there.
  ip('-n', pod.namespace, 'route', 'add', 'default', 'via', '10.213.77.1');
  return pod;
}

/** Makes the namespaces; whatever a killed earlier run left of them is removed first. */
export function createNetwork(): Network {
  removeNetwork();
  ip('link', 'add', bridge, 'type', 'bridge');
  ip('addr', 'add', '10.213.77.1/24', 'dev', bridge);
  ip('link', 'set', bridge, 'up');
  return {
    client: addPod('client', 2),
    server: addPod('server', 3),
    other: addPod('other', 4),
    weftClient: addPod('wclient', 5),
    weftServer: addPod('wserver', 6),
    weftBackend: addPod('wbackend', 7),
  };
}

/** Removes every namespace and the bridge of this benchmark, and nothing else. */
export function removeNetwork(): void {
  const names = execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '')
    .filter((name) => name.startsWith(`${prefix}-`));
  for (const name of names) ip('netns', 'del', name);
  const links = execFileSync('ip', ['-o', 'link', 'show'], { encoding: 'utf8' });
  if (links.includes(` ${bridge}:`)) ip('link', 'del', bridge);
}
