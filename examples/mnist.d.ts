declare module 'mnist' {
  interface Digit {
    /** 784 grey values of 28 × 28 pixels, 0 to 1. */
    readonly input: number[]
    /** Ten numbers, 1 at the digit's own place. */
    readonly output: number[]
  }
  const mnist: { set(training: number, test: number): { training: Digit[]; test: Digit[] } }
  export default mnist
}
