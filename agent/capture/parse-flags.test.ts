import { findCgroupMount } from './find-cgroups.js';
import { parseFlags } from './parse-flags.js';

const least = ['--socket', '/run/weft/capture.sock', '--proxy-uid', '1000'];

test('the defaults', () => {
  expect(parseFlags(least)).toEqual({
    socket: '/run/weft/capture.sock',
    pinFolder: '/sys/fs/bpf/weft',
    cgroups: [],
    netnsFolders: ['/run/netns'],
    proxyUid: 1000,
    graceMs: 5000,
    kubeletCgroup: undefined,
    cgroupFolder: undefined,
    nriSocket: undefined,
    state: undefined,
    object: undefined,
    takeOver: false,
    standBy: false,
    readyFile: undefined,
  });
});

test.each([
  [[], /--socket must be an absolute path/],
  [['--socket', 'relative', '--proxy-uid', '1'], /--socket must be an absolute path/],
  [['--socket', '/s'], /--proxy-uid must be a whole number/],
  [['--socket', '/s', '--proxy-uid', '-1'], /proxy-uid/],
  [[...least, '--grace-ms', '1.5'], /--grace-ms must be a whole number/],
  [[...least, '--cgroup', 'x'], /--cgroup must be an absolute path/],
  [[...least, '--unknown'], /unknown/],
])('%j is refused', (argv, message) => {
  expect(() => parseFlags(argv)).toThrow(message);
});

test('cgroup2 is found where it is mounted, also beside cgroup v1', () => {
  const v1 = '30 25 0:26 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu';
  const v2 = '31 25 0:27 / /sys/fs/cgroup/unified\\040x rw,relatime shared:9 - cgroup2 cgroup2 rw';
  expect(findCgroupMount(`${v1}\n${v2}\n`)).toBe('/sys/fs/cgroup/unified x');
  expect(findCgroupMount(`${v1}\n`)).toBeNull();
});

test('below a folder only the cgroup2 that the node mounted there counts, not the container its own', () => {
  const own = '31 25 0:27 / /sys/fs/cgroup ro - cgroup2 cgroup ro';
  const node = '40 25 0:27 /../.. /host/sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw';
  expect(findCgroupMount(`${own}\n${node}\n`, '/host/sys/fs/cgroup')).toBe('/host/sys/fs/cgroup/unified');
  expect(findCgroupMount(`${own}\n`, '/host/sys/fs/cgroup')).toBeNull();
  expect(findCgroupMount(`${own}\n`, '/sys/fs/cgroup')).toBe('/sys/fs/cgroup');
});
