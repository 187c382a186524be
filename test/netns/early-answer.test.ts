/** Answers that are complete before their request, by curl, nghttp, Node and nginx: each direction ends on its own. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LabProcess } from './harness/lab-process.js';
import { Mesh } from './harness/mesh.js';
import { startNginx } from './harness/services.js';

const [toH1, toH2, toNginx] = ['10.97.0.1', '10.97.0.2', '10.97.0.3'];
const uploadBytes = 5_000_000;

/** curl sends what comes through a pipe: its first word, and the last one only once the answer is there. */
const uploadInTwo = `
  curl -sS -N -T . -w 'sent all, %{http_code}' "$2" <"$1" |
    { exec 3>"$1"; printf first >&3; read -r answer; echo "$answer"; printf second >&3; exec 3>&-; cat; }`;

describe('An answer that is complete before its request', () => {
  let mesh: Mesh;
  let file: string;
  const servers = new Map<string, LabProcess>();

  beforeAll(async () => {
    mesh = await Mesh.open(
      {
        pods: [
          { name: 'client' },
          { name: 'h1', ports: [{ name: 'h1', port: 8080, appProtocol: 'http' }] },
          { name: 'h2', ports: [{ name: 'h2', port: 8080, appProtocol: 'http2' }] },
          { name: 'nginx', ports: [{ name: 'nginx', port: 8080, appProtocol: 'http2' }] },
        ],
        services: [
          { name: 'h1', host: 1, port: 80, targetPort: 8080, appProtocol: 'http' },
          { name: 'h2', host: 2, port: 80, targetPort: 8080, appProtocol: 'http2' },
          { name: 'nginx', host: 3, port: 80, targetPort: 8080, appProtocol: 'http2' },
        ],
      },
      async ({ lab }) => {
        const program = join(import.meta.dirname, 'programs/early-server.js');
        for (const [name, protocol] of [
          ['h1', 'http1'],
          ['h2', 'http2'],
        ] as const) {
          const pod = lab.pod(name);
          const server = pod.spawn([process.execPath, program, protocol, '8080'], { name: 'early-server' });
          await pod.awaitPort(server, 8080);
          servers.set(name, server);
        }
        await startNginx(lab.pod('nginx'), { port: 8080, listen: ['8080 http2'] });
      },
    );
    file = join(mesh.pod('client').folder, 'upload');
    writeFileSync(file, Buffer.alloc(uploadBytes, 'u'));
  });
  afterAll(() => mesh?.close());

  test.each([
    ['HTTP/1.1', 'h1', toH1],
    ['HTTP/2', 'h2', toH2],
  ])('curl by HTTP/1.1 has it, and goes on with its request to %s', async (_, name, host) => {
    const pod = mesh.pod('client');
    const pipe = join(pod.folder, `pipe-${name}`);
    await pod.run(['mkfifo', pipe]);
    const said = await pod.run(['bash', '-c', uploadInTwo, 'upload', pipe, `http://${host}/curl`]);
    expect(said).toBe('early\nsent all, 200');
    await servers.get(name)?.awaitOutput(/PUT \/curl 11 whole/);
  });

  test.each([
    ['HTTP/1.1', 'h1', toH1],
    ['HTTP/2', 'h2', toH2],
  ])('nghttp by HTTP/2 has it, and goes on with its request to %s', async (_, name, host) => {
    await mesh.pod('client').run(['nghttp', '-n', '-d', file, `http://${host}/nghttp`]);
    await servers.get(name)?.awaitOutput(new RegExp(`POST /nghttp ${uploadBytes} whole`));
  });

  test('a server that refuses the rest of the request says so, and takes no answer away', async () => {
    const said = await mesh.pod('client').run(['nghttp', '-nv', '-d', file, `http://${toNginx}/`]);
    expect(said).toMatch(/:status: 200/);
    expect(said).toMatch(/recv RST_STREAM frame [^[]*error_code=NO_ERROR/);
  });
});
