/** For tests: one engine in a worker thread; descriptors come from the parent, and it forwards everything. */
import { parentPort, workerData } from 'node:worker_threads';
import { Action, type Engine, RowKind } from './engine.js';
import { plaintext } from './engine-under-test.js';
import { loadEngine } from './load-engine.js';

const { listener, port, descriptors } = workerData as {
  listener: number;
  port: number;
  descriptors: number[];
};
let served = 0;

const engine: Engine = loadEngine().createEngine({
  notesMap: -1,
  decide: (rows) => {
    for (let row = 0; row < rows; row++) {
      const connection = engine.rows.kind[row] === RowKind.connection;
      if (!connection) served++;
      engine.verdicts.action[row] = connection ? Action.http : Action.forward;
      engine.verdicts.endpoint[row] = 1;
    }
  },
  onDecideError: (error) => {
    throw error;
  },
  onStockLow: () => undefined, // it was given enough
});

parentPort?.on('message', () => parentPort?.postMessage({ served }));
engine.addWorkload(1, { connections: 0, pendingRequests: 0, bufferedBytes: 0, cpuShare: 0 });
engine.setEndpoint(1, { address: '127.0.0.1', port, destination: 1, generation: 0, ...plaintext });
engine.addSockets(1, 4, descriptors);
engine.addListener(1, 0, listener);
parentPort?.postMessage({ ready: true });
