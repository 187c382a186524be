import type { Workload } from '../../model/workload.js';
import type { NodeWorkload } from '../show/node-workload.js';
import { explainPod, type PodSurroundings } from './explain-pods.js';
import type { Pod } from './pod.js';

const pod = (changed: Partial<Pod['spec']> = {}, labels: Record<string, string> = {}): Pod => ({
  metadata: { name: 'cart', namespace: 'shop', uid: 'uid-1', labels },
  spec: { nodeName: 'a', containers: [], ...changed },
  status: { phase: 'Running', podIP: '10.0.0.1' },
});

const known = (enrolment: NodeWorkload['enrolment']): NodeWorkload => ({
  workload: { uid: 'uid-1' } as Workload,
  enrolment,
});

const surroundings = (answer: readonly NodeWorkload[]): PodSurroundings => ({
  weftNamespace: 'weft-system',
  namespaceLabels: new Map([['shop', { 'weft.dev/mesh': 'enabled' }]]),
  nodes: new Map([
    ['a', { name: 'a', ok: true, answer }],
    ['b', { name: 'b', ok: false, error: 'connection refused' }],
  ]),
});

test('a pod that its node serves has no problem', () => {
  const served = known({ waitsFor: 'nothing', refusal: '' });
  expect(explainPod(pod(), surroundings([served]))).toMatchObject({
    asked: true,
    known: served,
    problem: '',
  });
});

test('a pod’s own label wins over its namespace’s', () => {
  const out = pod({}, { 'weft.dev/mesh': 'disabled' });
  expect(explainPod(out, surroundings([]))).toMatchObject({ asked: false, problem: '' });
});

test.each([
  [{ hostNetwork: true }, [], /shares its node's network/],
  [{ runtimeClassName: 'kata' }, [], /runtime class kata/],
  [{ nodeName: 'c' }, [], 'its node c has no agent'],
  [{ nodeName: 'b' }, [], /agent of its node b cannot be asked: connection refused/],
  [{}, [], /configuration of its node a does not have it yet/],
  [{}, [known(null)], /does not capture it/],
  [{}, [known({ waitsFor: 'capture', refusal: 'no such namespace' })], /not enrolled it: no such namespace/],
  [{}, [known({ waitsFor: 'identity', refusal: '' })], /waits for its certificate/],
] as const)('%j is told as such', (spec, told, problem) => {
  expect(explainPod(pod(spec), surroundings(told)).problem).toMatch(problem);
});
