/** Entry of a worker thread. */
import { closeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { loadEngine } from '../../../native/load-engine.js';
import { systemTimers } from '../control/timers.js';
import { seededRandom } from '../telemetry/seeded-random.js';
import { DecisionWorker } from './decision-worker.js';
import type { FromWorker, ToWorker, WorkerStart } from './messages.js';

const port = parentPort;
if (port === null) throw new Error('worker/main.js runs as a worker thread of agent/proxy/main.js only');
const start = workerData as WorkerStart;
const post = (message: FromWorker): void =>
  port.postMessage(message, message.type === 'access-log' ? [message.lines.buffer] : []);

const worker = new DecisionWorker({
  ...start,
  createEngine: loadEngine().createEngine,
  post,
  closeDescriptor: closeSync,
  timers: systemTimers,
  wallClock: Date.now,
  random: Math.random,
  fillRandom: seededRandom(crypto.getRandomValues(new Uint32Array(4))),
  log: (level, message, details) => post({ type: 'log', level, message, details: details ?? {} }),
});
port.on('message', (message: ToWorker) => worker.receive(message));
post({ type: 'ready' });
