import { existsSync } from 'node:fs';
import { awaitEvent } from './harness/await-event.js';
import { heldBpfObjects, livingBpfObjects } from './harness/inventory.js';
import { Mesh, type MeshSpec } from './harness/mesh.js';
import { startNginx } from './harness/services.js';

const spec: MeshSpec = {
  pods: [{ name: 'web' }, { name: 'server', ports: [{ name: 'http', port: 8080, appProtocol: 'http' }] }],
  services: [{ name: 'server', host: 1, port: 80, targetPort: 8080, appProtocol: 'http' }],
};
const open = () => Mesh.open(spec, ({ lab }) => startNginx(lab.pod('server'), { port: 8080 }));

/** The kernel frees programs and maps a moment after their last reference is gone (RCU). */
const expectFreed = (objects: ReadonlySet<string>) =>
  awaitEvent('the kernel to free every object', 10_000, () => livingBpfObjects(objects).length === 0);

test('weft run that ends in order, then weft clean: no kernel object, and pods talk as before', async () => {
  const mesh = await open();
  try {
    const held = heldBpfObjects(mesh.lab.cgroup);
    expect(held.size).toBeGreaterThan(10);
    await mesh.weft.stop();
    await mesh.weft.clean();
    await expectFreed(held);
    expect(await mesh.status('web', `http://${mesh.pod('server').ipv4}:8080/`)).toBe(200);
  } finally {
    await mesh.lab.close();
  }
});

test('weft run that is killed stays closed, and weft clean removes every trace', async () => {
  const mesh = await open();
  try {
    const held = heldBpfObjects(mesh.lab.cgroup);
    const parts = [mesh.weft.pidOf('capture'), mesh.weft.pidOf('proxy')];
    // All at once: the first would start the others again, and they end by themselves once it is gone.
    mesh.weft.process.signal('SIGKILL');
    for (const pid of parts) process.kill(pid, 'SIGKILL');
    await mesh.weft.process.exited;
    expect(await mesh.status('web', '--max-time', '3', 'http://10.97.0.1/')).toBe(0);
    await mesh.weft.clean();
    await expectFreed(held);
    expect(await mesh.status('web', `http://${mesh.pod('server').ipv4}:8080/`)).toBe(200);
    expect(existsSync(mesh.weft.state)).toBe(false);
  } finally {
    await mesh.lab.close();
  }
});
