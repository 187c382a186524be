import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { SocketMaker } from './descriptors-under-test.js';
import { loadEngine } from './load-engine.js';

const addon = loadEngine();
const workerFile = fileURLToPath(new URL('./engine-worker-under-test.js', import.meta.url));

/** One worker with its engine, its listener's port, and sockets enough for all it will do. */
async function startWorker(maker: SocketMaker, port: number): Promise<{ worker: Worker; port: number }> {
  const { descriptor, port: listening } = await maker.listener();
  const { descriptors } = await maker.sockets(4, 40);
  const worker = new Worker(workerFile, { workerData: { listener: descriptor, port, descriptors } });
  await once(worker, 'message');
  return { worker, port: listening };
}

function askServed(worker: Worker): Promise<number> {
  return new Promise((resolve) => {
    const listen = (message: { served?: number }) => {
      if (message.served === undefined) return;
      worker.off('message', listen);
      resolve(message.served);
    };
    worker.on('message', listen);
    worker.postMessage({ ask: 'served' });
  });
}

/** Sends requests one after another until `stopped`; counts those that were answered. */
async function load(port: number, counter: { served: number }, stopped: () => boolean): Promise<void> {
  const agent = new http.Agent({ keepAlive: true });
  while (!stopped()) {
    await new Promise<void>((resolve) => {
      http
        .get({ host: '127.0.0.1', port, agent }, (response) => {
          response.resume().on('end', () => {
            counter.served++;
            resolve();
          });
          response.on('error', () => resolve());
        })
        .on('error', () => resolve());
    });
  }
  agent.destroy();
}

describe('engines in worker threads', () => {
  let maker: SocketMaker;
  let server: http.Server;
  let port: number;

  beforeAll(async () => {
    maker = await SocketMaker.start(addon);
    server = http.createServer((_request, response) => response.end('x'.repeat(2000)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });

  afterAll(() => {
    maker.close();
    server.closeAllConnections();
    server.close();
  });

  it('serve side by side, each its own traffic', async () => {
    const workers = await Promise.all([1, 2, 3, 4].map(() => startWorker(maker, port)));
    const counters = workers.map(() => ({ served: 0 }));
    await Promise.all(
      workers.map((worker, i) =>
        load(worker.port, counters[i] as { served: number }, () => (counters[i]?.served ?? 0) >= 50),
      ),
    );
    const served = await Promise.all(workers.map(({ worker }) => askServed(worker)));
    expect(served).toEqual(counters.map((counter) => counter.served));
    await Promise.all(workers.map(({ worker }) => worker.terminate()));
  });

  it('end under load without harm to the others, and leave no descriptor', async () => {
    const before = readdirSync('/proc/self/fd').length;
    const survivor = await startWorker(maker, port);
    const kept = { served: 0 };
    let done = false;
    const running = load(survivor.port, kept, () => done);
    for (let round = 0; round < 5; round++) {
      const victim = await startWorker(maker, port);
      const counter = { served: 0 };
      let stop = false;
      const loads = Array.from({ length: 8 }, () => load(victim.port, counter, () => stop));
      while (counter.served < 40) await new Promise((resolve) => setImmediate(resolve));
      await victim.worker.terminate();
      stop = true;
      await Promise.all(loads);
      await expect(connect(victim.port)).rejects.toThrow('ECONNREFUSED');
    }
    const seen = kept.served;
    while (kept.served < seen + 20) await new Promise((resolve) => setImmediate(resolve));
    done = true;
    await running;
    await survivor.worker.terminate();
    server.closeAllConnections();
    // The test server's own sockets close in later turns; jest's deadline ends this where they do not.
    while (readdirSync('/proc/self/fd').length > before)
      await new Promise((resolve) => setImmediate(resolve));
  });
});

function connect(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1', () => resolve());
    socket.once('error', reject);
  });
}
