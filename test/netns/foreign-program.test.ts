import { join } from 'node:path';
import { findCgroupMount } from './harness/cgroup.js';
import type { Lab } from './harness/lab.js';
import { foreignPin } from './harness/lab-folder.js';
import { Mesh } from './harness/mesh.js';
import { runCommand } from './harness/run-command.js';
import { fixture, startNginx } from './harness/services.js';

const http = { name: 'http', port: 8080, appProtocol: 'http' };

/** Other software may hold the same hook at the root, as Cilium's and Calico's load balancers do. */
describe("another program's connect hook at the cgroup root", () => {
  let mesh: Mesh;

  beforeAll(async () => {
    mesh = await Mesh.open(
      {
        pods: [{ name: 'web' }, { name: 'asked', ports: [http] }, { name: 'foreign', ports: [http] }],
        // The programs of a child cgroup run before its ancestors': weft sees the address before anybody rewrites it.
        weft: (lab) => ({ cgroups: [lab.cgroup, findCgroupMount()] }),
        services: [{ name: 'asked', host: 99, port: 80, targetPort: 8080, appProtocol: 'http' }],
      },
      async ({ lab }) => {
        for (const name of ['asked', 'foreign']) await startNginx(lab.pod(name), { port: 8080 });
        await attachForeign(lab, lab.pod('foreign').ipv4);
      },
    );
  });
  afterAll(() => mesh?.close());

  test('the program works: a process outside the mesh is sent to the rewritten address', async () => {
    const argv = ['curl', '-sS', 'http://10.97.0.99/'];
    const outside = mesh.lab.spawn(argv, { name: 'curl on the node', netns: mesh.lab.nodeNetns });
    expect(await outside.result(10_000)).toContain('foreign GET');
  });

  test('a pod of the mesh reaches the service that it asked for', async () => {
    expect(await mesh.curl('web', 'http://10.97.0.99/')).toContain('asked GET');
    expect(await mesh.fetch('web', 'plain', '10.97.0.99', 80)).toMatchObject({
      peer: ['10.97.0.99', 80],
      status: 200,
    });
  });
});

/** Pinned under the lab's name, so that the lab takes it away, even after a run that died. */
async function attachForeign(lab: Lab, backend: string): Promise<void> {
  const object = join(lab.folder, 'foreign-connect.o');
  const pin = foreignPin(lab.id);
  const address = backend.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const compile = [
    'clang-22',
    '-target',
    'bpf',
    '-O2',
    '-g',
    `-DBACKEND=${address}u`,
    '-I/usr/include/x86_64-linux-gnu',
  ];
  await runCommand([...compile, '-c', fixture('foreign-connect.bpf.c'), '-o', object]);
  await runCommand(['bpftool', 'prog', 'load', object, pin, 'type', 'cgroup/connect4']);
  await runCommand(['bpftool', 'cgroup', 'attach', findCgroupMount(), 'connect4', 'pinned', pin, 'multi']);
}
