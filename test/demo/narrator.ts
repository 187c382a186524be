/** Tells a person what happens: commands as they would be typed, what was seen, and whether it is as promised. */

const colour = process.stdout.isTTY && process.env.NO_COLOR === undefined;
const paint = (code: number, text: string) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);

/** Lines of one command's output that are shown. */
const shownLines = 20;

export class Narrator {
  passed = 0;
  failed = 0;
  private steps = 0;
  private readonly write: (line: string) => void;

  constructor(write: (line: string) => void = (line) => process.stdout.write(`${line}\n`)) {
    this.write = write;
  }

  /** Runs one step under its title. What it throws is a failed check, and the next step still runs. */
  async step(title: string, body: () => Promise<void>): Promise<void> {
    this.steps += 1;
    this.write(`\n${paint(1, `${this.steps}  ${title}`)}`);
    const start = performance.now();
    try {
      await body();
    } catch (error) {
      this.check('the step runs to its end', false, (error as Error).message);
    }
    this.write(paint(2, `   ${((performance.now() - start) / 1000).toFixed(1)} s`));
  }

  say(text: string): void {
    this.write(`   ${text}`);
  }

  command(text: string): void {
    this.write(paint(36, `   $ ${text}`));
  }

  seen(output: string): void {
    const lines = output.trimEnd().split('\n');
    for (const line of lines.slice(0, shownLines)) this.write(`     ${line.trimEnd()}`);
    if (lines.length > shownLines) this.write(`     … ${lines.length - shownLines} more lines`);
  }

  /** Records one promise; `detail` is what was seen instead. */
  check(sentence: string, kept: boolean, detail = ''): void {
    if (kept) this.passed += 1;
    else this.failed += 1;
    const mark = kept ? paint(32, '✓') : paint(31, '✗');
    const seen =
      kept || detail === '' ? '' : `\n     seen: ${detail.split('\n').slice(0, 20).join('\n           ')}`;
    this.write(`   ${mark} ${sentence}${seen}`);
  }

  /** The last line: totals. */
  finish(): void {
    this.write(`\n${this.passed} passed, ${this.failed} failed`);
  }
}
