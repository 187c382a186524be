import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { awaitEvent } from './harness/await-event.js';
import { Mesh } from './harness/mesh.js';
import { runCommand } from './harness/run-command.js';
import { startNginx } from './harness/services.js';
import { Weft } from './harness/weft.js';

const root = join(import.meta.dirname, '../../..');
const http = { name: 'http', port: 8080, appProtocol: 'http' };

/** Decisions are TypeScript: one edited line of model/ and the compiler change what traffic meets, and no native code. */
describe('a verdict that is flipped in model/', () => {
  let mesh: Mesh;

  beforeAll(async () => {
    mesh = await Mesh.open(
      {
        pods: [{ name: 'web' }, { name: 'server', ports: [http] }],
        services: [{ name: 'server', host: 1, port: 80, targetPort: 8080, appProtocol: 'http' }],
      },
      ({ lab }) => startNginx(lab.pod('server'), { port: 8080 }),
    );
  });
  afterAll(() => mesh?.close());

  test('changes traffic after tsc alone, with the same addon', async () => {
    expect(await mesh.status('web', 'http://10.97.0.1/')).toBe(200);
    await mesh.weft.stop();

    const copy = join(mesh.lab.folder, 'source');
    copySource(copy);
    const addon = join(copy, 'build/native/weft_engine.node');
    const before = hashOf(addon);
    const file = join(copy, 'model/authorize.ts');
    const text = readFileSync(file, 'utf8');
    const flipped = text.replace(
      'allowedByDefault: Verdict = { allowed: true, reason: Reason.none,',
      'allowedByDefault: Verdict = { allowed: false, reason: Reason.policy_denied,',
    );
    expect(flipped).not.toBe(text);
    writeFileSync(file, flipped);
    await runCommand(
      [
        process.execPath,
        join(copy, 'node_modules/typescript/bin/tsc'),
        '-b',
        join(copy, 'cli'),
        join(copy, 'agent/proxy'),
      ],
      {
        cwd: copy,
        timeoutMs: 120_000,
      },
    );

    const weft = await Weft.start(mesh.lab, {
      manifests: mesh.manifests,
      main: join(copy, 'dist/cli/main.js'),
    });
    await awaitEvent(
      'the other verdict',
      5_000,
      async () => (await mesh.status('web', 'http://10.97.0.1/')) !== 200,
    );
    expect(hashOf(addon)).toBe(before);
    expect(before).toBe(hashOf(join(root, 'build/native/weft_engine.node')));
    await weft.stop();
  });
});

/** Source and what was built from it, as far as running needs it; packages by link. */
function copySource(copy: string): void {
  const left = /^(\.git|node_modules|\.tools|build|test\/(bench|cluster|netns|demo))(\/|$)/;
  mkdirSync(copy, { recursive: true });
  cpSync(root, copy, { recursive: true, filter: (from) => !left.test(relative(root, from)) });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  const built = /(^build$|^build\/(native|bpf)$|\.node$|^build\/bpf\/)/;
  cpSync(join(root, 'build'), join(copy, 'build'), {
    recursive: true,
    filter: (from) => built.test(relative(root, from)),
  });
}

function hashOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}
