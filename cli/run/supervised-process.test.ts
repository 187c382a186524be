import type { ProcessPlan } from './plan-processes.js';
import { SupervisedProcess } from './supervised-process.js';

/** A supervisor over a real node process that runs `script`, with all that it says. */
class Supervision {
  readonly lines: string[] = [];
  readonly supervised: SupervisedProcess;
  #check: () => void = () => {};

  constructor(script: string) {
    const plan: ProcessPlan = { name: 'proxy', folder: '/', argv: [process.execPath, '-e', script] };
    const add = (line: string) => {
      this.lines.push(line);
      this.#check();
    };
    this.supervised = new SupervisedProcess(plan, {
      log: (_part, line) => add(`log ${line}`),
      data: (_part, line) => add(`data ${line}`),
      note: (text) => add(`note ${text}`),
    });
  }

  waitFor(pattern: RegExp, count = 1): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`no ${count} × ${pattern} in:\n${this.lines.join('\n')}`)),
        10_000,
      );
      this.#check = () => {
        if (this.lines.filter((line) => pattern.test(line)).length < count) return;
        clearTimeout(timer);
        resolve();
      };
      this.#check();
    });
  }
}

const serve = `process.stdout.write('{"ready":true,"port":7}\\n'); setInterval(() => {}, 1000);`;
let open: Supervision | undefined;

function supervise(script: string): Supervision {
  open = new Supervision(script);
  return open;
}

afterEach(() => open?.supervised.stop(1000));

test('resolves with what the ready line says, and relays everything else', async () => {
  const { supervised, lines, waitFor } = supervise(
    `console.error('a log line'); console.log('data'); ${serve}`,
  );
  await expect(supervised.start(10_000)).resolves.toEqual({ ready: true, port: 7 });
  await waitFor.call(open, /^log a log line$/);
  expect(lines).toContain('data data');
});

test('a process that is killed serves again at once', async () => {
  const supervision = supervise(serve);
  await supervision.supervised.start(10_000);
  const killed = supervision.supervised.pid ?? 0;
  const begun = performance.now();
  process.kill(killed, 'SIGKILL');
  await supervision.waitFor(/is ready again/);
  expect(performance.now() - begun).toBeLessThan(1000);
  expect(supervision.lines).toContain('note proxy was ended by SIGKILL; it is started again');
  expect(supervision.supervised.pid).not.toBe(killed);
});

test('a process that keeps ending is started again ever more slowly', async () => {
  const supervision = supervise(`process.stdout.write('{"ready":true}\\n', () => process.exit(3));`);
  await supervision.supervised.start(10_000);
  await supervision.waitFor(/in 200 ms/);
  expect(supervision.lines.filter((line) => line.includes('exit code'))).toEqual([
    'note proxy ended with exit code 3; it is started again',
    'note proxy ended with exit code 3; it is started again in 100 ms',
    'note proxy ended with exit code 3; it is started again in 200 ms',
  ]);
});

test('a process that ends before it is ready is not started again', async () => {
  const { supervised } = supervise(`console.error('no BTF'); process.exit(1);`);
  await expect(supervised.start(10_000)).rejects.toThrow('proxy ended with exit code 1 before it was ready');
  expect(supervised.pid).toBeUndefined();
});

test('a program that is missing is told as such', async () => {
  const plan: ProcessPlan = { name: 'proxy', folder: '/', argv: ['/no/such/program'] };
  const silent = { log: () => {}, data: () => {}, note: () => {} };
  await expect(new SupervisedProcess(plan, silent).start(10_000)).rejects.toThrow(/cannot be started/);
});

test('stop ends a process that does not listen by force', async () => {
  const supervision = supervise(`process.on('SIGTERM', () => {}); ${serve}`);
  await supervision.supervised.start(10_000);
  const pid = supervision.supervised.pid ?? 0;
  await supervision.supervised.stop(50);
  expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
  expect(supervision.lines).toContain('note proxy did not end within 0.05 s and was killed');
});
