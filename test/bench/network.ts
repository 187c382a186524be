/** Network namespaces that stand for pods, on a bridge of their own. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const prefix = 'weft-b';
/** Holds the bridge, so that nothing of the machine's own network is touched. */
const node = `${prefix}-node`;

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

/**
 * cubic is the kernel's and Debian's default. It is set by route, since a namespace may not choose what the machine
 * does not allow it: a machine whose default paces (bbr) would measure its own timers.
 */
const cubic = ['congctl', 'cubic'];

function addNamespace(namespace: string): void {
  ip('netns', 'add', namespace);
  // Where the machine has br_netfilter, a bridge would ask iptables about every packet.
  const bridgeFilter = 'net.bridge.bridge-nf-call-iptables';
  if (existsSync(`/proc/sys/${bridgeFilter.replaceAll('.', '/')}`)) {
    execFileSync('ip', ['netns', 'exec', namespace, 'sysctl', '-qw', `${bridgeFilter}=0`]);
  }
  ip('-n', namespace, 'link', 'set', 'lo', 'up');
  for (const destination of ['127.0.0.0/8', '127.0.0.1']) {
    const local = ['local', destination, 'dev', 'lo', 'table', 'local', 'proto', 'kernel', 'scope', 'host'];
    ip('-n', namespace, 'route', 'change', ...local, 'src', '127.0.0.1', ...cubic);
  }
}

function addPod(name: string, host: number): Pod {
  const pod = { namespace: `${prefix}-${name}`, address: `10.213.77.${host}` };
  addNamespace(pod.namespace);
  ip('-n', node, 'link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', pod.namespace);
  ip('-n', node, 'link', 'set', name, 'master', 'br0', 'up');
  ip('-n', pod.namespace, 'addr', 'add', `${pod.address}/24`, 'dev', 'eth0', 'noprefixroute');
  ip('-n', pod.namespace, 'link', 'set', 'eth0', 'up');
  ip('-n', pod.namespace, 'route', 'add', '10.213.77.0/24', 'dev', 'eth0', 'src', pod.address, ...cubic);
  // Virtual addresses need a route to be connected to; nothing answers there.
  ip('-n', pod.namespace, 'route', 'add', 'default', 'via', '10.213.77.1', ...cubic);
  return pod;
}

/** Makes the namespaces; whatever a killed earlier run left of them is removed first. */
export function createNetwork(): Network {
  removeNetwork();
  addNamespace(node);
  ip('-n', node, 'link', 'add', 'br0', 'type', 'bridge');
  ip('-n', node, 'addr', 'add', '10.213.77.1/24', 'dev', 'br0');
  ip('-n', node, 'link', 'set', 'br0', 'up');
  return {
    client: addPod('client', 2),
    server: addPod('server', 3),
    other: addPod('other', 4),
    weftClient: addPod('wclient', 5),
    weftServer: addPod('wserver', 6),
    weftBackend: addPod('wbackend', 7),
  };
}

/** Removes every namespace of this benchmark, and nothing else. */
export function removeNetwork(): void {
  const names = execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '')
    .filter((name) => name.startsWith(`${prefix}-`));
  for (const name of names) ip('netns', 'del', name);
}
