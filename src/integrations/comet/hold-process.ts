/**
 * Keeps the process alive while something is waited for: connections and timers here do not, and a program that awaits nothing else would end
 * in the middle of it. The result lets go.
 */
export function holdProcess(): () => void {
  const timer = setInterval(() => undefined, 2 ** 30)
  return () => {
    clearInterval(timer)
  }
}
