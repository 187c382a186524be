import { type TakeOutParts, takeOut } from './take-out.js';
import { TestApi } from './test-api.js';

const daemonSet = '/apis/apps/v1/namespaces/weft-system/daemonsets/weft';
const mesh = '/apis/weft.dev/v1alpha1/meshes/weft';
const secret = '/api/v1/namespaces/weft-system/secrets/weft-authority';
const objects = { namespace: 'weft-system', mesh: 'weft', daemonSet: 'weft', leftovers: [secret] };

const container = (name: string, ...volumes: string[]) => ({
  name,
  image: 'localhost/weft:1',
  securityContext: { of: name },
  volumeMounts: volumes.map((volume) => ({ name: volume, mountPath: `/${volume}` })),
});

function setUp(counts: number[]) {
  const api = new TestApi();
  api.objects.set(mesh, { spec: { trustDomain: 'a' } });
  api.objects.set(secret, {});
  const pod = {
    initContainers: [container('prepare', 'state')],
    containers: [
      { ...container('capture', 'bpf', 'state', 'socket', 'netns'), startupProbe: { periodSeconds: 1 } },
      container('proxy', 'socket', 'token'),
    ],
    volumes: ['bpf', 'state', 'socket', 'netns', 'token'].map((name) => ({ name })),
  };
  const status = {
    observedGeneration: 1,
    desiredNumberScheduled: 1,
    updatedNumberScheduled: 1,
    numberAvailable: 1,
  };
  api.objects.set(daemonSet, {
    metadata: { generation: 1 },
    spec: { selector: 's', template: { metadata: 'm', spec: pod } },
    status,
  });
  const pods = { items: [{ spec: { nodeName: 'node1' }, status: { podIP: '10.0.0.1' } }] };
  api.objects.set('/api/v1/namespaces/weft-system/pods', pods);
  const said: string[] = [];
  const parts: TakeOutParts = {
    api: api.hook,
    countEnrolled: () =>
      Promise.resolve(counts.length > 1 ? (counts.shift() as number) : (counts[0] as number)),
    say: (message) => void said.push(message),
    lookMs: 1,
    stepMs: 30,
  };
  return { api, parts, said };
}

test('everybody leaves the mesh before the programs go, and what the install hook made goes last', async () => {
  const { api, parts } = setUp([3, 1, 0]);
  await takeOut(parts, objects);
  expect(api.objects.get(mesh)).toEqual({ spec: { trustDomain: 'a', enrolment: 'Disabled' } });
  const changes = api.requests.filter((request) => !request.startsWith('GET'));
  expect(changes).toEqual([`PATCH ${mesh}`, `PATCH ${daemonSet}`, `DELETE ${secret}`]);
});

test('the cleaning pod has capture’s power and the pinned folders, and waits without any', async () => {
  const { api, parts } = setUp([0]);
  await takeOut(parts, objects);
  const spec = api.objects.get(daemonSet)?.spec as {
    template: { spec: { initContainers: Record<string, unknown>[] } };
  };
  expect(spec.template.spec.initContainers[0]?.startupProbe).toBeUndefined();
  expect(spec.template.spec).toMatchObject({
    initContainers: [
      {
        name: 'clean',
        image: 'localhost/weft:1',
        securityContext: { of: 'capture' },
        volumeMounts: [{ name: 'bpf' }, { name: 'state' }, { name: 'socket' }],
      },
    ],
    containers: [
      { name: 'done', securityContext: { of: 'proxy', seccompProfile: { type: 'RuntimeDefault' } } },
    ],
    volumes: [{ name: 'bpf' }, { name: 'state' }, { name: 'socket' }],
  });
});

test('pods that stay in the mesh stop it, with the node’s name, and no kernel program is touched', async () => {
  const { api, parts } = setUp([2]);
  await expect(takeOut(parts, objects)).rejects.toThrow('pods are still in the mesh: node1 has 2 pods');
  expect(api.requests).not.toContain(`PATCH ${daemonSet}`);
});

test('a node that does not answer is no proof', async () => {
  const { parts } = setUp([0]);
  const silent = { ...parts, countEnrolled: () => Promise.reject(new Error('no answer')) };
  await expect(takeOut(silent, objects)).rejects.toThrow('node1 does not answer (no answer)');
});

test('a node whose programs are not proved to be gone stops it, and what the hook made stays', async () => {
  const { api, parts } = setUp([0]);
  const held = api.objects.get(daemonSet) as { status: object };
  api.objects.set(daemonSet, { ...held, status: { ...held.status, desiredNumberScheduled: 2 } });
  await expect(takeOut(parts, objects)).rejects.toThrow('1 of 2 nodes are clean');
  expect(api.objects.has(secret)).toBe(true);
});

test('a second attempt goes on where the first one ended', async () => {
  const { api, parts } = setUp([0]);
  await takeOut(parts, objects);
  const before = JSON.stringify(api.objects.get(daemonSet));
  api.objects.set(secret, {});
  await takeOut(parts, objects);
  expect(JSON.stringify(api.objects.get(daemonSet))).toBe(before);
  expect(api.objects.has(secret)).toBe(false);
});
