import { StackFailure } from './failure.ts';
import { say } from './progress.ts';
import { Stack, type StackOptions } from './stack.ts';
import type { StackFile } from './stack-file.ts';

function invitation({ origin, demo, operatorPhone, sandbox }: StackFile): string {
  return `
Hissaback is ready. Open:

  ${demo.smart_link}
      the demo creator's smart link: follow it as a shopper does, and buy something in the sandbox's shop
  ${sandbox.sms}/
      every SMS: codes and vouchers. People to log in as: shopper ${demo.shopperPhone},
      creator ${demo.creatorPhone}, operator ${operatorPhone}
  ${origin}/docs
      the API; README.md has a purchase by hand
  npm run demo
      one whole purchase, from the login to the voucher

Ctrl-C stops everything; the data stays.
`;
}

function explain(error: unknown): void {
  if (error instanceof StackFailure) console.error(`\n${error.message}\n${error.next}`);
  else console.error('\n', error);
}

/** A stack of these settings; what is wrong with them is told at once. */
function openStack(options: StackOptions): Stack {
  try {
    return new Stack(options);
  } catch (error) {
    explain(error);
    process.exit(1);
  }
}

/** Runs the stack until a signal, the end of the npm that started it, or the end of one of its parts. Never returns. */
export async function runStack(options: { watch: boolean }): Promise<never> {
  let leaving = false;
  let resolveLeft: (code: number) => void = () => {};
  const left = new Promise<number>((resolve) => {
    resolveLeft = resolve;
  });
  const leave = (code: number) => {
    leaving = true;
    resolveLeft(code);
  };
  const stack = openStack({
    ...options,
    env: process.env,
    onFailure: (failure) => {
      explain(failure);
      leave(1);
    },
  });
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => leave(0));
  process.on('disconnect', () => leave(0));

  const started = stack.start().then(
    (file) => {
      say('ready');
      console.log(invitation(file));
    },
    (error) => {
      if (leaving) return; // what broke, broke because it is being stopped
      explain(error);
      leave(1);
    },
  );
  const code = await left;
  if (code === 0) console.log('\nStopping ...');
  await stack.stop();
  await started;
  process.exit(code);
}
