import { Reason } from '../../../reasons/reasons.js';
import { KernelCounters } from './kernel-counters.js';

const labels = (workload: string) => ({ namespace: 'shop', workload });
const pod = (workload: string, steered: number) => ({ workload, steered, direct: 1, arrived: 0, passed: 0 });

function valuesOf(counters: KernelCounters, name: string, path: string): [string, number][] {
  const found = counters.collect().find((one) => one.name === name);
  return (found?.values ?? [])
    .filter((one) => one.labels.path === path)
    .map((one) => [String(one.labels.workload), one.value]);
}

test('pods of one application add up, and what a gone pod counted stays in the sum', () => {
  const counters = new KernelCounters();
  counters.update({}, [pod('a1', 5), pod('a2', 7)], () => labels('a'));
  expect(valuesOf(counters, 'weft_workload_connections_total', 'steered')).toEqual([['a', 12]]);
  counters.update({}, [pod('a2', 8)], () => labels('a'));
  counters.update({}, [pod('a2', 8)], () => labels('a'));
  expect(valuesOf(counters, 'weft_workload_connections_total', 'steered')).toEqual([['a', 13]]);
});

test('a pod whose workload has left the configuration keeps its labels', () => {
  const counters = new KernelCounters();
  counters.update({}, [pod('a1', 5)], () => labels('a'));
  counters.update({}, [pod('a1', 6)], () => undefined);
  expect(valuesOf(counters, 'weft_workload_connections_total', 'steered')).toEqual([['a', 6]]);
});

test('refusals carry the registry’s names', () => {
  const counters = new KernelCounters();
  counters.update({ [Reason.kernel_l4_denied]: 3, [Reason.kernel_udp_denied]: 0 }, [], () => undefined);
  expect(counters.collect()[0]?.values).toEqual([
    { labels: { layer: 'kernel', reason: 'kernel_l4_denied' }, value: 3 },
  ]);
});
