/** A small shop: two versions of a service, and a client that asks it, each a pod of Node.js out of weft's own image. */
import { apply, kubectl } from './cluster.js';
import { image } from './release.js';
import { eventually } from './wait.js';

const serve = (version: string) =>
  `require('http').createServer((q, s) => s.end(JSON.stringify({ version: '${version}', pod: require('os').hostname() }))).listen(8080)`;

/** The client's node is not the shop's, so that what they say crosses a wire. */
export const shopNode = 'node2';
export const clientNode = 'node1';

const pod = (name: string, labels: Record<string, string>, program: string, probe: boolean) => ({
  metadata: { labels: { app: name, ...labels } },
  spec: {
    nodeSelector: { 'kubernetes.io/hostname': probe ? shopNode : clientNode },
    // Node.js as process 1 serves until the end of it.
    terminationGracePeriodSeconds: probe ? 5 : 1,
    containers: [
      {
        name: 'app',
        image,
        args: ['-e', program],
        ports: [{ containerPort: 8080 }],
        ...(probe
          ? { readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1, timeoutSeconds: 2 } }
          : {}),
      },
    ],
  },
});

const deployment = (name: string, labels: Record<string, string>, program: string, probe = true) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: { selector: { matchLabels: { app: name } }, template: pod(name, labels, program, probe) },
});

const service = (name: string, selector: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { selector, ports: [{ name: 'http', port: 80, targetPort: 8080, appProtocol: 'http' }] },
});

/** Deploys it into a namespace, and returns once all of it is ready, and each service answers the client. */
export async function deployShop(namespace: string): Promise<void> {
  const items = [
    deployment('cart-v1', { service: 'cart' }, serve('v1')),
    deployment('cart-v2', { service: 'cart' }, serve('v2')),
    deployment('client', {}, 'setInterval(() => {}, 2 ** 30)', false),
    service('cart', { service: 'cart' }),
    service('cart-v1', { app: 'cart-v1' }),
    service('cart-v2', { app: 'cart-v2' }),
  ];
  await apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }), '-n', namespace);
  for (const name of ['cart-v1', 'cart-v2', 'client']) {
    await kubectl('-n', namespace, 'rollout', 'status', `deployment/${name}`, '--timeout=180s');
  }
  // What is ready is not yet in the rules of each node's kube-proxy, nor with each of the name servers that take turns.
  for (const name of ['cart', 'cart-v1', 'cart-v2']) {
    const answers = () => ask(namespace, `http://${name}/`);
    const all = (replies: readonly Reply[]) => replies.every(({ status }) => status === 200);
    await eventually(`answers of ${name}`, answers, all, 90_000);
  }
}

export interface Reply {
  readonly status: number;
  /** Empty where the answer is not the shop's. */
  readonly version: string;
  readonly reason: string | null;
}

/** What the client, or another pod of Node.js, gets for so many requests, one after another, each on a connection of its own. */
export async function ask(
  namespace: string,
  url: string,
  headers: Record<string, string> = {},
  count = 10,
  from = 'deployment/client',
): Promise<Reply[]> {
  const program = `
    const http = require('http');
    const one = () => new Promise((resolve) => {
      const q = http.get('${url}', { headers: ${JSON.stringify(headers)}, agent: false, timeout: 10000 }, (s) => {
        let text = '';
        s.on('data', (part) => (text += part));
        s.on('end', () => {
          let version = '';
          try { version = JSON.parse(text).version; } catch {}
          resolve({ status: s.statusCode, version, reason: s.headers['x-weft-reason'] ?? null });
        });
      });
      q.on('timeout', () => q.destroy(new Error('no answer')));
      q.on('error', (error) => resolve({ status: 0, version: '', reason: error.message }));
    });
    (async () => {
      const all = [];
      for (let n = 0; n < ${count}; n += 1) all.push(await one());
      console.log(JSON.stringify(all));
    })();`;
  const text = await kubectl('-n', namespace, 'exec', from, '--', 'node', '-e', program);
  return JSON.parse(text.trim().split('\n').at(-1) ?? '[]') as Reply[];
}
