/** A ledger over gRPC beside the shop: two versions, each of which answers any method of `shop.Ledger` with its name. */
import { apply, kubectl } from './cluster.js';
import { image } from './release.js';
import { shopNode } from './shop.js';

const grpcLibrary = '/weft/node_modules/@grpc/grpc-js';

const serve = (version: string) => `
  const grpc = require('${grpcLibrary}');
  const bytes = (b) => b;
  const method = (name) => ({ path: '/shop.Ledger/' + name, requestStream: false, responseStream: false,
    requestSerialize: bytes, requestDeserialize: bytes, responseSerialize: bytes, responseDeserialize: bytes });
  const answer = (call, done) => done(null, Buffer.from('${version}'));
  const server = new grpc.Server();
  server.addService({ read: method('Read'), write: method('Write') }, { read: answer, write: answer });
  server.bindAsync('0.0.0.0:8080', grpc.ServerCredentials.createInsecure(), () => {});`;

const deployment = (version: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: `ledger-${version}` },
  spec: {
    selector: { matchLabels: { app: `ledger-${version}` } },
    template: {
      metadata: { labels: { app: `ledger-${version}`, service: 'ledger' } },
      spec: {
        nodeSelector: { 'kubernetes.io/hostname': shopNode },
        terminationGracePeriodSeconds: 1,
        containers: [
          {
            ...{ name: 'app', image, args: ['-e', serve(version)], ports: [{ containerPort: 8080 }] },
            readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
          },
        ],
      },
    },
  },
});

const service = (name: string, selector: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { selector, ports: [{ name: 'grpc', port: 80, targetPort: 8080, appProtocol: 'kubernetes.io/h2c' }] },
});

/** Returns once both versions are ready. */
export async function deployLedger(namespace: string): Promise<void> {
  const items = [
    deployment('v1'),
    deployment('v2'),
    service('ledger', { service: 'ledger' }),
    service('ledger-v1', { app: 'ledger-v1' }),
    service('ledger-v2', { app: 'ledger-v2' }),
  ];
  await apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }), '-n', namespace);
  for (const name of ['ledger-v1', 'ledger-v2']) {
    await kubectl('-n', namespace, 'rollout', 'status', `deployment/${name}`, '--timeout=180s');
  }
}

/**
 * What the shop's client gets for ten calls of a method, a connection each: versions, and where a call fails its status code
 * and what the mesh calls the reason.
 */
export async function callLedger(namespace: string, method: 'Read' | 'Write'): Promise<string[]> {
  const program = `
    const grpc = require('${grpcLibrary}');
    const bytes = (b) => b;
    const one = () => new Promise((resolve) => {
      const client = new grpc.Client('ledger:80', grpc.credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
      const deadline = Date.now() + 10000;
      client.makeUnaryRequest('/shop.Ledger/${method}', bytes, bytes, Buffer.alloc(0), { deadline }, (error, answer) => {
        client.close();
        if (error === null) resolve(answer.toString());
        else resolve([error.code, ...error.metadata.get('x-weft-reason')].join(' '));
      });
    });
    (async () => {
      const all = new Set();
      for (let n = 0; n < 10; n += 1) all.add(await one());
      console.log(JSON.stringify([...all].sort()));
    })();`;
  const text = await kubectl('-n', namespace, 'exec', 'deployment/client', '--', 'node', '-e', program);
  return JSON.parse(text.trim().split('\n').at(-1) ?? '[]') as string[];
}
