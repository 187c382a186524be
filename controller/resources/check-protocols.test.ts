import { parse } from 'yaml';
import { buildResources } from './build-resources.js';
import { ManifestStore } from './manifest-store.js';
import { describeProblem } from './status-problem.js';

const service = (name: string, ip: string, port: string, namespace = 'shop') => `
{apiVersion: v1, kind: Service, metadata: {name: ${name}, namespace: ${namespace}}, spec: {clusterIP: ${ip}, ports: [${port}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: ${name}-1, namespace: ${namespace}, labels: {kubernetes.io/service-name: ${name}}}
addressType: IPv4
ports: [{name: "", port: 8080}]
endpoints: [{addresses: [10.1.0.1]}, {addresses: [10.1.0.2]}]
`;

function conflicts(...services: string[]): string[] {
  const store = new ManifestStore('cluster');
  const texts = services.flatMap((text) => text.split('---'));
  store.apply(
    texts.map((text, index) => ({
      type: 'holds',
      origin: `${index}`,
      documents: [{ value: parse(text) as unknown, locate: () => 0 }],
    })),
  );
  const { problems } = buildResources(store.manifests(), { trustDomain: 'a.b', node: '' });
  return problems.filter(({ reason }) => reason === 'ProtocolConflict').map(describeProblem);
}

test('two services that declare different protocols for one port of a pod are both told, once', () => {
  const told = conflicts(
    service('web', '10.0.0.1', '{port: 80, appProtocol: http}'),
    service('api', '10.0.0.2', '{port: 81, appProtocol: kubernetes.io/h2c}'),
  );
  expect(told).toEqual([
    expect.stringMatching(
      /Service shop\/api: spec\.ports\[0\]\.appProtocol.* http, which service web declares for port 8080/,
    ),
    expect.stringMatching(/Service shop\/web: .* differs from http2, which service api declares/),
  ]);
});

test('every one of several services is told that another contradicts it', () => {
  const told = conflicts(
    service('web', '10.0.0.1', '{port: 80, appProtocol: http}'),
    service('shop', '10.0.0.2', '{port: 80, appProtocol: http}'),
    service('api', '10.0.0.3', '{port: 81, appProtocol: kubernetes.io/h2c}'),
  );
  const pairs = told.map((problem) =>
    /Service shop\/(\w+):.* service (\w+) declares/.exec(problem)?.slice(1),
  );
  expect(pairs).toEqual([
    ['api', 'shop'],
    ['shop', 'api'],
    ['web', 'api'],
  ]);
});

test.each([
  ['the same protocol', '{port: 81, appProtocol: http}'],
  ['no protocol', '{port: 81}'],
])('a second service that declares %s is no conflict', (_what, port) => {
  const first = service('web', '10.0.0.1', '{port: 80, appProtocol: http}');
  expect(conflicts(first, service('api', '10.0.0.2', port))).toEqual([]);
});

test('a service of another namespace has no say', () => {
  const first = service('web', '10.0.0.1', '{port: 80, appProtocol: http}');
  expect(conflicts(first, service('api', '10.0.0.2', '{port: 81, appProtocol: grpc}', 'bank'))).toEqual([]);
});
