import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Lab } from './harness/lab.js';
import { labRemains, sweepDeadLabs } from './harness/lab-folder.js';
import { openingSegments, PacketCapture } from './harness/packet-capture.js';
import { startHttpServer, startNginx, startRedis } from './harness/services.js';

describe('a lab', () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.open();
    await lab.addPod('web');
    await lab.addPod('shop');
  });
  afterAll(() => lab.close());

  test('carries connections of both families from pod to pod', async () => {
    await startNginx(lab.pod('shop'), { port: 8080 });
    const { ipv4, ipv6 } = lab.pod('shop');
    const web = lab.pod('web');
    expect(await web.run(['curl', '-sS', `http://${ipv4}:8080/a?b=1`])).toBe(
      `shop GET ${ipv4} /a?b=1 from ${web.ipv4}\n`,
    );
    expect(await web.run(['curl', '-sS', `http://[${ipv6}]:8080/`])).toContain(`from ${web.ipv6}`);
  });

  test('serves files and redis', async () => {
    await startHttpServer(lab.pod('shop'), 8000, { 'index.html': 'hello' });
    await startRedis(lab.pod('shop'));
    const { ipv4 } = lab.pod('shop');
    expect(await lab.pod('web').run(['curl', '-sS', `http://${ipv4}:8000/`])).toBe('hello');
    expect(await lab.pod('web').run(['redis-cli', '-h', ipv4, 'incr', 'visits'])).toBe('1\n');
  });

  test('sees the opening packets of connections between pods', async () => {
    const capture = await PacketCapture.start(lab, openingSegments);
    const { ipv4, ipv6 } = lab.pod('shop');
    await lab.pod('web').run(['curl', '-sS', `http://${ipv4}:8080/`, '--next', `http://[${ipv6}]:8080/`]);
    const packets = await capture.stop();
    expect(packets).toHaveLength(2);
    expect(packets[0]).toContain(`> ${ipv4}.8080: Flags [S]`);
    expect(packets[1]).toContain(`> ${ipv6}.8080: Flags [S]`);
  });

  test('keeps each process in its own namespace and cgroup', async () => {
    const web = lab.pod('web');
    const cgroup = await web.run(['cat', '/proc/self/cgroup']);
    expect(cgroup).toContain(`0::/weft-lab-${lab.id}/web`);
    expect(await web.run(['ip', 'netns', 'identify'])).toBe(`${web.netns}\n`);
  });

  test('reports a program that fails with what it said', async () => {
    await expect(lab.pod('web').run(['sh', '-c', 'echo no >&2; exit 3'])).rejects.toThrow(/exit 3: no/);
  });

  test('leaves nothing when a pod is removed', async () => {
    const gone = await lab.addPod('gone');
    gone.spawn(['sleep', '1000']);
    await lab.removePod('gone');
    expect(existsSync(gone.cgroup)).toBe(false);
    expect(existsSync(join('/run/netns', gone.netns))).toBe(false);
  });
});

test('a run that was killed is cleaned up by the next', async () => {
  const program = `
    const { Lab } = await import(${JSON.stringify(join(import.meta.dirname, 'harness/lab.js'))});
    const lab = await Lab.open('wldead');
    const pod = await lab.addPod('one');
    const left = pod.spawn(['sh', '-c', 'echo up; sleep 1000 & wait']);
    await left.awaitOutput(/up/);
    process.stdout.write(String(left.pid), () => process.kill(process.pid, 'SIGKILL'));`;
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  expect(run.signal).toBe('SIGKILL');
  expect(labRemains('wldead').length).toBeGreaterThan(0);
  expect(readFileSync(`/proc/${run.stdout}/comm`, 'utf8')).toBe('sh\n');
  expect(await sweepDeadLabs()).toContain('wldead');
  expect(labRemains('wldead')).toEqual([]);
});
