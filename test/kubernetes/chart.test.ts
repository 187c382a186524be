import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { helm } from './harness/release.js';

const chart = join(import.meta.dirname, '../../../deploy/chart');

interface Container {
  readonly name: string;
  readonly image: string;
  readonly securityContext: Record<string, unknown> & { capabilities: { add?: string[]; drop: string[] } };
}

interface PodSpec {
  readonly containers: Container[];
  readonly initContainers?: Container[];
  readonly hostNetwork?: boolean;
  readonly hostPID?: boolean;
  readonly hostIPC?: boolean;
  readonly volumes?: Record<string, unknown>[];
}

interface Rendered {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: { readonly template?: { readonly spec: PodSpec } };
  readonly rules?: { readonly resources: string[]; readonly verbs: string[] }[];
}

const render = async (...values: string[]): Promise<Rendered[]> => {
  const text = await helm(
    'template',
    'weft',
    chart,
    '-n',
    'weft-system',
    ...values.flatMap((one) => ['--set', one]),
  );
  return parseAllDocuments(text).flatMap((document) => (document.toJS() as Rendered | null) ?? []);
};

const podsOf = (objects: Rendered[]): PodSpec[] => objects.flatMap(({ spec }) => spec?.template?.spec ?? []);

test('only capture holds capabilities, and nobody is privileged, shares the host’s namespaces or floats a tag', async () => {
  const pods = podsOf(await render());
  const containers = pods.flatMap(({ containers, initContainers = [] }) => [
    ...initContainers,
    ...containers,
  ]);
  const held = containers.flatMap(({ name, securityContext: { capabilities } }) =>
    capabilities.add === undefined ? [] : [[name, ...capabilities.add]],
  );
  expect(held).toEqual([
    ['prepare', 'CHOWN'],
    ['capture', 'BPF', 'CHOWN', 'NET_ADMIN', 'PERFMON', 'SYS_ADMIN'],
  ]);
  for (const { image, securityContext } of containers) {
    expect(securityContext.capabilities.drop).toEqual(['ALL']);
    expect(securityContext).toMatchObject({ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true });
    expect(securityContext.privileged ?? false).toBe(false);
    expect(image).toMatch(/:(?!latest$)[^:]+$/);
  }
  for (const { hostNetwork, hostPID, hostIPC } of pods) {
    expect([hostNetwork, hostPID, hostIPC]).toEqual([undefined, undefined, undefined]);
  }
});

test('the signing key is mounted into controllers alone; no role but the hooks’ may touch a secret', async () => {
  const objects = await render();
  const mounting = objects.filter(({ spec }) => JSON.stringify(spec ?? {}).includes('"secretName"'));
  expect(mounting.map(({ kind, metadata }) => `${kind}/${metadata.name}`)).toEqual([
    'Deployment/weft-controller',
  ]);
  const touching = objects.filter(({ rules = [] }) =>
    rules.some(({ resources }) => resources.includes('secrets')),
  );
  expect(touching.map(({ metadata }) => metadata.name).sort()).toEqual(['weft-install', 'weft-uninstall']);
});

test.each([
  ['image.tag=latest', /tag/],
  ['mesh.mtls=strict', /mtls/],
  ['mesh.trustDomain=A_B', /trustDomain/],
  ['node.workers=0', /workers/],
  ['controller.replica=3', /replica/],
])('the value %s is refused with its name', async (value, message) => {
  await expect(render(value)).rejects.toThrow(message);
});
