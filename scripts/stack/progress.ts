/** Tells the terminal what has just been done, and how long after this process began. */
export function say(text: string): void {
  const seconds = (performance.now() / 1000).toFixed(1).padStart(5);
  console.log(`${seconds} s  ${text}`);
}
